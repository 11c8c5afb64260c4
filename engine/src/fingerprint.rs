//! What a TCP flow keeps wherever it is captured: a digest of the first payload bytes of each end.
//!
//! An address translation changes addresses and ports, and some firewalls change sequence numbers; nothing that passes a
//! connection through changes its bytes. The digest stands in for them, so that no payload is kept.

use crate::app::{Piece, Reassembler};
use crate::flow::{Side, mix};
use crate::wire::{Packet, Transport};

/// Payload bytes of each end that a digest covers at most (`FINGERPRINT_BYTES`).
pub const FINGERPRINT_BYTES: u16 = 256;

/// FNV-1a, 64 bits: its start and its prime.
const START: u64 = 0xCBF2_9CE4_8422_2325;
const PRIME: u64 = 0x0100_0000_01B3;

mod flag {
    pub const SYN: u8 = 2;
    pub const RST: u8 = 4;
    pub const ACK: u8 = 16;
}

/// The digests of one flow under construction, by side.
pub struct Fingerprint {
    ends: [Prefix; 2],
}

/// The beginning of what one end sent.
struct Prefix {
    /// None once the digest is complete.
    ordered: Option<Reassembler>,
    /// Sequence number of the first byte, once its SYN was seen.
    first: Option<u32>,
    hash: u64,
    bytes: u16,
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fingerprint").finish_non_exhaustive()
    }
}

impl Fingerprint {
    /// The fingerprint of a flow that begins with this packet, if its beginning is known: it has a SYN.
    pub fn for_first(packet: &Packet) -> Option<Box<Fingerprint>> {
        (packet.tcp_flags & flag::SYN != 0).then(|| Box::new(Fingerprint { ends: [Prefix::new(), Prefix::new()] }))
    }

    /// Takes a segment that `side` sent.
    #[inline]
    pub fn take(&mut self, side: Side, packet: &Packet, payload: &[u8]) {
        if self.ends.iter().any(|end| end.ordered.is_some()) && packet.transport == Transport::Whole {
            self.add(side, packet, payload);
        }
    }

    fn add(&mut self, side: Side, packet: &Packet, payload: &[u8]) {
        let flags = packet.tcp_flags;
        let mut sequence = packet.sequence;
        if flags & flag::SYN != 0 {
            sequence = sequence.wrapping_add(1);
            self.ends[side].begin(sequence);
        }
        if packet.payload_len > 0 && flags & flag::RST == 0 {
            self.ends[side].segment(sequence, payload, packet.payload_len);
        }
        if flags & flag::ACK != 0 {
            self.ends[side ^ 1].read(|ordered, sink| ordered.acknowledged(packet.acknowledgement, sink));
        }
    }

    /// Digest of what that side sent first, and how many bytes it covers: all of them in order, none missing.
    pub fn digest(&self, side: Side) -> (u64, u16) {
        let Prefix { hash, bytes, .. } = self.ends[side];
        if bytes == 0 { (0, 0) } else { (mix(hash, u64::from(bytes)), bytes) }
    }
}

impl Prefix {
    fn new() -> Prefix {
        Prefix { ordered: Some(Reassembler::new()), first: None, hash: START, bytes: 0 }
    }

    fn begin(&mut self, sequence: u32) {
        self.first.get_or_insert(sequence);
        if let Some(ordered) = &mut self.ordered {
            ordered.begin(sequence);
        }
    }

    /// Takes a segment, of which no more is looked at, or held back until others come, than the digest covers.
    fn segment(&mut self, sequence: u32, payload: &[u8], len: u32) {
        let place = self.first.map_or(0, |first| sequence.wrapping_sub(first) as i32);
        if place < i32::from(FINGERPRINT_BYTES) {
            let payload = &payload[..payload.len().min(FINGERPRINT_BYTES.into())];
            self.read(|ordered, sink| ordered.segment(sequence, payload, len, sink));
        }
    }

