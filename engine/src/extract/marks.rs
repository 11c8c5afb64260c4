//! Which frames of a capture are copied: the first pass.

use super::Order;
use super::edit::Editor;
use super::fragments::Fragments;
use super::wanted::Wanted;
use crate::capture::Frame;
use crate::wire::{Decoder, Packet};

/// Frames of one capture by number.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    frames: Vec<u64>,
    /// Number and time of the capture's first frame.
    first: Option<(u64, i64)>,
    /// The same of the frame with the latest time.
    last: Option<(u64, i64)>,
    next: usize,
}

impl Marks {
    /// Ends the first pass: adds the frames that are wanted by number, and sorts.
    pub fn close(&mut self, order: &Order, path: &str) {
        self.frames.extend(order.frames.keys().filter(|(of, _)| of == path).map(|(_, frame)| *frame));
        self.frames.sort_unstable();
        self.frames.dedup();
    }

    /// When the capture began, where the frames that are copied do not show it.
    pub fn hidden_start(&self) -> Option<i64> {
        let (number, time_ns) = self.first?;
        (self.frames.first()? != &number).then_some(time_ns)
    }

    /// When the capture ended, where the frames that are copied do not show it.
    pub fn hidden_end(&self) -> Option<i64> {
        let (number, time_ns) = self.last?;
        self.frames.binary_search(&number).is_err().then_some(time_ns)
    }

    /// Whether nothing is left to copy.
    pub fn is_empty(&self) -> bool {
        self.next >= self.frames.len()
    }

    /// Whether the frame is to be copied. Asked in order of numbers.
    pub fn take(&mut self, number: u64) -> bool {
        while self.frames.get(self.next).is_some_and(|&frame| frame < number) {
            self.next += 1;
        }
        let found = self.frames.get(self.next) == Some(&number);
        self.next += usize::from(found);
        found
    }
}

/// Finds the frames of wanted flows in one capture.
#[derive(Default)]
pub struct Marker {
    decoder: Decoder,
    packets: Vec<Packet>,
    fragments: Fragments,
}

impl Marker {
    /// Marks the frame if it belongs to a wanted flow, and the fragments before it that do so with it.
    pub fn look(&mut self, frame: &Frame, bytes: &[u8], wanted: &mut Wanted, marks: &mut Marks) {
        marks.first.get_or_insert((frame.number, frame.time_ns));
        if marks.last.is_none_or(|(_, time_ns)| time_ns <= frame.time_ns) {
            marks.last = Some((frame.number, frame.time_ns));
        }
        self.packets.clear();
        self.decoder.decode(bytes, frame.link_type, frame.wire_len, frame.time_ns, &mut self.packets);
        let mut taken = false;
        for packet in &self.packets {
            taken |= wanted.take(packet);
        }
        if taken {
            marks.frames.push(frame.number);
        }
        let rebuilt = self.packets.iter().any(|packet| packet.reassembled);
        if rebuilt || self.packets.is_empty() {
            let Some(datagram) = Editor::headers_only().fragment_of(bytes, frame.link_type) else { return };
            if rebuilt {
                let before = self.fragments.release(datagram);
                if taken {
                    marks.frames.extend(before);
                }
            } else {
                self.fragments.hold(frame.number, datagram);
            }
        }
    }
}
