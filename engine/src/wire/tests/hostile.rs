//! Laws that hold for any bytes.

use super::build::{ETHERNET, RAW, Random, behind, ethernet, ipv4, ipv4_fragment, ipv6, tcp, udp};
use crate::wire::{DECODE_DEPTH, Decoder, Outcome, Packet};

const LINK_TYPES: [u16; 28] = [
    0, 1, 8, 9, 10, 12, 50, 51, 100, 101, 104, 105, 107, 108, 109, 113, 119, 127, 149, 163, 192, 204, 228, 229, 239,
    258, 276, 147,
];

/// Well-formed packets of many kinds, to be damaged.
fn seeds() -> Vec<(u16, Vec<u8>)> {
    let plain = ipv4(6, &tcp(0x18, b"payload"));
    let frame = ethernet(0x0800, &plain);
    let vxlan = ipv4(17, &udp(5, 4789, &behind("08000000 00002a00", &frame)));
    let extended = ipv6(0, &behind("2c 00 010400000000 06 00 0001 00000001", &tcp(2, &[1; 32])));
    vec![
        (ETHERNET, frame.clone()),
        (ETHERNET, ethernet(0x8100, &behind("0005 88a8 0006 0800", &plain))),
        (ETHERNET, ethernet(0x0800, &vxlan)),
        (ETHERNET, ethernet(0x8847, &behind("00014040 00015140 00000000", &frame))),
        (RAW, ipv4(47, &behind("3000 88be 00000000 00000001 1001000000000000", &frame))),
        (RAW, ipv4(17, &udp(2152, 2152, &behind("34ff 0037 00000001 00000085 01100000", &plain)))),
        (RAW, ipv4(17, &udp(9, 6081, &behind("01000800 00000100 01020300", &ipv4(4, &plain))))),
        (RAW, ipv4_fragment(17, 0x2000, &udp(1, 2, &[3; 40]))),
        (RAW, ipv4_fragment(17, 5, &[4; 33])),
        (RAW, extended),
        (
            105,
            behind(
                "88 02 0000 020000000001 020000000002 020000000003 1000 8000 020000000001 020000000002 0037 aaaa03 000000 0800",
                &plain,
            ),
        ),
        (
            127,
            behind(
                "00 00 0900 02000000 20 08 02 0000 020000000001 020000000002 020000000003 1000 aaaa03 000000 0800",
                &plain,
            ),
        ),
        (113, behind("0000 0001 0006 0200000000010000 0800", &plain)),
        (239, behind("02 00 0000 0800 0100 08000000 1800 0900", &plain)),
    ]
}

/// Decodes and checks what must hold of every packet.
fn check(decoder: &mut Decoder, bytes: &[u8], link_type: u16, wire_len: u32, time_ns: i64) -> Outcome {
    let mut out = Vec::new();
    let outcome = decoder.decode(bytes, link_type, wire_len, time_ns, &mut out);
    for packet in &out {
        bounded(packet, if packet.reassembled { decoder.datagram() } else { bytes });
    }
    outcome
}

fn bounded(packet: &Packet, bytes: &[u8]) {
    assert!((packet.payload_at + packet.payload_captured) as usize <= bytes.len(), "{packet:?}");
    assert!(packet.payload_captured <= packet.payload_len, "{packet:?}");
    assert!(packet.payload_len <= packet.ip_len, "{packet:?}");
    assert!(matches!(packet.version, 4 | 6), "{packet:?}");
}

#[test]
fn decode_never_panics_on_random_bytes() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut decoder = Decoder::new(true, DECODE_DEPTH);
    for round in 0..60_000 {
        let count = random.below(120);
        let bytes = random.bytes(count);
        let link_type = LINK_TYPES[round % LINK_TYPES.len()];
        let time_ns = random.next() as i64;
        check(&mut decoder, &bytes, link_type, random.next() as u32, time_ns);
    }
    decoder.finish(&mut Vec::new());
}

#[test]
fn decode_never_panics_on_damaged_packets() {
    let mut random = Random(7);
    let mut decoders = [Decoder::default(), Decoder::new(true, 8)];
    let seeds = seeds();
    for round in 0..60_000 {
        let (link_type, mut bytes) = seeds[round % seeds.len()].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = random.next() as u8;
        }
        let wire_len = bytes.len() as u32 + random.below(3) as u32;
        bytes.truncate(bytes.len() - random.below(bytes.len() / 2));
        let link_type = if random.below(8) == 0 { LINK_TYPES[random.below(28)] } else { link_type };
        for decoder in &mut decoders {
            check(decoder, &bytes, link_type, wire_len, round as i64);
        }
    }
    let mut out = Vec::new();
    for decoder in &mut decoders {
        out.clear();
        decoder.finish(&mut out);
        for packet in &out {
            bounded(packet, decoder.datagram());
        }
        assert!(decoder.counts().malformed > 0 && decoder.counts().packets > 10_000);
    }
}

#[test]
fn a_lower_snap_length_gives_the_same_lengths_while_the_headers_are_whole() {
    for (link_type, bytes) in seeds() {
        let whole = decoded(&bytes, link_type, bytes.len());
        for kept in 0..bytes.len() {
            let cut = decoded(&bytes[..kept], link_type, bytes.len());
            for (packet, expected) in cut.iter().zip(&whole) {
                let same_headers = packet.tunnel == expected.tunnel && packet.protocol == expected.protocol;
                if same_headers && packet.transport == expected.transport {
                    assert_eq!((packet.ip_len, packet.payload_len), (expected.ip_len, expected.payload_len));
                    assert!(packet.payload_captured <= expected.payload_captured);
                }
            }
            let headers = whole.iter().map(|packet| packet.payload_at).max().unwrap_or(0);
            if kept >= headers as usize && whole.iter().all(|packet| !packet.reassembled) {
                assert_eq!(cut.len(), whole.len());
            }
        }
    }
}

fn decoded(bytes: &[u8], link_type: u16, wire_len: usize) -> Vec<Packet> {
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    decoder.decode(bytes, link_type, wire_len as u32, 0, &mut out);
    decoder.finish(&mut out);
    out
}

#[test]
fn every_frame_is_accounted_for() {
    let mut random = Random(99);
    let mut decoder = Decoder::default();
    let mut tallies = [0_u64; 4];
    for _ in 0..20_000 {
        let count = random.below(90);
        let bytes = random.bytes(count);
        match check(&mut decoder, &bytes, LINK_TYPES[random.below(28)], count as u32, 0) {
            Outcome::Ip | Outcome::BadHeaderChecksum => tallies[0] += 1,
            Outcome::NotIp { .. } => tallies[1] += 1,
            Outcome::UnsupportedLinkType(_) => tallies[2] += 1,
            Outcome::Malformed(_) => tallies[3] += 1,
        }
    }
    let counts = decoder.counts();
    assert_eq!(counts.frames, tallies.iter().sum::<u64>());
    assert_eq!(counts.not_ip.iter().sum::<u64>(), tallies[1]);
    assert_eq!(counts.unsupported.values().sum::<u64>(), tallies[2]);
    assert!(counts.malformed >= tallies[3]);
}

#[test]
fn headers_within_headers_end_at_a_limit() {
    let frame = ethernet(0x0800, &ipv4(6, &tcp(2, b"")));
    let nested = (0..100).fold(frame, |inner, _| ethernet(0x88e7, &behind("00000001", &inner)));
    let outcome = check(&mut Decoder::default(), &nested, ETHERNET, nested.len() as u32, 0);
    assert!(matches!(outcome, Outcome::Malformed(_)), "{outcome:?}");
}
