//! Datagrams from fragments.

use super::build::{RAW, Random, behind, ipv4_fragment, ipv6, tcp, udp};
use crate::wire::{Counts, Decoder, FRAGMENT_BYTES, FRAGMENT_COPY_NS, FRAGMENT_TIMEOUT_NS, Packet, Transport};

/// Runs packets, each with its time, and finishes. Payloads of the packets are returned beside them.
fn run(pieces: &[(i64, Vec<u8>)]) -> (Vec<(Packet, Vec<u8>)>, Counts) {
    let mut decoder = Decoder::default();
    let mut found = Vec::new();
    let mut out = Vec::new();
    let mut keep = |decoder: &Decoder, frame: &[u8], out: &mut Vec<Packet>| {
        for packet in out.drain(..) {
            let bytes = if packet.reassembled { decoder.datagram() } else { frame };
            let at = packet.payload_at as usize;
            found.push((packet, bytes[at..at + packet.payload_captured as usize].to_vec()));
        }
    };
    for (time_ns, piece) in pieces {
        decoder.decode(piece, RAW, piece.len() as u32, *time_ns, &mut out);
        keep(&decoder, piece, &mut out);
    }
    decoder.finish(&mut out);
    keep(&decoder, &[], &mut out);
    (found, decoder.counts().clone())
}

/// The fragments of one UDP datagram with `payload`, cut every `step` bytes.
fn fragments(payload: &[u8], step: usize) -> Vec<Vec<u8>> {
    let datagram = udp(1000, 2000, payload);
    let count = datagram.len().div_ceil(step);
    let fragment = |(place, chunk): (usize, &[u8])| {
        let more = if place + 1 < count { 0x2000 } else { 0 };
        ipv4_fragment(17, more | (place * step / 8) as u16, chunk)
    };
    datagram.chunks(step).enumerate().map(fragment).collect()
}

fn at_once(pieces: &[Vec<u8>]) -> Vec<(i64, Vec<u8>)> {
    pieces.iter().map(|piece| (0, piece.clone())).collect()
}

fn numbers(count: usize) -> Vec<u8> {
    (0..count).map(|number| (number % 251) as u8).collect()
}

#[test]
fn a_rebuilt_datagram_is_one_packet_with_the_whole_length() {
    let payload = numbers(4000);
    let (found, counts) = run(&at_once(&fragments(&payload, 1480)));
    assert_eq!(found.len(), 1);
    let (packet, bytes) = &found[0];
    assert_eq!((packet.ip_len, packet.payload_len, packet.reassembled), (4028, 4000, true));
    assert_eq!((packet.source_port, packet.destination_port), (1000, 2000));
    assert_eq!(*bytes, payload);
    assert_eq!((counts.fragments, counts.datagrams_rebuilt, counts.packets), (3, 1, 1));
}

#[test]
fn fragments_in_any_order_and_twice_give_the_same_packet() {
    let mut random = Random(42);
    let payload = numbers(3000);
    let pieces = fragments(&payload, 304);
    let expected = run(&at_once(&pieces)).0;
    for _ in 0..300 {
        let mut mixed = [pieces.clone(), pieces.clone()].concat();
        mixed.truncate(pieces.len() + random.below(pieces.len() + 1));
        random.shuffle(&mut mixed);
        let (found, counts) = run(&at_once(&mixed));
        assert_eq!(found, expected);
        assert_eq!((counts.datagrams_rebuilt, counts.fragments_without_start), (1, 0));
    }
}

#[test]
fn the_same_identification_later_is_another_datagram() {
    let payload = numbers(100);
    let mut pieces = at_once(&fragments(&payload, 64));
    let later = FRAGMENT_COPY_NS as i64 + 1;
    pieces.extend(fragments(&payload, 64).into_iter().map(|piece| (later, piece)));
    assert_eq!(run(&pieces).1.datagrams_rebuilt, 2);
}

#[test]
fn of_overlapping_bytes_the_first_stay() {
    let start = ipv4_fragment(17, 0x2000, &udp(1000, 2000, &[1; 24])[..24]);
    let over = ipv4_fragment(17, 0x2001, &[2; 24]);
    let end = ipv4_fragment(17, 4, &[3; 8]);
    let (found, counts) = run(&at_once(&[start, over, end]));
    let expected: Vec<u8> = [vec![1; 16], vec![2; 8], vec![3; 8]].concat();
    assert_eq!(found[0].1[..24], expected[..24]);
    assert_eq!(counts.fragments_overlapping, 1);
}

