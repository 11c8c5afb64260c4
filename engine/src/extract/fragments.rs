//! Fragments that wait for the one that makes their datagram whole.

use std::collections::VecDeque;

use crate::wire::Address;

/// Fragments that are remembered at once; of more, the oldest are forgotten.
pub const FRAGMENTS_HELD: usize = 16_384;

/// What fragments of one datagram have in common: source, destination and identification.
pub type Datagram = (Address, Address, u32);

/// Frames with fragments, oldest first.
#[derive(Debug, Default)]
pub struct Fragments {
    held: VecDeque<(u64, Datagram)>,
}

impl Fragments {
    /// Remembers a frame with a fragment.
    pub fn hold(&mut self, frame: u64, datagram: Datagram) {
        if self.held.len() == FRAGMENTS_HELD {
            self.held.pop_front();
        }
        self.held.push_back((frame, datagram));
    }

    /// The frames with fragments of that datagram, which are forgotten.
    pub fn release(&mut self, datagram: Datagram) -> Vec<u64> {
        let frames = self.held.iter().filter(|(_, held)| *held == datagram).map(|(frame, _)| *frame).collect();
        self.held.retain(|(_, held)| *held != datagram);
        frames
    }
}
