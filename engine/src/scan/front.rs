//! Captures to sifted frames: all that runs before the flow table, in its own thread where there is one to spare.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use super::sifter::{FRAMES, Sifted, Sifter};
use super::turns::Turns;
use super::{CaptureReport, Input, ProcessNames, Progress, Reader};
use crate::beside;
use crate::capture::{Capture, Frame, OpenError};
use crate::flow::mix;

/// Parcels on their way between the threads (`PARCELS_UNDER_WAY`): each holds what was in one buffer of the file.
const PARCELS_UNDER_WAY: usize = 3;

/// Frames of one parcel where it has memory of its own: more than fit into a buffer of usual size.
const PARCEL_FRAMES: usize = 1 << 15;

/// What one step of the front came to.
#[derive(Default)]
pub(crate) struct Parcel {
    pub frames: Vec<Frame>,
    pub sifted: Sifted,
    /// Where the frames lie, if they were carried away from the reader.
    pub memory: Vec<u8>,
    /// They were.
    pub carried: bool,
    /// Index of the capture.
    pub index: u32,
    pub names_processes: bool,
    /// The capture begins.
    pub begins: bool,
    /// The name of the set, with its first frame.
    pub capture_set: Option<u64>,
    /// The capture has ended, or could not be opened.
    pub report: Option<CaptureReport>,
}

/// Reads captures, one after the other.
pub(crate) struct Front {
    inputs: VecDeque<Input>,
    readers: HashMap<String, Reader>,
    current: Option<(Capture, CaptureReport)>,
    /// Threads that read the current capture with this one.
    turns: Option<Turns>,
    /// How many there may be.
    helpers: usize,
    pub sifter: Sifter,
    pub process_names: ProcessNames,
    progress: Arc<Progress>,
    /// Captures so far.
    captures: u32,
    read_before: u64,
    begins: bool,
    identified: bool,
}

impl Front {
    /// `inputs` in the order in which they are read, with so many threads that help where that pays.
    pub fn new(
        inputs: VecDeque<Input>,
        readers: HashMap<String, Reader>,
        sifter: Sifter,
        progress: Arc<Progress>,
        helpers: usize,
    ) -> Front {
        Front {
            inputs,
            readers,
            current: None,
            turns: None,
            helpers,
            sifter,
            process_names: ProcessNames::default(),
            progress,
            captures: 0,
            read_before: 0,
            begins: false,
            identified: false,
        }
    }

    /// Where the frames of the last parcel lie, unless they were carried away.
    pub fn memory(&self) -> &[u8] {
        self.current.as_ref().map_or(&[], |(capture, _)| capture.memory())
    }

    /// Reads on; false when nothing is left. `carry`: the parcel takes its memory with it.
    pub fn next(&mut self, parcel: &mut Parcel, carry: bool) -> bool {
        parcel.frames.clear();
        parcel.sifted.clear();
        (parcel.begins, parcel.capture_set, parcel.report, parcel.carried) = (false, None, None, false);
        if self.progress.cancelled.load(Ordering::Relaxed) {
            return self.leave(parcel);
        }
        if self.current.is_none() && !self.open_next(parcel, carry) {
            return parcel.report.is_some();
        }
        let Some((capture, report)) = &mut self.current else { return false };

        parcel.index = self.captures - 1;
        if let Some(turns) = &mut self.turns
            && self.identified
            && turns.next(capture, &mut self.sifter, report, parcel)
        {
            parcel.carried = true;
            parcel.begins = std::mem::take(&mut self.begins);
            self.note_progress(parcel);
            return true;
        }
        if !capture.next_frames(&mut parcel.frames, if carry { PARCEL_FRAMES } else { FRAMES }) {
            self.read_before += report.size;
            self.progress.read.store(self.read_before, Ordering::Relaxed);
            return self.leave(parcel);
        }
        if parcel.frames.is_empty() {
            return true;
        }
        parcel.names_processes = capture.info().names_processes;
        if parcel.names_processes {
            self.process_names.resolve(capture, &mut parcel.frames);
            if self.process_names.is_full() {
                report.note_too_many_processes(&parcel.frames[0]);
            }
        }
        if !self.identified {
            self.identified = true;
            let first = &parcel.frames[0];
            parcel.capture_set = Some(capture_set(first, capture.bytes(first)));
        }
        parcel.begins = std::mem::take(&mut self.begins);
        self.sifter.sift(&parcel.frames, capture.memory(), report, &mut parcel.sifted);
        if carry {
            parcel.memory = capture.hand_over(std::mem::take(&mut parcel.memory));
            parcel.carried = true;
        }
        self.note_progress(parcel);
        true
    }