#[test]
fn snapped_fragments_count_with_their_stated_length() {
    let pieces = fragments(&numbers(2000), 1000);
    let mut decoder = Decoder::default();
    let mut packets = Vec::new();
    for piece in &pieces {
        decoder.decode(&piece[..60.min(piece.len())], RAW, piece.len() as u32, 0, &mut packets);
    }
    assert_eq!((packets[0].ip_len, packets[0].payload_len, packets[0].payload_captured), (2028, 2000, 32));
    assert_eq!(packets[0].transport, Transport::Whole);
}

#[test]
fn a_datagram_without_its_end_is_handed_out_with_what_was_seen() {
    let pieces = fragments(&numbers(3000), 1000);
    let (found, counts) = run(&[(3, pieces[0].clone()), (4, pieces[1].clone())]);
    let (packet, bytes) = &found[0];
    assert_eq!((packet.time_ns, packet.ip_len, packet.payload_len, bytes.len()), (4, 2020, 1992, 1992));
    assert_eq!((counts.datagrams_incomplete, counts.fragments_without_start), (1, 0));
}

#[test]
fn fragments_without_a_start_are_counted_not_handed_out() {
    let pieces = fragments(&numbers(3000), 1000);
    let (found, counts) = run(&at_once(&pieces[1..]));
    assert_eq!((found.len(), counts.fragments_without_start), (0, 3));
}

#[test]
fn a_datagram_is_given_up_after_the_timeout() {
    let pieces = fragments(&numbers(100), 64);
    let late = FRAGMENT_TIMEOUT_NS as i64 + 1;
    let (found, counts) = run(&[(0, pieces[0].clone()), (late, pieces[1].clone())]);
    assert_eq!((found.len(), found[0].0.time_ns, found[0].0.payload_len), (1, 0, 56));
    assert_eq!((counts.datagrams_incomplete, counts.fragments_without_start), (1, 1));
}

#[test]
fn a_clock_that_is_set_back_does_not_mix_datagrams() {
    let pieces = fragments(&numbers(100), 64);
    let ahead = 2 * FRAGMENT_TIMEOUT_NS as i64;
    let (found, counts) = run(&[(ahead, pieces[0].clone()), (0, pieces[0].clone()), (1, pieces[1].clone())]);
    assert_eq!((found.len(), counts.datagrams_incomplete, counts.datagrams_rebuilt), (2, 1, 1));
}

#[test]
fn memory_stays_within_its_limit_whatever_arrives() {
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    let mut piece = ipv4_fragment(17, 0x2000, &vec![0; 60_000]);
    let rounds = FRAGMENT_BYTES / 60_000 + 200;
    for id in 0..rounds {
        piece[4..6].copy_from_slice(&(id as u16).to_be_bytes());
        decoder.decode(&piece, RAW, piece.len() as u32, 0, &mut out);
    }
    let counts = decoder.counts();
    assert!(counts.fragment_limit_reached >= 200, "{}", counts.fragment_limit_reached);
    assert_eq!(counts.datagrams_incomplete, counts.fragment_limit_reached);
    decoder.finish(&mut out);
    assert_eq!(out.len(), rounds);
}

#[test]
fn ipv6_fragments_are_rebuilt_without_their_headers() {
    let datagram = tcp(0x18, &numbers(300));
    let (first, second) = datagram.split_at(160);
    let pieces = [ipv6(44, &behind("06 00 0001 00000009", first)), ipv6(44, &behind("3b 00 00a0 00000009", second))];
    let (found, counts) = run(&at_once(&pieces));
    assert_eq!((found.len(), counts.datagrams_rebuilt), (1, 1));
    assert_eq!((found[0].0.ip_len, found[0].0.payload_len, found[0].0.protocol), (360, 300, 6));
    assert_eq!(found[0].1, numbers(300));
}

#[test]
fn an_atomic_fragment_is_a_plain_packet() {
    let (found, counts) = run(&at_once(&[ipv6(44, &behind("06 00 0000 00000009", &tcp(2, b"")))]));
    assert_eq!((found.len(), found[0].0.reassembled, counts.fragments), (1, false, 0));
}
