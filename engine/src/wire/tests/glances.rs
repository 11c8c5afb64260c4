//! What is seen at a glance is what the decoder says.

use super::build::{ETHERNET, Random, ethernet, ipv4, ipv6, tcp, udp};
use crate::flow::{FlowKey, glance_hash};
use crate::wire::{Address, Decoder, Glance, Outcome, Packet};

const SEED: u64 = 42;

/// Compares both views of a frame, where it has a glance; whether it has.
fn agree(frame: &[u8], wire_len: u32) -> bool {
    let Some(glance) = Glance::at(frame, wire_len) else { return false };
    let mut packets = Vec::new();
    assert_eq!(Decoder::default().decode(frame, ETHERNET, wire_len, 0, &mut packets), Outcome::Ip);
    let [packet] = packets.as_slice() else { panic!("one packet was expected: {packets:?}") };
    let Packet { source, destination, source_port, destination_port, protocol, tcp_flags, ip_len, .. } = *packet;
    let seen = Glance {
        address: [source, destination].map(|address| address.v4().expect("IPv4")),
        port: [source_port, destination_port],
        ip_len: ip_len as u16,
        protocol,
        tcp_flags,
    };
    assert_eq!((glance, packet.vlan, packet.tunnel, packet.version), (seen, 0, 0, 4));
    assert_eq!(packet.transport, crate::wire::Transport::Whole);
    let same = |packet: &Packet| {
        let Packet { sequence, acknowledgement, window, ip_id, checksum, hop_limit, tcp_flags, ip_len, .. } = *packet;
        let said = (packet.time_ns, packet.protocol, packet.version, ip_len, ip_id, checksum, hop_limit);
        // A datagram has no sequence numbers, and how long its payload is matters to nobody.
        let payload_len = if packet.protocol == 6 { packet.payload_len } else { 0 };
        (said, sequence, acknowledgement, window, tcp_flags, payload_len)
    };
    assert_eq!(same(&glance.identity(frame, 0)), same(packet));
    let (key, side) = FlowKey::of(packet);
    assert_eq!(glance_hash(&glance, SEED), (key.hash(SEED), side));
    true
}

#[test]
fn plain_frames_have_a_glance_whatever_is_cut_behind_their_headers() {
    for packet in [ipv4(6, &tcp(0x12, b"")), ipv4(6, &tcp(0x18, &[7; 900])), ipv4(17, &udp(5, 6, &[1; 40]))] {
        let frame = ethernet(0x0800, &packet);
        for kept in [54, 60, 300] {
            assert!(agree(&frame[..kept.min(frame.len())], frame.len() as u32), "{kept} bytes");
        }
        let mut padded = frame.clone();
        padded.resize(frame.len().max(60), 0);
        assert!(agree(&padded, padded.len() as u32));
    }
}

#[test]
fn odd_frames_are_left_to_the_decoder() {
    let plain = ipv4(6, &tcp(2, b"0123456789"));
    let mut long = plain.clone();
    long[0] = 0x46;
    let mut fragment = plain.clone();
    fragment[6] = 0x20;
    let mut claims_more = plain.clone();
    claims_more[3] += 1;
    let vxlan = ipv4(17, &udp(5, 4789, &[0; 60]));
    let mut client = ipv6(6, &tcp(2, b""));
    client[8..12].copy_from_slice(&[0x20, 1, 0, 0]);
    let teredo = ipv4(17, &udp(5, 6, &client));
    for (ethertype, packet) in [
        (0x0800, long),
        (0x0800, fragment),
        (0x0800, claims_more),
        (0x0800, vxlan),
        (0x0800, teredo),
        (0x86dd, ipv6(6, &tcp(2, b""))),
        (0x8100, plain),
    ] {
        let frame = ethernet(ethertype, &packet);
        assert_eq!(Glance::at(&frame, frame.len() as u32), None);
    }
}

#[test]
fn damaged_frames_have_either_no_glance_or_the_right_one() {
    let seeds = [ipv4(6, &tcp(0x18, b"payload of a segment")), ipv4(17, &udp(500, 600, b"payload of a datagram"))];
    let mut random = Random(7);
    let mut glances = 0;
    for round in 0..60_000 {
        let mut frame = ethernet(0x0800, &seeds[round % 2]);
        for _ in 0..=random.below(3) {
            let at = random.below(frame.len());
            frame[at] = random.next() as u8;
        }
        let wire_len = frame.len() + random.below(3) * 700;
        frame.truncate(frame.len() - random.below(2) * random.below(30));
        glances += u32::from(agree(&frame, wire_len as u32));
    }
    assert!(glances > 10_000, "{glances}");
}

#[test]
fn equal_addresses_are_ordered_by_port_at_a_glance_too() {
    let mut frame = ethernet(0x0800, &ipv4(6, &tcp(2, b"")));
    frame.copy_within(26..30, 30);
    assert!(agree(&frame, frame.len() as u32));
    assert_eq!(Address::from(0xC000_0201_u32), Address::from_v4([192, 0, 2, 1]));
}
