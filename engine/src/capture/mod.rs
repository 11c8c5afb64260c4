//! Capture files to frames.
//!
//! [`Capture`] reads pcap and pcapng, plain or compressed, from a path or standard input, in one pass
//! and in bounded memory. Damage is a [`crate::problem::Problem`], not an error: what can be read is read.
//!
//! One idea per file: `source` sniffs and decompresses, `buffer` holds the bytes being read,
//! `pcap` and `pcapng` walk records and blocks, `chain` finds the next sound one after damage, `part` reads in the midst of
//! a file, `standing` knows one that changes meanwhile.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

mod ahead;
mod block;
mod buffer;
mod chain;
mod clock;
mod error;
mod gzip;
mod info;
mod limits;
mod lz4;
mod order;
mod part;
mod pcap;
mod pcapng;
mod process;
mod sections;
mod source;
mod standing;
mod steps;
#[cfg(test)]
mod tests;
mod variant;
mod zstandard;

pub use error::OpenError;
pub use info::{Compression, Format, Info, Interface};
pub use limits::{
    COMMON_SNAPLEN, MAX_BLOCK, MAX_INTERFACES, MAX_NAME, MAX_PROCESSES, MAX_RECORD, MAX_XZ_MEMORY, MAX_ZSTD_WINDOW,
    RESYNC_AHEAD, RESYNC_BLOCKS, RESYNC_RECORDS, RESYNC_SECONDS,
};
pub use part::{Part, Parts};
pub use process::Processes;
pub(crate) use standing::Begin;

use ahead::ahead;
use buffer::{Buffer, Paused};
use pcap::Pcap;
use pcapng::Pcapng;
use standing::Standing;

/// Where one frame lies in the reader's buffer, and what its record says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame {
    /// Nanoseconds since 1970, UTC.
    pub time_ns: i64,
    /// Number in its file, from 1, as Wireshark counts.
    pub number: u64,
    /// Byte offset of the record or block in the decompressed file.
    pub file_offset: u64,
    /// Position of the captured bytes in the reader's buffer.
    pub at: usize,
    /// Captured bytes.
    pub len: u32,
    /// Bytes on the wire; never less than `len`.
    pub wire_len: u32,
    /// Link type (LINKTYPE_ number), per interface in pcapng.
    pub link_type: u16,
    /// Interface in the order of the file's interface blocks over all sections; 0 for pcap.
    pub interface: u16,
    /// Process that it belongs to, a number of [`Info::processes`]; 0: not told.
    pub process: u32,
}

impl Frame {
    /// The captured bytes, in the memory where they lie; empty when they are not there.
    #[inline]
    pub fn bytes<'m>(&self, memory: &'m [u8]) -> &'m [u8] {
        self.at.checked_add(self.len as usize).and_then(|end| memory.get(self.at..end)).unwrap_or_default()
    }
}

/// A capture being read, front to back.
pub struct Capture {
    buffer: Buffer,
    format: Reader,
    info: Info,
    ended: bool,
    /// Of a regular file.
    standing: Option<Standing>,
    /// Its bytes are those of a file that is read from the first one on.
    plain: bool,
}

#[derive(Clone)]
enum Reader {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

/// What one slow step met.
enum Step {
    /// A record or block was dealt with; more may follow.
    Next,
    /// Nothing more can be read.
    End,
}

impl Capture {
    /// Opens a file. The error's sentence does not repeat the path.
    pub fn open(path: &Path) -> Result<Capture, OpenError> {
        let mut file = File::open(path).map_err(OpenError::Io)?;
        // Some systems open a name such as /dev/stdin where its owner stands.
        let from_begin = file.stream_position().is_ok_and(|position| position == 0);
        let mut capture = Capture::from_file(file)?;
        capture.plain = from_begin && capture.standing.is_some() && capture.info.compression == Compression::None;
        if capture.standing.is_some() {
            capture.buffer.note_file();
        }
        Ok(capture)
    }

    /// Reads a file, pipe or device that is open.
    pub fn from_file(file: File) -> Result<Capture, OpenError> {
        let standing = Standing::of(&file);
        Ok(Capture { standing, ..Capture::from_reader(Box::new(file))? })
    }

    /// Reads from any stream, for example standard input; blocks until its first bytes arrive.
    pub fn from_reader(source: Box<dyn Read + Send>) -> Result<Capture, OpenError> {
        let (buffer, compression, format) = source::sniff(source)?;
        let info = Info::new(format, compression);
        let format = match format {
            Format::Pcap => Reader::Pcap(Pcap::default()),
            Format::Pcapng => Reader::Pcapng(Pcapng::default()),
        };
        Ok(Capture { buffer, format, info, ended: false, standing: None, plain: false })
    }

