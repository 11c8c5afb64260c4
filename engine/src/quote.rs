//! What ICMP errors quote: the packet that could not be delivered (RFC 792, RFC 4443 section 3).

use crate::flow::{FlowKey, protocol};
use crate::wire::{Address, Packet};

/// Different quoted 5-tuples that are kept (`ICMP_QUOTES`).
pub const ICMP_QUOTES: usize = 65_536;

/// A quoted 5-tuple, source and destination as in the quoted packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Quoted {
    /// IP version.
    pub version: u8,
    /// IP protocol.
    pub protocol: u8,
    /// Source.
    pub source: Address,
    /// Destination.
    pub destination: Address,
    /// Source port; 0 where there is none.
    pub source_port: u16,
    /// Destination port; 0 where there is none.
    pub destination_port: u16,
}

/// One quoted 5-tuple of one ICMP flow.
#[derive(Clone, Copy, Debug)]
pub struct Quote {
    /// Identity of the ICMP flow.
    pub flow_id: u64,
    /// What was quoted.
    pub quoted: Quoted,
    /// How often.
    pub count: u32,
    /// When first, ns.
    pub first_ns: i64,
    /// Where first.
    pub first_frame: u64,
    /// In which capture.
    pub capture: u32,
}

impl Quoted {
    /// The packet quoted by an ICMP error with that payload; none for other messages and for what cannot be read.
    pub fn of(packet: &Packet, payload: &[u8]) -> Option<Quoted> {
        match (packet.protocol, packet.source_port) {
            (protocol::ICMP, 3 | 4 | 5 | 11 | 12) => Quoted::v4(payload),
            (protocol::ICMP6, 1..=4) => Quoted::v6(payload),
            _ => None,
        }
    }

    fn v4(bytes: &[u8]) -> Option<Quoted> {
        let header = bytes.get(..20)?;
        let length = usize::from(header[0] & 15) * 4;
        if header[0] >> 4 != 4 || length < 20 {
            return None;
        }
        let address = |at: usize| {
            let octets = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            Address(0xFFFF_0000_0000 | u128::from(u32::from_be_bytes(octets)))
        };
        let quoted = Quoted {
            version: 4,
            protocol: header[9],
            source: address(12),
            destination: address(16),
            ..Quoted::default()
        };
        Some(quoted.with_ports(bytes.get(length..).unwrap_or_default()))
    }

    fn v6(bytes: &[u8]) -> Option<Quoted> {
        let header = bytes.get(..40)?;
        if header[0] >> 4 != 6 {
            return None;
        }
        let address =
            |at: usize| Address(header[at..at + 16].iter().fold(0, |number, &octet| number << 8 | u128::from(octet)));
        let quoted = Quoted {
            version: 6,
            protocol: header[6],
            source: address(8),
            destination: address(24),
            ..Quoted::default()
        };
        Some(quoted.with_ports(&bytes[40..]))
    }

    fn with_ports(mut self, transport: &[u8]) -> Quoted {
        if let (protocol::TCP | protocol::UDP, [a, b, c, d, ..]) = (self.protocol, transport) {
            self.source_port = u16::from_be_bytes([*a, *b]);
            self.destination_port = u16::from_be_bytes([*c, *d]);
        }
        self
    }

    /// The key of the quoted flow.
    pub fn key(&self) -> FlowKey {
        FlowKey::of(&Packet {
            source: self.source,
            destination: self.destination,
            source_port: self.source_port,
            destination_port: self.destination_port,
            protocol: self.protocol,
            version: self.version,
            ..Packet::default()
        })
        .0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreachable_quotes_the_packet_that_caused_it() {
        let mut payload = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 5, 66, 241, 7, 9];
        payload.extend([0x04, 0x00, 0x00, 21]);
        let error = Packet { protocol: 1, source_port: 3, destination_port: 1, version: 4, ..Packet::default() };
        let quoted = Quoted::of(&error, &payload).unwrap();
        assert_eq!((quoted.source_port, quoted.destination_port), (1024, 21));
        assert_eq!(quoted.destination, Address(0xFFFF_42F1_0709));
        let echo = Packet { source_port: 8, ..error };
        assert_eq!(Quoted::of(&echo, &payload), None);
    }

    #[test]
    fn a_cut_quote_is_none_or_has_no_ports() {
        let payload = [0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 5, 66, 241, 7, 9, 4];
        let error = Packet { protocol: 1, source_port: 3, version: 4, ..Packet::default() };
        assert_eq!(Quoted::of(&error, &payload).unwrap().source_port, 0);
        assert_eq!(Quoted::of(&error, &payload[..19]), None);
    }
}
