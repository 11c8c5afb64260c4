//! Which packets are one flow.
//!
//! Two types, because mixing them is the classic bug: a packet is *directed* (source, destination); a
//! [`FlowKey`] is *undirected*, ordered by endpoint, and used only for lookup. A [`Side`] says which end of
//! a key sent a packet.

use crate::wire::{Address, Glance, Packet};

/// IP protocol numbers that the flow table treats apart.
pub mod protocol {
    /// ICMP, RFC 792.
    pub const ICMP: u8 = 1;
    /// TCP, RFC 9293.
    pub const TCP: u8 = 6;
    /// UDP, RFC 768.
    pub const UDP: u8 = 17;
    /// ICMPv6, RFC 4443.
    pub const ICMP6: u8 = 58;
}

/// One of the two ends of a key, as an index: 0 for the lower endpoint, 1 for the higher.
pub type Side = usize;

/// The undirected 5-tuple, lower endpoint (address, then port) first.
///
/// ICMP has the message type as the sender's port and the answering type as the receiver's; a type without an
/// answer has its code there instead, and then each direction is a flow of its own (`one_way`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowKey {
    /// Lower and higher address.
    pub address: [Address; 2],
    /// Ports, protocol, version and direction in one word, so that keys are copied and compared as words.
    rest: u64,
    /// VLAN tags, where flows of different VLANs are different flows; else 0.
    vlan: u64,
}

impl FlowKey {
    /// A key from its parts. `one_way` is 0 when both directions are one flow, else 1 or 2: only packets sent by side
    /// 0 or 1 belong to it.
    #[inline]
    pub fn new(address: [Address; 2], port: [u16; 2], protocol: u8, version: u8, one_way: u8) -> FlowKey {
        FlowKey { address, rest: rest(port, protocol, version, one_way), vlan: 0 }
    }

    /// The key of a packet, and which side sent it.
    #[inline(always)] // once per packet: out of line, its result goes through memory and the reader waits for it
    #[allow(clippy::inline_always)]
    pub fn of(packet: &Packet) -> (FlowKey, Side) {
        let (source_port, destination_port, answered) = match packet.protocol {
            protocol::TCP | protocol::UDP => (packet.source_port, packet.destination_port, true),
            protocol::ICMP => icmp_ports(packet, icmp4_answer),
            protocol::ICMP6 => icmp_ports(packet, icmp6_answer),
            _ => (0, 0, true),
        };
        let (address, port, side) = if packet.version == 4 {
            // One word an end: comparing 128-bit numbers and ports one after the other took a tenth of the decoding.
            let from = u64::from(packet.source.0 as u32) << 16 | u64::from(source_port);
            let to = u64::from(packet.destination.0 as u32) << 16 | u64::from(destination_port);
            let (lower, higher) = (from.min(to), from.max(to));
            let address = [Address::from((lower >> 16) as u32), Address::from((higher >> 16) as u32)];
            (address, [lower as u16, higher as u16], Side::from(from > to))
        } else if (packet.source, source_port) <= (packet.destination, destination_port) {
            ([packet.source, packet.destination], [source_port, destination_port], 0)
        } else {
            ([packet.destination, packet.source], [destination_port, source_port], 1)
        };
        let one_way = if answered { 0 } else { 1 + side as u8 };
        (FlowKey::new(address, port, packet.protocol, packet.version, one_way), side)
    }

    /// The key in that VLAN only.
    #[inline]
    #[must_use]
    pub fn within(self, vlan: u64) -> FlowKey {
        FlowKey { vlan, ..self }
    }

    /// Port of a side.
    #[inline]
    pub fn port(&self, side: Side) -> u16 {
        (self.rest >> (48 - 16 * side)) as u16
    }

    /// IP protocol number.
    #[inline]
    pub fn protocol(&self) -> u8 {
        (self.rest >> 24) as u8
    }

    /// IP version.
    #[inline]
    pub fn version(&self) -> u8 {
        (self.rest >> 16) as u8
    }

    /// 0, or 1 + the only side that sends.
    #[inline]
    pub fn one_way(&self) -> u8 {
        self.rest as u8
    }

    /// A 64-bit hash. `seed` keeps a hostile sender from choosing collisions.
    #[inline(always)] // as `FlowKey::of`
    #[allow(clippy::inline_always)]
    pub fn hash(&self, seed: u64) -> u64 {
        let hash = if self.version() == 4 {
            hash_v4([self.address[0].0 as u32, self.address[1].0 as u32], self.rest, seed)
        } else {
            let word = |Address(number)| mix(number as u64 ^ seed, (number >> 64) as u64 ^ 0x9E37_79B9_7F4A_7C15);
            mix(word(self.address[0]) ^ self.rest, word(self.address[1]).rotate_left(32) ^ seed)
        };
        if self.vlan == 0 { hash } else { mix(hash, self.vlan ^ seed) }
    }
}

