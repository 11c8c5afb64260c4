//! Frames of chosen flows, copied into a new pcapng.
//!
//! Two passes over the captures: the first finds the frames, as the decoder and the flow keys tell them, fragments of a
//! datagram included; the second copies them in their order, bytes, times and interfaces as they are. `edit` cuts them
//! to their headers or changes addresses where that is asked for, and `pcapng` writes them.

mod anonymise;
mod checksum;
mod edit;
mod fragments;
mod marks;
mod pcapng;
#[cfg(test)]
mod tests;
mod wanted;

use std::collections::HashMap;
use std::io::{self, Write};

use crate::capture::{Capture, Frame};
use crate::scan::{in_order_of_time, open};

pub use anonymise::{Anonymiser, Kept};
pub use edit::Editor;
pub use fragments::FRAGMENTS_HELD;
use marks::Marks;
pub use wanted::{Wanted, Window};

/// Frames read between two looks at whoever waits.
const FRAMES: usize = 128;

/// Comments by capture (index in the order of reading) and frame.
pub type Comments = HashMap<(usize, u64), Vec<String>>;

/// What is to be copied, and how.
#[derive(Default)]
pub struct Order {
    /// Flows whose packets are copied.
    pub wanted: Wanted,
    /// Frames that are copied whatever they hold, with comments; by the path as given.
    pub frames: HashMap<(String, u64), Vec<String>>,
    /// A comment for a frame of our own that marks the time of each capture's first frame, where that is not copied: when the
    /// capture began matters to some checks. `None`: no such frame.
    pub anchor: Option<String>,
    /// The same for the end of each capture.
    pub end_anchor: Option<String>,
    /// Changes frames on their way; `None`: all bytes stay.
    pub editor: Option<Editor>,
    /// Names of interfaces and processes and paths of captures are left out.
    pub nameless: bool,
    /// Every frame has a comment that tells its number and its capture.
    pub numbered: bool,
    /// Written into the file's head.
    pub comment: String,
    /// Name and version of the program.
    pub program: String,
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Frames read in the second pass.
    pub read: u64,
    /// Frames written.
    pub frames: u64,
    /// Their captured bytes, as written.
    pub bytes: u64,
    /// Comments written.
    pub comments: u64,
    /// Frames of which nothing was kept, since no layer of theirs is known to the editor.
    pub blanked: u64,
}

/// A copy under way.
pub struct Extract<W: Write> {
    paths: Vec<String>,
    order: Order,
    marks: Vec<Marks>,
    state: State,
    frames: Vec<Frame>,
    out: pcapng::Writer<W>,
    copied: Copied,
}

enum State {
    /// Looking for frames in the capture with that index.
    Marking(usize, Option<Box<(Capture, marks::Marker)>>),
    /// Copying from it.
    Copying(usize, Option<Box<Capture>>),
    Done,
}

impl<W: Write> Extract<W> {
    /// Copies from `paths` to `out`. Captures that cannot be opened are passed over: whoever audited them said so.
    pub fn new(paths: Vec<String>, order: Order, out: W) -> io::Result<Extract<W>> {
        let out = pcapng::Writer::new(out, &order.program, &order.comment)?;
        let paths: Vec<String> = in_order_of_time(paths).into_iter().map(|input| input.path).collect();
        Ok(Extract {
            marks: vec![Marks::default(); paths.len()],
            paths,
            order,
            state: State::Marking(0, None),
            frames: Vec::with_capacity(FRAMES),
            out,
            copied: Copied::default(),
        })
    }

    /// What was copied so far.
    pub fn copied(&self) -> Copied {
        self.copied
    }

    /// Reads on for about `frames` frames; false when all is written.
    pub fn step(&mut self, frames: u64) -> io::Result<bool> {
        let mut left = frames;
        while left > 0 {
            let read = match std::mem::replace(&mut self.state, State::Done) {
                State::Marking(index, current) => self.mark(index, current),
                State::Copying(index, current) => self.copy(index, current)?,
                State::Done => {
                    self.out.flush()?;
                    return Ok(false);
                }
            };
            left = left.saturating_sub(read.max(1));
        }
        Ok(true)
    }

