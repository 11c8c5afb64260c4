//! Who tries many ports of whom.
//!
//! One client that tries twenty ports of one host looks for services; that it meets a vendor's port on the way says
//! nothing about the vendor. Nearly all pairs of hosts know each other by one or two ports, so that their memory is kept
//! small: a word for the pair and four ports. Only pairs with more get a list.

use std::collections::HashMap;

use crate::flow::mix;
use crate::memory;
use crate::wire::Address;

/// Different responder ports from which a pair counts as a scan (`PORT_SCAN_PORTS`).
pub const PORT_SCAN_PORTS: usize = 20;

/// Pairs that are watched (`PORT_SCAN_PAIRS`); of later ones no scan is told.
pub const PORT_SCAN_PAIRS: usize = 262_144;

const FEW: usize = 4;

/// Ports that an initiator tried of a responder, by pair.
#[derive(Debug)]
pub struct PortScans {
    /// Pairs at most.
    most: usize,
    slots: Vec<Few>,
    len: usize,
    many: HashMap<(u128, u128), Vec<u16>>,
    noted: Vec<Attempt>,
}

/// A SYN that was noted and not yet taken.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    name: u64,
    pair: (u128, u128),
    port: u16,
}

/// A pair's name, 0 in a free slot, and its first ports; 0 is no port.
#[derive(Clone, Copy, Debug, Default)]
struct Few {
    name: u64,
    ports: [u16; FEW],
}

impl PortScans {
    /// Watches no more than so many pairs.
    pub fn new(most: usize) -> PortScans {
        PortScans { most, slots: Vec::new(), len: 0, many: HashMap::new(), noted: Vec::new() }
    }

    /// Notes a SYN to that port; [`PortScans::settle`] takes it.
    #[inline]
    pub fn note(&mut self, source: Address, destination: Address, port: u16) {
        let half = |number: u128| mix(number as u64, (number >> 64) as u64);
        let name = mix(half(source.0), half(destination.0).rotate_left(32)).max(1);
        self.noted.push(Attempt { name, pair: (source.0, destination.0), port });
    }

    /// Takes what was noted. The slot of nearly every pair is a cache miss: those of a group of packets overlap.
    pub fn settle(&mut self) {
        for few in self.noted.iter().filter_map(|attempt| self.slots.get(self.home(attempt.name))) {
            memory::fetch(&few.name);
        }
        let mut noted = std::mem::take(&mut self.noted);
        for attempt in noted.drain(..) {
            self.take(&attempt);
        }
        self.noted = noted;
    }

    fn take(&mut self, attempt: &Attempt) {
        let Attempt { name, pair, port } = *attempt;
        let Some(few) = self.few(name) else { return };
        if let Some(place) = few.ports.iter_mut().find(|known| **known == port || **known == 0) {
            *place = port;
            return;
        }
        let first = few.ports;
        let ports = self.many.entry(pair).or_insert_with(|| first.to_vec());
        if ports.len() < PORT_SCAN_PORTS && !ports.contains(&port) {
            ports.push(port);
        }
    }

    /// The slot of the pair of that name; none when all are taken.
    #[inline]
    fn few(&mut self, name: u64) -> Option<&mut Few> {
        if (self.len + 1) * 2 > self.slots.len() && self.len < self.most {
            self.grow();
        }
        let at = self.place(name);
        if self.slots[at].name == 0 {
            if self.len >= self.most {
                return None;
            }
            self.len += 1;
            self.slots[at].name = name;
        }
        Some(&mut self.slots[at])
    }

    /// Where the search for a name begins.
    #[inline]
    fn home(&self, name: u64) -> usize {
        (name >> 32) as usize & self.slots.len().wrapping_sub(1)
    }

    fn place(&self, name: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = self.home(name);
        while self.slots[at].name != name && self.slots[at].name != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![Few::default(); (self.slots.len() * 2).max(1 << 10)];
        for few in std::mem::replace(&mut self.slots, larger) {
            if few.name != 0 {
                let at = self.place(few.name);
                self.slots[at] = few;
            }
        }
    }

    /// Whether further pairs would not be watched.
    pub fn is_full(&self) -> bool {
        self.len >= self.most
    }

    /// Forgets all pairs; how many there were.
    #[cfg(unix)]
    pub fn forget(&mut self) -> usize {
        std::mem::replace(self, PortScans::new(self.most)).len
    }

    /// The pairs that are scans, in order.
    pub fn pairs(&self) -> Vec<(u128, u128)> {
        let scans = self.many.iter().filter(|(_, ports)| ports.len() == PORT_SCAN_PORTS);
        let mut pairs: Vec<_> = scans.map(|(pair, _)| *pair).collect();
        pairs.sort_unstable();
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(scans: &mut PortScans, client: u128, port: u16) {
        scans.note(Address(client), Address(2), port);
        scans.settle();
    }

    #[test]
    fn twenty_ports_are_a_scan_and_nineteen_are_not() {
        let mut scans = PortScans::new(PORT_SCAN_PAIRS);
        for _ in 0..3 {
            for port in 1..=19 {
                note(&mut scans, 1, port);
            }
        }
        assert!(scans.pairs().is_empty());
        note(&mut scans, 1, 20);
        note(&mut scans, 1, 21);
        assert_eq!(scans.pairs(), [(1, 2)]);
    }

    #[test]
    fn pairs_beyond_the_limit_are_not_watched_and_the_others_still_are() {
        let mut scans = PortScans::new(PORT_SCAN_PAIRS);
        for client in 1..=PORT_SCAN_PAIRS as u128 + 1000 {
            note(&mut scans, client, 80);
        }
        assert_eq!(scans.len, PORT_SCAN_PAIRS);
        for port in 1..=30 {
            note(&mut scans, 7, port);
            note(&mut scans, PORT_SCAN_PAIRS as u128 + 500, port);
        }
        assert_eq!(scans.pairs(), [(7, 2)]);
    }
}
