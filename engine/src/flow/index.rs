//! Where in the slab a flow lies: an open-addressing index of 8-byte entries.
//!
//! An entry is the upper half of the key's hash and the slot number. The position comes from that same half, so
//! entries can be moved without looking at the flows.

use crate::memory;

/// Slots by hash.
#[derive(Debug)]
pub struct Index {
    entries: Vec<u64>,
    mask: usize,
    len: usize,
}

const EMPTY: u64 = 0;

impl Index {
    /// An empty index.
    pub fn new() -> Index {
        Index::with_capacity(1 << 12)
    }

    fn with_capacity(capacity: usize) -> Index {
        let entries = vec![EMPTY; capacity];
        memory::prefer_large_pages(&entries);
        Index { entries, mask: capacity - 1, len: 0 }
    }

    fn position(&self, entry: u64) -> usize {
        (entry >> 32) as usize & self.mask
    }

    fn entry(hash: u64, slot: u32) -> u64 {
        hash & 0xFFFF_FFFF_0000_0000 | u64::from(slot + 1)
    }

    /// The slot of that hash for which `is_it` says yes.
    #[inline]
    pub fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = self.position(hash);
        loop {
            let entry = self.entries[at];
            if entry == EMPTY {
                return None;
            }
            if (entry ^ hash) >> 32 == 0 && is_it(entry as u32 - 1) {
                return Some(entry as u32 - 1);
            }
            at = (at + 1) & self.mask;
        }
    }

    /// A hint for `find`: the first slot whose upper hash half fits, unchecked.
    #[inline]
    pub fn candidate(&self, hash: u64) -> Option<u32> {
        let mut at = self.position(hash);
        loop {
            let entry = self.entries[at];
            if entry == EMPTY {
                return None;
            }
            if (entry ^ hash) >> 32 == 0 {
                return Some(entry as u32 - 1);
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Brings the entry that `find` looks at first into the cache.
    #[inline]
    pub fn touch(&self, hash: u64) {
        memory::fetch(&self.entries[self.position(hash)]);
    }

    /// Adds a slot. It must not be in the index.
    pub fn insert(&mut self, hash: u64, slot: u32) {
        if (self.len + 1) * 2 > self.entries.len() {
            let mut larger = Index::with_capacity(self.entries.len() * 2);
            for &entry in self.entries.iter().filter(|&&entry| entry != EMPTY) {
                larger.place(entry);
            }
            *self = larger;
        }
        self.place(Index::entry(hash, slot));
    }

    fn place(&mut self, entry: u64) {
        let mut at = self.position(entry);
        while self.entries[at] != EMPTY {
            at = (at + 1) & self.mask;
        }
        self.entries[at] = entry;
        self.len += 1;
    }

    /// Takes a slot out; what follows it is moved up so that probing needs no tombstones.
    pub fn remove(&mut self, hash: u64, slot: u32) {
        let wanted = Index::entry(hash, slot);
        let mut hole = self.position(hash);
        while self.entries[hole] != wanted {
            if self.entries[hole] == EMPTY {
                return;
            }
            hole = (hole + 1) & self.mask;
        }
        self.len -= 1;
        let mut at = hole;
        loop {
            at = (at + 1) & self.mask;
            let entry = self.entries[at];
            if entry == EMPTY {
                break;
            }
            let home = self.position(entry);
            // The entry may fill the hole unless its home lies after the hole on the way to it.
            if at.wrapping_sub(home) & self.mask >= at.wrapping_sub(hole) & self.mask {
                self.entries[hole] = entry;
                hole = at;
            }
        }
        self.entries[hole] = EMPTY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn any_sequence_of_inserts_and_removals_is_what_a_map_says() {
        let mut index = Index::new();
        let mut model: HashMap<u32, u64> = HashMap::new();
        let mut random = 1_u64;
        for step in 0..200_000_u32 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let slot = (random >> 40) as u32 % 5000;
            // Few distinct upper halves, so that runs are long and collide.
            let hash = model.get(&slot).copied().unwrap_or((random >> 20 & 0x3FF) << 32 | u64::from(step));
            if model.remove(&slot).is_some() {
                index.remove(hash, slot);
                assert_eq!(index.find(hash, |found| found == slot), None);
            } else {
                index.insert(hash, slot);
                model.insert(slot, hash);
            }
        }
        for (&slot, &hash) in &model {
            assert_eq!(index.find(hash, |found| found == slot), Some(slot));
        }
        assert_eq!(index.len, model.len());
    }
}
