//! Parts of a file that are read out of turn, by several threads at once.
//!
//! Where a part begins is guessed: a row of sound records has to stand there. Whoever reads the file in turn takes a part
//! only where the one before it has ended just there, so a wrong guess costs time and nothing else; and only sound records
//! are walked, all else is left to who reads in turn.

use std::fs::File;
use std::io::{self, ErrorKind};

use super::buffer::Window;
use super::{COMMON_SNAPLEN, Frame, Reader};

/// Bytes read behind a part at first: what lies over its end mostly ends within these.
const BEHIND: usize = 4096;

/// Bytes of a record or block above which it is read in turn: every part may have one.
const LONGEST: usize = COMMON_SNAPLEN as usize + 64;

/// A file, and what has to be known to read in the midst of it.
pub struct Parts {
    pub(super) file: File,
    pub(super) reader: Reader,
    /// Where the next record begins.
    pub(super) offset: u64,
}

/// What was read.
#[derive(Default)]
pub struct Part {
    /// Where the frames lie.
    pub memory: Vec<u8>,
    /// Whole records one behind the other, numbered from 1.
    pub frames: Vec<Frame>,
    /// Where the first begins in the file.
    pub begin: u64,
    /// Where the last ends.
    pub end: u64,
}

impl Parts {
    /// Where the next record begins that nobody has read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the records that begin in these bytes of the file; `known`: one begins with the first. A part without frames
    /// may be read in turn.
    pub fn read(&self, from: u64, to: u64, known: bool, part: &mut Part) -> io::Result<()> {
        part.frames.clear();
        (part.begin, part.end) = (from, from);
        let most = (to - from) as usize;
        let mut there = self.fill(from, 0, most + BEHIND, &mut part.memory)?;
        let begins = |at: &usize| self.reader.begins(&part.memory[*at..there]);
        let found = if known { Some(0) } else { (0..most.min(there)).find(begins) };
        let Some(begin) = found else { return Ok(()) };

        let mut at = begin;
        loop {
            let window = Window { bytes: &part.memory[at..there], position: at, offset: from + at as u64 };
            at += self.reader.walk(window, part.frames.len() as u64, &mut part.frames, usize::MAX);
            if at >= most {
                break;
            }
            // The next one lies over the end of what was read, is not sound or no usual one, or the file ends.
            let length = self.reader.length(&part.memory[at..there]).filter(|length| *length <= LONGEST);
            let need = length.map_or(0, |length| at + length);
            if need <= there {
                break;
            }
            let before = there;
            there = self.fill(from, there, need, &mut part.memory)?;
            if there < need || there == before {
                break;
            }
        }
        while let Some(last) = part.frames.pop_if(|last| last.file_offset >= to) {
            at = (last.file_offset - from) as usize;
        }
        (part.begin, part.end) = (from + begin as u64, from + at as u64);
        Ok(())
    }

    /// Reads on from `there` bytes behind `from` to `need` of them, or to the end of the file; how many there are now.
    fn fill(&self, from: u64, mut there: usize, need: usize, memory: &mut Vec<u8>) -> io::Result<usize> {
        if memory.len() < need {
            memory.resize(need, 0);
        }
        while there < need {
            match read_at(&self.file, &mut memory[there..need], from + there as u64) {
                Ok(0) => break,
                Ok(count) => there += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(there)
    }
}

impl Reader {
    fn begins(&self, bytes: &[u8]) -> bool {
        match self {
            Reader::Pcap(pcap) => pcap.begins(bytes),
            Reader::Pcapng(pcapng) => pcapng.begins(bytes),
        }
    }

    fn length(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Reader::Pcap(pcap) => pcap.length(bytes),
            Reader::Pcapng(pcapng) => pcapng.length(bytes),
        }
    }

    fn walk(&self, window: Window<'_>, number: u64, frames: &mut Vec<Frame>, max: usize) -> usize {
        match self {
            Reader::Pcap(pcap) => pcap.walk(window, number, frames, max),
            Reader::Pcapng(pcapng) => pcapng.walk(window, number, frames, max),
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, offset)
}

/// Elsewhere that would move the position of who reads in turn: nothing is read out of turn.
#[cfg(not(unix))]
fn read_at(_: &File, _: &mut [u8], _: u64) -> io::Result<usize> {
    Ok(0)
}
