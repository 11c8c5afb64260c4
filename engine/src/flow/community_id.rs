//! Community ID, version 1: one name for a flow in every tool.
//!
//! SHA-1 over seed, addresses, protocol and ports in the order of the lower endpoint first; ICMP messages
//! without an answering type keep their direction. The seed is 0, as everywhere by default.

use sha1::{Digest, Sha1};

use super::key::FlowKey;
use crate::wire::Address;

/// The raw digest of a flow's 5-tuple.
pub fn digest(key: &FlowKey) -> [u8; 20] {
    let (low, high) = if key.one_way() == 2 { (1, 0) } else { (0, 1) };
    let mut bytes = [0_u8; 40];
    let mut len = 2; // the seed, two bytes of zero
    let mut put = |part: &[u8]| {
        bytes[len..len + part.len()].copy_from_slice(part);
        len += part.len();
    };
    for side in [low, high] {
        let Address(number) = key.address[side];
        let octets = number.to_be_bytes();
        put(if key.version() == 4 { &octets[12..] } else { &octets });
    }
    put(&[key.protocol(), 0]);
    if has_ports(key.protocol()) {
        put(&key.port(low).to_be_bytes());
        put(&key.port(high).to_be_bytes());
    }
    Sha1::digest(&bytes[..len]).into()
}

fn has_ports(protocol: u8) -> bool {
    matches!(protocol, 1 | 6 | 17 | 58)
}

/// The printed form, `1:` and base 64 (RFC 4648, 4).
pub fn text(digest: &[u8; 20]) -> [u8; 30] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = *b"1:...........................=";
    let mut padded = [0_u8; 21];
    padded[..20].copy_from_slice(digest);
    for (group, place) in padded.chunks_exact(3).zip(out[2..].chunks_exact_mut(4)) {
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        for (position, letter) in place.iter_mut().enumerate() {
            *letter = ALPHABET[(bits >> (18 - 6 * position) & 63) as usize];
        }
    }
    out[29] = b'=';
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Packet;

    fn id(packet: &Packet) -> String {
        String::from_utf8_lossy(&text(&digest(&FlowKey::of(packet).0))).into_owned()
    }

    fn v4(text: &str) -> Address {
        let address: std::net::Ipv4Addr = text.parse().unwrap();
        Address(address.to_ipv6_mapped().to_bits())
    }

    #[test]
    fn the_published_tcp_vector_holds_both_ways() {
        // From the specification's baseline: 128.232.110.120:34855 → 66.35.250.204:80.
        let mut packet = Packet {
            source: v4("128.232.110.120"),
            destination: v4("66.35.250.204"),
            source_port: 34855,
            destination_port: 80,
            protocol: 6,
            version: 4,
            ..Packet::default()
        };
        assert_eq!(id(&packet), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        std::mem::swap(&mut packet.source, &mut packet.destination);
        std::mem::swap(&mut packet.source_port, &mut packet.destination_port);
        assert_eq!(id(&packet), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    }

    #[test]
    fn an_icmp_echo_has_its_published_id() {
        let packet = Packet {
            source: v4("192.168.0.89"),
            destination: v4("192.168.0.1"),
            source_port: 8,
            destination_port: 0,
            protocol: 1,
            version: 4,
            ..Packet::default()
        };
        assert_eq!(id(&packet), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
    }
}