    /// Tells how far it is.
    fn note_progress(&mut self, parcel: &Parcel) {
        let (Some((_, report)), Some(last)) = (&mut self.current, parcel.frames.last()) else { return };
        report.size = last.file_offset;
        self.progress.read.store(self.read_before + last.file_offset, Ordering::Relaxed);
    }

    /// Opens the next capture. False where that failed, which the parcel tells, and where none is left.
    fn open_next(&mut self, parcel: &mut Parcel, ahead: bool) -> bool {
        let Some(Input { path, begin }) = self.inputs.pop_front() else { return false };
        self.captures += 1;
        match self.readers.remove(&path).map_or_else(|| open(&path), Capture::from_reader) {
            Ok(mut capture) => {
                if let Some(begin) = begin {
                    capture.compare(begin);
                }
                if ahead || self.helpers > 0 {
                    capture.read_ahead();
                }
                self.process_names.begin();
                self.turns = capture.plain_size().and_then(|size| Turns::start(self.helpers, size, &self.sifter));
                self.begins = true;
                self.current = Some((capture, CaptureReport::new(path)));
                true
            }
            Err(error) => {
                parcel.report = Some(CaptureReport::failed(path, error.to_string()));
                false
            }
        }
    }

    /// Leaves the capture, at its end or where the scan is cancelled; false if there is none.
    fn leave(&mut self, parcel: &mut Parcel) -> bool {
        let Some((capture, mut report)) = self.current.take() else { return false };
        self.turns = None;
        self.sifter.close(&mut report, capture.info());
        parcel.index = self.captures - 1;
        parcel.report = Some(report);
        true
    }
}

/// A front in a thread of its own.
pub(crate) struct Beside {
    parcels: Receiver<Parcel>,
    spares: Sender<Parcel>,
    thread: JoinHandle<Option<Box<Front>>>,
}

impl Beside {
    /// Begins to read; gives the front back where there is no thread to be had.
    pub fn start(front: Box<Front>) -> Result<Beside, Box<Front>> {
        let (sender, parcels) = sync_channel(PARCELS_UNDER_WAY);
        let (spares, spared) = channel();
        let thread = beside::start("reading", front, move |front| read_on(front, &sender, &spared))?;
        Ok(Beside { parcels, spares, thread })
    }

    /// The next parcel; none at the end.
    pub fn next(&self) -> Option<Parcel> {
        self.parcels.recv().ok()
    }

    /// Gives a parcel back, for its room.
    pub fn give_back(&self, parcel: Parcel) {
        // A front that has ended needs none.
        let _ = self.spares.send(parcel);
    }

    /// The front, with all that it knows, after the last parcel.
    pub fn end(self) -> Option<Box<Front>> {
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Reads to the end, or until nobody wants parcels any more.
fn read_on(mut front: Box<Front>, parcels: &SyncSender<Parcel>, spares: &Receiver<Parcel>) -> Box<Front> {
    loop {
        // Without a spare one there is fresh memory; `send` below tells whether anybody waits.
        let mut parcel = spares.try_recv().unwrap_or_default();
        if !front.next(&mut parcel, true) || parcels.send(parcel).is_err() {
            return front;
        }
    }
}

pub(crate) fn open(path: &str) -> Result<Capture, OpenError> {
    if path == "-" { standard_input() } else { Capture::open(Path::new(path)) }
}

/// Standard input under a descriptor of our own: where it is a file, that is known.
#[cfg(unix)]
fn standard_input() -> Result<Capture, OpenError> {
    use std::os::fd::AsFd;

    let owned = std::io::stdin().as_fd().try_clone_to_owned().map_err(OpenError::Io)?;
    Capture::from_file(owned.into())
}

#[cfg(not(unix))]
fn standard_input() -> Result<Capture, OpenError> {
    Capture::from_reader(Box::new(std::io::stdin()))
}

/// Names a set of captures by its first frame, so that a renamed, compressed or piped capture has the same flow identities.
pub(crate) fn capture_set(first: &Frame, bytes: &[u8]) -> u64 {
    let mut name = mix(first.time_ns as u64, u64::from(first.wire_len));
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        name = mix(name, u64::from_le_bytes(word));
    }
    name
}