    fn mark(&mut self, index: usize, current: Option<Box<(Capture, marks::Marker)>>) -> u64 {
        let Some(path) = self.paths.get(index) else {
            self.state = State::Copying(0, None);
            return 0;
        };
        let opened = current.or_else(|| Some(Box::new((open(path).ok()?, marks::Marker::default()))));
        let Some(mut current) = opened else {
            self.state = State::Marking(index + 1, None);
            return 0;
        };
        let (capture, marker) = &mut *current;
        if !capture.next_frames(&mut self.frames, FRAMES) {
            self.marks[index].close(&self.order, path);
            self.state = State::Marking(index + 1, None);
            return 0;
        }
        for frame in &self.frames {
            marker.look(frame, capture.bytes(frame), &mut self.order.wanted, &mut self.marks[index]);
        }
        self.state = State::Marking(index, Some(current));
        self.frames.len() as u64
    }

    fn copy(&mut self, index: usize, current: Option<Box<Capture>>) -> io::Result<u64> {
        let Some(path) = self.paths.get(index) else { return Ok(0) };
        let is_new = current.is_none();
        let Some(mut capture) = current.or_else(|| Some(Box::new(open(path).ok()?))) else {
            self.state = State::Copying(index + 1, None);
            return Ok(0);
        };
        if is_new
            && let Some(anchor) = &self.order.anchor
            && let Some(time_ns) = self.marks[index].hidden_start()
        {
            self.out.anchor(time_ns, anchor)?;
            self.copied.frames += 1;
        }
        if self.marks[index].is_empty() || !capture.next_frames(&mut self.frames, FRAMES) {
            if let Some(anchor) = &self.order.end_anchor
                && let Some(time_ns) = self.marks[index].hidden_end()
            {
                self.out.anchor(time_ns, anchor)?;
                self.copied.frames += 1;
            }
            self.state = State::Copying(index + 1, None);
            return Ok(0);
        }
        let frames = std::mem::take(&mut self.frames);
        for frame in &frames {
            if self.marks[index].take(frame.number) {
                self.write(index, &capture, frame)?;
            }
        }
        self.copied.read += frames.len() as u64;
        let read = frames.len() as u64;
        self.frames = frames;
        self.state = State::Copying(index, Some(capture));
        Ok(read)
    }

    fn write(&mut self, index: usize, capture: &Capture, frame: &Frame) -> io::Result<()> {
        let path = &self.paths[index];
        let place = (index, frame.interface);
        if !self.out.knows(place) {
            let interface = capture.info().interfaces.get(usize::from(frame.interface)).cloned().unwrap_or_default();
            let path = if self.order.nameless { "" } else { path.as_str() };
            self.out.interface(place, &interface, frame.link_type, path)?;
        }
        let mut comments = self.order.frames.remove(&(path.clone(), frame.number)).unwrap_or_default();
        if self.order.numbered {
            comments.insert(0, format!("frame {} of {path}", frame.number));
        }
        let bytes = capture.bytes(frame);
        let mut scratch;
        let kept = if let Some(editor) = &mut self.order.editor {
            scratch = bytes.to_vec();
            let kept = editor.edit(&mut scratch, frame.link_type);
            &scratch[..kept]
        } else {
            bytes
        };
        let process = match capture.info().processes.name(frame.process) {
            "" => None,
            _ if self.order.nameless => None,
            name => Some(self.out.process(name)?),
        };
        self.copied.blanked += u64::from(kept.is_empty() && !bytes.is_empty());
        self.copied.frames += 1;
        self.copied.bytes += kept.len() as u64;
        self.copied.comments += comments.len() as u64;
        self.out.packet(place, frame.time_ns, frame.wire_len, kept, process, &comments)
    }
}
