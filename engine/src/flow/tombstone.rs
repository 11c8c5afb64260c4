//! What is remembered of ended flows, so that a piece that goes on after silence keeps identity and direction.
//!
//! A direct-mapped cache: an ended flow may displace another one's memory. That costs continuity of one identity,
//! never a packet.

use super::record::{Basis, Flow};
use crate::memory;

/// Ended flows that are remembered (`FLOW_MEMORY`); a power of two.
pub const FLOW_MEMORY: usize = 1 << 16;

/// What the next piece inherits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tombstone {
    tag: u64,
    /// Identity of the whole flow.
    pub flow_id: u64,
    /// Number of the piece that ended.
    pub piece: u32,
    /// Sequence number of the initiator's SYN.
    pub syn_sequence: u32,
    /// Side of the initiator.
    pub initiator: u8,
    /// How that was told.
    pub basis: Basis,
    /// The SYN was never answered: the same SYN again belongs to the same attempt.
    pub unanswered: bool,
}

impl Tombstone {
    /// What is to be remembered of a flow that ended.
    pub fn of(flow: &Flow) -> Tombstone {
        Tombstone {
            tag: 0,
            flow_id: flow.flow_id,
            piece: flow.piece,
            syn_sequence: flow.syn_sequence,
            initiator: flow.initiator,
            basis: flow.basis,
            unanswered: flow.syn_frame != 0 && flow.reverse().packets == 0,
        }
    }
}

/// Tombstones by a hash of the key that does not vary from run to run.
#[derive(Debug)]
pub struct Memory {
    entries: Vec<Tombstone>,
    /// Their number, a power of two, less one.
    mask: usize,
}

impl Memory {
    /// Remembers nothing yet, and later no more than so many.
    pub fn new(most: usize) -> Memory {
        Memory { entries: Vec::new(), mask: (1 << most.max(1).ilog2()) - 1 }
    }

    /// Remembers a flow's end.
    pub fn put(&mut self, hash: u64, tombstone: Tombstone) {
        if self.entries.is_empty() {
            self.entries = Vec::with_capacity(self.mask + 1);
            memory::prefer_large_pages(&self.entries);
            self.entries.resize(self.mask + 1, Tombstone::default());
        }
        self.entries[hash as usize & self.mask] = Tombstone { tag: hash | 1, ..tombstone };
    }

    /// Brings the entry that `put` and `take` look at into the cache.
    #[inline]
    pub fn touch(&self, hash: u64) {
        if let Some(entry) = self.entries.get(hash as usize & self.mask) {
            memory::fetch(&entry.tag);
        }
    }

    /// Takes what is known of an earlier piece.
    pub fn take(&mut self, hash: u64) -> Option<Tombstone> {
        let entry = self.entries.get_mut(hash as usize & self.mask)?;
        (entry.tag == hash | 1).then(|| std::mem::take(entry))
    }
}
