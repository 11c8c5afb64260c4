//! Whose frames are: the names that each capture numbers by itself, numbered over all captures.

use crate::capture::{Capture, Frame, Processes};
use crate::wire::{is_packet_tap, packet_tap_process};

/// Names over all captures, and what the current capture's numbers are in them.
#[derive(Debug, Default)]
pub struct ProcessNames {
    names: Processes,
    /// By the capture's number.
    known: Vec<u32>,
}

impl ProcessNames {
    /// All names so far, number 1 first.
    pub fn names(&self) -> &[String] {
        self.names.names()
    }

    /// Whether further names are not kept.
    pub fn is_full(&self) -> bool {
        self.names.is_full()
    }

    /// Forgets the numbers of the capture before.
    pub fn begin(&mut self) {
        self.known.clear();
    }

    /// Replaces the capture's numbers in `frames`, and takes names from headers of the frames' own.
    #[cold]
    pub fn resolve(&mut self, capture: &Capture, frames: &mut [Frame]) {
        for frame in frames {
            if frame.process != 0 {
                frame.process = self.number(capture.info().processes.names(), frame.process);
            } else if is_packet_tap(frame.link_type) {
                let name = packet_tap_process(capture.bytes(frame));
                frame.process = self.names.code(&String::from_utf8_lossy(name));
            }
        }
    }

    fn number(&mut self, theirs: &[String], code: u32) -> u32 {
        while self.known.len() < theirs.len() {
            let code = self.names.code(&theirs[self.known.len()]);
            self.known.push(code);
        }
        (code as usize).checked_sub(1).and_then(|place| self.known.get(place)).copied().unwrap_or(0)
    }
}
