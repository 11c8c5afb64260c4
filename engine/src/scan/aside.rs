//! Traffic that no check can concern: counted, and dropped before it costs a flow record.
//!
//! What is left of it are sums, and for each 5-tuple one word: how many flows there were, and whether both ends of them
//! were captured, which tells a capture that sees one direction only.

use crate::flow::{Side, protocol};
use crate::wire::{Packet, Transport};

/// 5-tuples that are told apart (`ASIDE_TUPLES`); packets of further ones are counted, their flows are not.
pub const ASIDE_TUPLES: usize = 1 << 23;

/// Both sides' bits, and: the only side seen speaks with somebody.
const SIDES: u64 = 3;
const ANSWERS: u64 = 4;
const TCP: u64 = 8;
const UDP: u64 = 16;
const FLAGS: u64 = SIDES | ANSWERS | TCP | UDP;

/// Sums over what was dropped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    /// Different 5-tuples.
    pub flows: u64,
    /// Packets.
    pub packets: u64,
    /// IP bytes.
    pub bytes: u64,
    /// TCP and UDP flows of which both ends were captured.
    pub two_way: u64,
    /// TCP flows of which one end was captured although it speaks with somebody.
    pub half_seen: u64,
}

/// 5-tuples by hash, and sums.
#[derive(Debug)]
pub struct Aside {
    words: Vec<u64>,
    len: usize,
    packets: u64,
    bytes: u64,
}

impl Aside {
    /// Nothing yet.
    pub fn new() -> Aside {
        Aside { words: vec![0; 1 << 12], len: 0, packets: 0, bytes: 0 }
    }

    /// The word that `note` looks at first, for loading it ahead.
    #[inline]
    pub fn first_word(&self, hash: u64) -> u64 {
        self.words[(hash >> 32) as usize & (self.words.len() - 1)]
    }

    /// Counts a packet whose key has that hash. True for the first of its 5-tuple.
    #[inline]
    pub fn note(&mut self, side: Side, hash: u64, packet: &Packet) -> bool {
        let mut is_new = false;
        // As the flow table counts: a TCP header that cannot be believed and a wrong checksum make a flow, and no packet in it.
        let believed = match packet.transport {
            Transport::Whole => true,
            Transport::Short { .. } => packet.protocol != protocol::TCP,
            Transport::BadChecksum => false,
        };
        if believed {
            self.packets += 1;
            self.bytes += u64::from(packet.ip_len);
        }
        let name = (hash & !FLAGS).max(FLAGS + 1);
        let mask = self.words.len() - 1;
        let mut at = (hash >> 32) as usize & mask;
        loop {
            let word = self.words[at];
            if word & !FLAGS == name {
                break;
            }
            if word == 0 {
                if self.len >= ASIDE_TUPLES {
                    return false;
                }
                is_new = true;
                if (self.len + 1) * 2 > self.words.len() {
                    self.grow();
                    let mask = self.words.len() - 1;
                    at = (hash >> 32) as usize & mask;
                    while self.words[at] != 0 {
                        at = (at + 1) & mask;
                    }
                }
                self.len += 1;
                self.words[at] = name
                    | match packet.protocol {
                        protocol::TCP => TCP,
                        protocol::UDP => UDP,
                        _ => 0,
                    };
                break;
            }
            at = (at + 1) & mask;
        }
        // A segment with ACK, and nearly every segment but the first SYN has it, answers somebody.
        let answers = if packet.protocol == protocol::TCP && packet.tcp_flags & 0x14 == 0x10 { ANSWERS } else { 0 };
        if believed {
            self.words[at] |= 1 << side | answers;
        }
        is_new
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![0; self.words.len() * 2];
        let words = std::mem::replace(&mut self.words, larger);
        let mask = self.words.len() - 1;
        for word in words.into_iter().filter(|&word| word != 0) {
            let mut at = (word >> 32) as usize & mask;
            while self.words[at] != 0 {
                at = (at + 1) & mask;
            }
            self.words[at] = word;
        }
    }

    /// The sums so far.
    pub fn sums(&self) -> Sums {
        let mut sums = Sums { flows: self.len as u64, packets: self.packets, bytes: self.bytes, ..Sums::default() };
        for word in self.words.iter().filter(|&&word| word != 0) {
            if word & SIDES == SIDES {
                sums.two_way += u64::from(word & (TCP | UDP) != 0);
            } else {
                sums.half_seen += u64::from(word & (TCP | ANSWERS) == TCP | ANSWERS);
            }
        }
        sums
    }

    /// Whether some flows were not told apart.
    pub fn is_full(&self) -> bool {
        self.len >= ASIDE_TUPLES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{FlowKey, Table};
    use crate::wire::Address;

    fn packet(client: u128, port: u16, answer: bool, flags: u8) -> Packet {
        let mut packet = Packet {
            source: Address(client),
            destination: Address(9),
            source_port: port,
            destination_port: 80,
            protocol: 6,
            version: 4,
            ip_len: 40,
            tcp_flags: flags,
            ..Packet::default()
        };
        if answer {
            std::mem::swap(&mut packet.source, &mut packet.destination);
            std::mem::swap(&mut packet.source_port, &mut packet.destination_port);
        }
        packet
    }

    #[test]
    fn flows_are_told_apart_and_their_ends_are_remembered() {
        let table = Table::new(1, 0, 1);
        let mut aside = Aside::new();
        let mut note = |packet: &Packet| {
            let (key, side) = FlowKey::of(packet);
            aside.note(side, table.address(key, side).hash(), packet);
        };
        for client in 100..10_100 {
            note(&packet(client, 1024, false, 2));
            if client % 2 == 0 {
                note(&packet(client, 1024, true, 0x12));
            } else if client % 3 == 0 {
                note(&packet(client, 1024, false, 0x10));
            }
        }
        let sums = aside.sums();
        assert_eq!(sums.flows, 10_000);
        assert_eq!(sums.two_way, 5_000);
        assert_eq!(sums.half_seen, (100..10_100).filter(|n| n % 2 == 1 && n % 3 == 0).count() as u64);
        assert_eq!(sums.bytes, sums.packets * 40);
    }
}