    /// Decompresses in a thread of its own from now on, if the capture is compressed.
    pub fn read_ahead(&mut self) {
        if self.info.compression != Compression::None {
            self.buffer.exchange_source(ahead);
        }
    }

    /// Clears `frames` and fills it with up to `max` (at least 1) next frames that all lie in the
    /// buffer at once. `false`: end of the capture, and `frames` is empty. `true` without frames: a live source, whose
    /// reads fail with `TimedOut`, has none yet.
    pub fn next_frames(&mut self, frames: &mut Vec<Frame>, max: usize) -> bool {
        frames.clear();
        let max = max.max(1);
        while !self.ended && frames.len() < max {
            // Frames already handed out pin the buffer: a step that needs more bytes pauses instead.
            self.buffer.pin(!frames.is_empty());
            let step = match &mut self.format {
                Reader::Pcap(pcap) => pcap.step(&mut self.buffer, &mut self.info, frames, max),
                Reader::Pcapng(pcapng) => pcapng.step(&mut self.buffer, &mut self.info, frames, max),
            };
            match step {
                Ok(Step::Next) => {}
                Ok(Step::End) => self.end(),
                Err(Paused) => return true,
            }
        }
        !frames.is_empty()
    }

    /// Bytes of the file when it was opened; none of what cannot be read out of turn.
    pub(crate) fn plain_size(&self) -> Option<u64> {
        let plain = self.plain && cfg!(unix);
        self.standing.as_ref().filter(|_| plain).map(Standing::size)
    }

    /// What it takes to read parts of the file out of turn, from behind the last batch on; none where that is not known
    /// yet, and where packets mean something only in turn.
    pub fn parts(&self) -> Option<Parts> {
        let walks = match &self.format {
            Reader::Pcap(pcap) => pcap.walks(),
            Reader::Pcapng(_) => true,
        };
        let ready = walks && self.info.packets > 0 && !self.ended && !self.info.names_processes;
        let standing = self.standing.as_ref().filter(|_| self.plain && ready)?;
        Some(Parts { file: standing.file()?, reader: self.format.clone(), offset: self.buffer.offset() })
    }

    /// Takes a part, its frames as a batch of its own; false where it does not begin where the last batch has ended.
    pub fn take(&mut self, part: &mut Part) -> bool {
        let (Some(standing), Some(last)) = (&mut self.standing, part.frames.last()) else { return false };
        if part.begin != self.buffer.offset() || self.buffer.has_failed() || !standing.go_to(part.end) {
            return false;
        }
        match &mut self.format {
            Reader::Pcap(pcap) => pcap.note(last),
            Reader::Pcapng(pcapng) => pcapng.note(last),
        }
        part.frames.iter_mut().for_each(|frame| frame.number += self.info.number);
        self.info.number += part.frames.len() as u64;
        self.info.tally(&part.frames);
        self.buffer.move_to(part.end);
        true
    }

    /// The captured bytes of a frame of the last batch; valid until the next [`Capture::next_frames`].
    #[inline]
    pub fn bytes(&self, frame: &Frame) -> &[u8] {
        frame.bytes(self.buffer.memory())
    }

    /// Where the frames of the last batch lie; valid until the next [`Capture::next_frames`].
    #[inline]
    pub fn memory(&self) -> &[u8] {
        self.buffer.memory()
    }

    /// Gives away the memory of the last batch's frames, and goes on in `spare`.
    pub fn hand_over(&mut self, spare: Vec<u8>) -> Vec<u8> {
        self.buffer.hand_over(spare)
    }

    /// What is known so far; complete once `next_frames` returned `false`.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// How the file begins; none of what is no regular file.
    pub(crate) fn begin(&self) -> Option<Begin> {
        self.standing.as_ref().map(Standing::begin)
    }

    /// Tells where the file is not that which began so, when somebody looked at it before.
    pub(crate) fn compare(&mut self, before: Begin) {
        if self.standing.as_ref().is_some_and(|standing| !standing.began_as(before)) {
            self.info.problems.note("rewritten", true, 0, 0, || {
                "the file that was there before was expected, another was there under its name; what that one held is \
                 not in here"
                    .to_string()
            });
        }
    }

    fn end(&mut self) {
        self.ended = true;
        if let Some(failure) = self.buffer.take_failure() {
            source::note_failure(&failure, &mut self.info, self.buffer.end_offset());
        }
        self.info.note_drops(self.buffer.end_offset());
        if let Some(change) = self.standing.as_mut().and_then(Standing::change) {
            self.info.note_change(&change, self.buffer.end_offset());
        }
        self.info.complete = !self.info.problems.as_slice().iter().any(|problem| problem.hides_traffic);
    }
}
