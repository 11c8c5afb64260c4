//! Traffic that no check can concern: counted, and dropped before it costs a flow record.
//!
//! What is left of it are sums, and for each 5-tuple one word: how many flows there were, and whether both ends of them
//! were captured, which tells a capture that sees one direction only.

use super::points::{CAPTURE_POINTS, Ends};
use crate::flow::{Side, protocol};
use crate::memory;

/// 5-tuples that are told apart (`ASIDE_TUPLES`); packets of further ones are counted, their flows are not.
pub const ASIDE_TUPLES: usize = 1 << 23;

/// Both sides' bits, and: the only side seen speaks with somebody.
const SIDES: u64 = 3;
const ANSWERS: u64 = 4;
const TCP: u64 = 8;
const UDP: u64 = 16;
/// Where the number of its capture point stands.
const POINT: u32 = 5;
const POINTS: u64 = (CAPTURE_POINTS as u64 - 1) << POINT;
const FLAGS: u64 = SIDES | ANSWERS | TCP | UDP | POINTS;

/// What one packet tells of its flow: the upper bits of the key's hash name it, the lower ones are what was seen.
#[derive(Clone, Copy, Debug)]
pub struct Mark(u64);

impl Mark {
    /// Of a packet that `side` sent and whose key has that hash. `believed`: it counts as a packet of the flow.
    #[inline]
    pub fn new(hash: u64, side: Side, protocol: u8, tcp_flags: u8, believed: bool) -> Mark {
        // A segment with ACK, and nearly every segment but the first SYN has it, answers somebody.
        let answers = if protocol == protocol::TCP && tcp_flags & 0x14 == 0x10 { ANSWERS } else { 0 };
        let seen = if believed { 1 << side | answers } else { 0 };
        let kind = match protocol {
            protocol::TCP => TCP,
            protocol::UDP => UDP,
            _ => 0,
        };
        Mark((hash & !FLAGS).max(FLAGS + 1) | seen | kind)
    }

    /// The same, captured at the point of that number.
    #[inline]
    pub fn at(self, point: usize) -> Mark {
        Mark(self.0 | (point as u64) << POINT)
    }

    /// The upper bits of the key's hash.
    #[inline]
    pub fn name(self) -> u64 {
        self.0 & !FLAGS
    }

    #[inline]
    fn place(self, mask: usize) -> usize {
        (self.0 >> 32) as usize & mask
    }
}

/// Sums over what was dropped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    /// Different 5-tuples.
    pub flows: u64,
    /// Packets.
    pub packets: u64,
    /// IP bytes.
    pub bytes: u64,
}

/// 5-tuples by hash, and sums.
#[derive(Debug)]
pub struct Aside {
    words: Vec<u64>,
    len: usize,
    packets: u64,
    bytes: u64,
}

#[allow(clippy::len_without_is_empty)] // nobody asks
impl Aside {
    /// Nothing yet.
    pub fn new() -> Aside {
        Aside { words: vec![0; 1 << 12], len: 0, packets: 0, bytes: 0 }
    }

    /// Brings the word that `note` looks at first into the cache.
    #[inline]
    pub fn touch(&self, mark: Mark) {
        memory::fetch(&self.words[mark.place(self.words.len() - 1)]);
    }

    /// Adds a packet to the sums.
    #[inline]
    pub fn count(&mut self, ip_len: u32) {
        self.packets += 1;
        self.bytes += u64::from(ip_len);
    }

    /// Notes what a packet tells of its flow. True for the first of its 5-tuple.
    #[inline]
    pub fn note(&mut self, mark: Mark) -> bool {
        let mask = self.words.len() - 1;
        let mut at = mark.place(mask);
        loop {
            let word = self.words[at];
            if word & !FLAGS == mark.name() {
                self.words[at] = word | mark.0 & !POINTS;
                return false;
            }
            if word == 0 {
                return self.add(mark, at);
            }
            at = (at + 1) & mask;
        }
    }

    /// A 5-tuple that is met for the first time, and where it goes; false where no room is left to tell it apart.
    fn add(&mut self, mark: Mark, mut at: usize) -> bool {
        if self.len >= ASIDE_TUPLES {
            return false;
        }
        if (self.len + 1) * 2 > self.words.len() {
            self.grow();
            let mask = self.words.len() - 1;
            at = mark.place(mask);
            while self.words[at] != 0 {
                at = (at + 1) & mask;
            }
        }
        self.len += 1;
        self.words[at] = mark.0;
        true
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![0; self.words.len() * 2];
        memory::prefer_large_pages(&larger);
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
        Sums { flows: self.len as u64, packets: self.packets, bytes: self.bytes }
    }

    /// What each capture point shows of its flows, by number.
    pub fn ends(&self) -> [Ends; CAPTURE_POINTS] {
        let mut ends = [Ends::default(); CAPTURE_POINTS];
        for word in self.words.iter().filter(|&&word| word != 0) {
            let sum = &mut ends[(word >> POINT) as usize % CAPTURE_POINTS];
            if word & SIDES == SIDES {
                sum.two_way += u64::from(word & (TCP | UDP) != 0);
            } else {
                sum.half_seen += u64::from(word & (TCP | ANSWERS) == TCP | ANSWERS);
            }
        }
        ends
    }

    /// Frees what tells flows apart; nothing may be noted any more, and `ends` tells of none.
    pub fn let_go(&mut self) {
        self.words = Vec::new();
    }

    /// Different 5-tuples so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether some flows were not told apart.
    pub fn is_full(&self) -> bool {
        self.len >= ASIDE_TUPLES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowKey;
    use crate::wire::{Address, Packet};

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
        let mut aside = Aside::new();
        let mut note = |packet: &Packet| {
            let (key, side) = FlowKey::of(packet);
            aside.count(packet.ip_len);
            aside.note(Mark::new(key.hash(1), side, packet.protocol, packet.tcp_flags, true).at(3));
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
        let ends = aside.ends();
        assert_eq!(ends[3].two_way, 5_000);
        assert_eq!(ends[3].half_seen, (100..10_100).filter(|n| n % 2 == 1 && n % 3 == 0).count() as u64);
        assert_eq!(sums.bytes, sums.packets * 40);
    }
}