    /// Reads on until enough is read, or a byte is missing: what follows it has no known place.
    fn read(&mut self, step: impl FnOnce(&mut Reassembler, &mut dyn FnMut(Piece<'_>))) {
        let Some(ordered) = self.ordered.as_mut().filter(|_| self.first.is_some()) else { return };
        let (mut hash, mut bytes, mut ended) = (self.hash, self.bytes, false);
        step(ordered, &mut |piece| match piece {
            Piece::Bytes(more) if !ended => {
                for &byte in more.iter().take(usize::from(FINGERPRINT_BYTES - bytes)) {
                    hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
                    bytes += 1;
                }
                ended = bytes == FINGERPRINT_BYTES;
            }
            Piece::Bytes(_) => {}
            Piece::Gap(_) => ended = true,
        });
        (self.hash, self.bytes) = (hash, bytes);
        if ended {
            self.ordered = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u32, len: usize, flags: u8) -> Packet {
        Packet { sequence, payload_len: len as u32, tcp_flags: flags, ..Packet::default() }
    }

    fn print_of(segments: &[(u32, &[u8])]) -> (u64, u16) {
        let syn = packet(99, 0, flag::SYN);
        let mut print = Fingerprint::for_first(&syn).expect("it has a SYN");
        print.take(0, &syn, &[]);
        for (at, bytes) in segments {
            print.take(0, &packet(100 + at, bytes.len(), flag::ACK), bytes);
        }
        print.digest(0)
    }

    #[test]
    fn segments_and_their_order_do_not_matter() {
        let whole = print_of(&[(0, b"hello world")]);
        assert_eq!(whole.1, 11);
        assert_eq!(print_of(&[(0, b"hello"), (5, b" world")]), whole);
        assert_eq!(print_of(&[(5, b" world"), (0, b"hello")]), whole);
        assert_eq!(print_of(&[(0, b"hello"), (0, b"hello"), (5, b" world")]), whole);
        assert_ne!(print_of(&[(0, b"hello_world")]), whole);
    }

    #[test]
    fn large_segments_and_later_ones_give_the_same_and_are_not_held_back() {
        let content: Vec<u8> = (0..2000_u32).map(|n| (n * 7) as u8).collect();
        let whole = print_of(&[(0, &content)]);
        assert_eq!(whole.1, FINGERPRINT_BYTES);
        assert_eq!(print_of(&[(100, &content[100..1500]), (1500, &content[1500..]), (0, &content[..100])]), whole);
        let syn = packet(99, 0, flag::SYN);
        let mut print = Fingerprint::for_first(&syn).expect("it has a SYN");
        print.take(0, &syn, &[]);
        for at in [1, 300, 1000] {
            print.take(0, &packet(100 + at, 1000, flag::ACK), &content[..1000]);
        }
        let held = print.ends[0].ordered.as_ref().map(Reassembler::held_memory);
        assert!(held.is_some_and(|held| held < 2 * usize::from(FINGERPRINT_BYTES)), "{held:?}");
    }

    #[test]
    fn a_missing_byte_ends_the_digest() {
        let syn = packet(99, 0, flag::SYN);
        let mut print = Fingerprint::for_first(&syn).expect("it has a SYN");
        print.take(0, &syn, &[]);
        print.take(0, &packet(100, 5, flag::ACK), b"hello");
        print.take(0, &packet(106, 5, flag::ACK), b"world");
        let answer = Packet { acknowledgement: 111, ..packet(0, 0, flag::ACK) };
        print.take(1, &answer, &[]);
        assert_eq!(print.digest(0), print_of(&[(0, b"hello")]));
        assert_eq!(print.digest(1), (0, 0));
    }

    #[test]
    fn only_the_first_bytes_count_and_a_cut_packet_counts_as_far_as_it_goes() {
        let long = [7; 1000];
        assert_eq!(print_of(&[(0, &long)]).1, FINGERPRINT_BYTES);
        assert_eq!(print_of(&[(0, &long)]), print_of(&[(0, &long[..256]), (256, b"other")]));
        let syn = packet(99, 0, flag::SYN);
        let mut print = Fingerprint::for_first(&syn).expect("it has a SYN");
        print.take(0, &syn, &[]);
        print.take(0, &packet(100, 1000, flag::ACK), &long[..10]);
        assert_eq!(print.digest(0).1, 10);
    }

    #[test]
    fn a_flow_in_mid_stream_has_none() {
        assert!(Fingerprint::for_first(&packet(5, 3, flag::ACK)).is_none());
    }
}