/// Hash of the key of a packet seen at a glance, and which side sent it; both as `FlowKey` has them.
#[inline]
pub fn glance_hash(glance: &Glance, seed: u64) -> (u64, Side) {
    let [from, to] = [0, 1].map(|at| u64::from(glance.address[at]) << 16 | u64::from(glance.port[at]));
    let (lower, higher) = (from.min(to), from.max(to));
    let rest = rest([lower as u16, higher as u16], glance.protocol, 4, 0);
    (hash_v4([(lower >> 16) as u32, (higher >> 16) as u32], rest, seed), Side::from(from > to))
}

#[inline]
fn hash_v4(address: [u32; 2], rest: u64, seed: u64) -> u64 {
    let addresses = u64::from(address[0]) << 32 | u64::from(address[1]);
    mix(addresses ^ seed, rest.rotate_left(17) ^ seed.rotate_left(29))
}

/// All of a key but its addresses.
#[inline]
fn rest(port: [u16; 2], protocol: u8, version: u8, one_way: u8) -> u64 {
    u64::from(port[0]) << 48
        | u64::from(port[1]) << 32
        | u64::from(protocol) << 24
        | u64::from(version) << 16
        | u64::from(one_way)
}

/// Multiply and fold.
#[inline]
pub fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0xD6E8_FEB8_6659_FD93) * u128::from(b ^ 0xA076_1D64_78BD_642F);
    (product as u64) ^ ((product >> 64) as u64)
}

fn icmp_ports(packet: &Packet, answer: fn(u8) -> Option<u8>) -> (u16, u16, bool) {
    match answer(packet.source_port as u8) {
        Some(counterpart) => (packet.source_port, u16::from(counterpart), true),
        None => (packet.source_port, packet.destination_port, false),
    }
}

/// The type that answers an ICMP type, both ways: echo, timestamp, information, router, address mask.
fn icmp4_answer(kind: u8) -> Option<u8> {
    const PAIRS: [(u8, u8); 5] = [(8, 0), (13, 14), (15, 16), (10, 9), (17, 18)];
    answer(&PAIRS, kind)
}

/// The type that answers an ICMPv6 type: echo, router, neighbour, listener, node information, home agent.
fn icmp6_answer(kind: u8) -> Option<u8> {
    const PAIRS: [(u8, u8); 6] = [(128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145)];
    answer(&PAIRS, kind)
}

fn answer(pairs: &[(u8, u8)], kind: u8) -> Option<u8> {
    pairs.iter().find_map(|&(asks, answers)| {
        if kind == asks {
            Some(answers)
        } else if kind == answers {
            Some(asks)
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(protocol: u8, source: u32, source_port: u16, destination: u32, destination_port: u16) -> Packet {
        Packet {
            source: Address(0xFFFF_0000_0000 | u128::from(source)),
            destination: Address(0xFFFF_0000_0000 | u128::from(destination)),
            source_port,
            destination_port,
            protocol,
            version: 4,
            ..Packet::default()
        }
    }

    #[test]
    fn both_directions_have_one_key_and_opposite_sides() {
        let (there, a) = FlowKey::of(&packet(6, 1, 1024, 2, 80));
        let (back, b) = FlowKey::of(&packet(6, 2, 80, 1, 1024));
        assert_eq!(there, back);
        assert_eq!((a, b), (0, 1));
        assert_eq!(there.hash(7), back.hash(7));
        assert_ne!(there.hash(7), there.hash(8));
    }

    #[test]
    fn equal_addresses_are_ordered_by_port() {
        let (there, _) = FlowKey::of(&packet(17, 1, 9, 1, 7));
        let (back, _) = FlowKey::of(&packet(17, 1, 7, 1, 9));
        assert_eq!(there, back);
        assert_eq!((there.port(0), there.port(1)), (7, 9));
    }

    #[test]
    fn an_echo_and_its_reply_are_one_flow() {
        let (request, _) = FlowKey::of(&packet(1, 1, 8, 2, 0));
        let (reply, _) = FlowKey::of(&packet(1, 2, 0, 1, 0));
        assert_eq!(request, reply);
    }

    #[test]
    fn unreachable_messages_of_both_ends_are_two_flows() {
        let (one, _) = FlowKey::of(&packet(1, 1, 3, 2, 3));
        let (other, _) = FlowKey::of(&packet(1, 2, 3, 1, 3));
        assert_ne!(one, other);
    }

    #[test]
    fn protocols_without_ports_ignore_what_stands_there() {
        let (key, _) = FlowKey::of(&packet(132, 1, 5, 2, 6));
        assert_eq!((key.port(0), key.port(1)), (0, 0));
    }
}
