//! Frames put together from their headers, and a small reproducible source of numbers.

use crate::wire::{Counts, DECODE_DEPTH, Decoder, Outcome, Packet};

pub(super) const ETHERNET: u16 = 1;
pub(super) const RAW: u16 = 101;

/// Bytes from hexadecimal digits, blanks allowed.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("digits");
    digits.chunks(2).map(pair).collect()
}

/// `inner` behind a header given in hexadecimal.
pub(super) fn behind(header: &str, inner: &[u8]) -> Vec<u8> {
    [hex(header), inner.to_vec()].concat()
}

pub(super) fn ethernet(ethertype: u16, inner: &[u8]) -> Vec<u8> {
    behind(&format!("020000000001 020000000002 {ethertype:04x}"), inner)
}

/// The Internet checksum of bytes in which its own field is 0.
pub(super) fn fold(parts: &[&[u8]]) -> u16 {
    let bytes = parts.concat();
    let mut sum: u32 = bytes.chunks(2).map(|w| u32::from(w[0]) << 8 | w.get(1).map_or(0, |&b| u32::from(b))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

pub(super) const CLIENT: [u8; 4] = [192, 0, 2, 1];
pub(super) const SERVER: [u8; 4] = [198, 51, 100, 2];

/// An IPv4 packet from `CLIENT` to `SERVER` with identification 7; `fragment` is the flags and offset word.
pub(super) fn ipv4_fragment(protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let mut header = hex("4500 0000 0007 0000 40 00 0000");
    header[2..4].copy_from_slice(&(payload.len() as u16 + 20).to_be_bytes());
    header[6..8].copy_from_slice(&fragment.to_be_bytes());
    header[9] = protocol;
    header.extend(CLIENT);
    header.extend(SERVER);
    let sum = fold(&[&header]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    [header, payload.to_vec()].concat()
}

pub(super) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_fragment(protocol, 0x4000, payload)
}

/// From `2001:db8::1` to `2001:db8::2`.
pub(super) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len();
    let addresses = "20010db8000000000000000000000001 20010db8000000000000000000000002";
    behind(&format!("60000000 {length:04x} {next:02x} 40 {addresses}"), payload)
}

/// 50000 to 16384, sequence number 100, with the right checksum for `ipv4`.
pub(super) fn tcp(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = behind(&format!("c350 4000 00000064 000000c8 50{flags:02x} 1000 0000 0000"), payload);
    let length = segment.len() as u16;
    let sum = fold(&[&CLIENT, &SERVER, &[0, 6], &length.to_be_bytes(), &segment]);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    segment
}

/// With the right checksum for `ipv4`.
pub(super) fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u16 + 8;
    let mut segment = behind(&format!("{source:04x} {destination:04x} {length:04x} 0000"), payload);
    let sum = fold(&[&CLIENT, &SERVER, &[0, 17], &length.to_be_bytes(), &segment]);
    segment[6..8].copy_from_slice(&sum.to_be_bytes());
    segment
}

/// The packets of one frame in full, by a decoder of its own.
pub(super) fn decode(link_type: u16, bytes: &[u8]) -> (Outcome, Vec<Packet>, Counts) {
    let mut decoder = Decoder::new(false, DECODE_DEPTH);
    let mut packets = Vec::new();
    let outcome = decoder.decode(bytes, link_type, bytes.len() as u32, 5, &mut packets);
    (outcome, packets, decoder.counts().clone())
}

/// The only packet of a frame.
pub(super) fn one(link_type: u16, bytes: &[u8]) -> Packet {
    let (outcome, packets, _) = decode(link_type, bytes);
    assert_eq!((outcome, packets.len()), (Outcome::Ip, 1), "{packets:?}");
    packets[0]
}

/// Marsaglia's xorshift: the same numbers in every run.
pub(super) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
