//! Who tries many ports of whom.
//!
//! One client that tries twenty ports of one host looks for services; that it meets a vendor's port on the way says
//! nothing about the vendor.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::flow::mix;
use crate::wire::Packet;

/// Different responder ports from which a pair counts as a scan (`PORT_SCAN_PORTS`).
pub const PORT_SCAN_PORTS: usize = 20;

/// Pairs that are watched (`PORT_SCAN_PAIRS`); of later ones no scan is told.
pub const PORT_SCAN_PAIRS: usize = 262_144;

/// Ports that an initiator tried of a responder, by pair.
#[derive(Debug, Default)]
pub struct PortScans(HashMap<(u128, u128), Tried, BuildHasherDefault<PairHasher>>);

#[derive(Debug, Default)]
struct Tried {
    ports: [u16; PORT_SCAN_PORTS],
    len: usize,
}

impl PortScans {
    /// Takes a SYN.
    pub fn note(&mut self, packet: &Packet) {
        let pair = (packet.source.0, packet.destination.0);
        let full = self.0.len() >= PORT_SCAN_PAIRS;
        if full && !self.0.contains_key(&pair) {
            return;
        }
        let tried = self.0.entry(pair).or_default();
        let port = packet.destination_port;
        if tried.len < PORT_SCAN_PORTS && !tried.ports[..tried.len].contains(&port) {
            tried.ports[tried.len] = port;
            tried.len += 1;
        }
    }

    /// The pairs that are scans, in order.
    pub fn pairs(&self) -> Vec<(u128, u128)> {
        let mut pairs: Vec<_> =
            self.0.iter().filter(|(_, tried)| tried.len == PORT_SCAN_PORTS).map(|(pair, _)| *pair).collect();
        pairs.sort_unstable();
        pairs
    }
}

/// A quick hash for pairs of addresses. The number of pairs is bounded, so chosen collisions cost bounded time.
#[derive(Default)]
struct PairHasher(u64);

impl Hasher for PairHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = mix(self.0, u64::from(byte));
        }
    }

    fn write_u128(&mut self, number: u128) {
        self.0 = mix(self.0 ^ number as u64, (number >> 64) as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Address;

    fn syn(port: u16) -> Packet {
        Packet { source: Address(1), destination: Address(2), destination_port: port, ..Packet::default() }
    }

    #[test]
    fn twenty_ports_are_a_scan_and_nineteen_are_not() {
        let mut scans = PortScans::default();
        for _ in 0..3 {
            for port in 1..=19 {
                scans.note(&syn(port));
            }
        }
        assert!(scans.pairs().is_empty());
        scans.note(&syn(20));
        assert_eq!(scans.pairs(), [(1, 2)]);
    }
}
