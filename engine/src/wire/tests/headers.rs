//! IP and transport headers.

use super::build::{ETHERNET, RAW, behind, decode, ethernet, fold, hex, ipv4, ipv6, one, tcp, udp};
use crate::wire::{Address, DECODE_DEPTH, Decoder, LayerError, NotIp, Outcome, Packet, Transport, vlan_ids};

#[test]
fn a_tcp_segment_gives_every_field() {
    let packet = one(ETHERNET, &ethernet(0x0800, &ipv4(6, &tcp(0x18, b"hello"))));
    let expected = Packet {
        time_ns: 5,
        source: Address::from_v4([192, 0, 2, 1]),
        destination: Address::from_v4([198, 51, 100, 2]),
        ip_len: 45,
        payload_len: 5,
        payload_at: 54,
        payload_captured: 5,
        sequence: 100,
        acknowledgement: 200,
        window: 4096,
        ip_id: 7,
        checksum: 0x6b41,
        hop_limit: 64,
        source_port: 50_000,
        destination_port: 16_384,
        version: 4,
        protocol: 6,
        tcp_flags: 0x18,
        ..Packet::default()
    };
    assert_eq!(packet, expected);
}

#[test]
fn ethernet_padding_is_no_payload() {
    let mut frame = ethernet(0x0800, &ipv4(6, &tcp(0x10, b"")));
    frame.resize(60, 0);
    assert_eq!((one(ETHERNET, &frame).payload_len, one(ETHERNET, &frame).payload_captured), (0, 0));
}

#[test]
fn the_fast_way_and_the_long_way_agree() {
    let segments = [ipv4(6, &tcp(2, b"")), ipv4(6, &tcp(0x18, &[7; 900])), ipv4(17, &udp(5, 6, b"abc"))];
    let segments = segments.into_iter().map(|packet| (0x0800_u16, packet));
    let segments = segments.chain([(0x86dd, ipv6(6, &tcp(0x11, b"xy"))), (0x86dd, ipv6(17, &udp(53, 9, b"q")))]);
    for (ethertype, packet) in segments {
        for tags in ["", "81000005", "88a8012c81000005", "910000018100000281000003"] {
            let mut link = hex(tags);
            let inner: Vec<u8> = [ethertype.to_be_bytes().to_vec(), packet.clone()].concat();
            let frame = if link.is_empty() {
                ethernet(ethertype, &packet)
            } else {
                let first = u16::from_be_bytes([link.remove(0), link.remove(0)]);
                ethernet(first, &[link, inner].concat())
            };
            for cut in [0, 1, 4, 700] {
                let kept = &frame[..frame.len().saturating_sub(cut).max(14)];
                let wire_len = frame.len() as u32;
                let (mut fast, mut slow) = (Vec::new(), Vec::new());
                Decoder::default().decode(kept, ETHERNET, wire_len, 1, &mut fast);
                // Validating goes the long way; these checksums are right or cannot be judged (IPv6: wrong).
                Decoder::new(true, DECODE_DEPTH).decode(kept, ETHERNET, wire_len, 1, &mut slow);
                for packet in &mut slow {
                    if packet.transport == Transport::BadChecksum && packet.version == 6 {
                        packet.transport = Transport::Whole;
                    }
                }
                assert_eq!(fast, slow);
            }
        }
    }
}

#[test]
fn ip_and_tcp_options_are_not_payload() {
    let options = hex("c350 4000 00000001 00000000 80 02 1000 0000 0000 020405b4 01010101 01010101");
    let packet = one(RAW, &ipv4(6, &options));
    assert_eq!((packet.payload_len, packet.transport), (0, Transport::Whole));
    let mut long = ipv4(6, &behind("01010101", &tcp(0x10, b"ab")));
    long[0] = 0x46;
    let packet = one(RAW, &long);
    assert_eq!((packet.source_port, packet.payload_len, packet.payload_at), (50_000, 2, 44));
}

#[test]
fn a_frame_cut_by_the_snap_length_keeps_its_lengths() {
    let frame = ethernet(0x0800, &ipv4(6, &tcp(0x18, &[1; 1000])));
    let mut packets = Vec::new();
    Decoder::default().decode(&frame[..54], ETHERNET, frame.len() as u32, 0, &mut packets);
    assert_eq!((packets[0].ip_len, packets[0].payload_len, packets[0].payload_captured), (1040, 1000, 0));
    assert_eq!(packets[0].transport, Transport::Whole);
}

#[test]
fn a_tcp_header_cut_by_the_capture_gives_what_is_readable() {
    let frame = ethernet(0x0800, &ipv4(6, &tcp(0x02, &[1; 10])));
    let mut packets = Vec::new();
    Decoder::default().decode(&frame[..42], ETHERNET, frame.len() as u32, 0, &mut packets);
    assert_eq!((packets[0].source_port, packets[0].sequence, packets[0].acknowledgement), (50_000, 100, 0));
    assert_eq!(packets[0].transport, Transport::Short { needed: 20, available: 8, cut: true });
    assert_eq!(packets[0].payload_len, 0);
}

#[test]
fn a_tcp_header_that_lies_about_its_length_is_short_but_not_cut() {
    let mut segment = tcp(0x02, b"");
    segment[12] = 0x40;
    let small = one(RAW, &ipv4(6, &segment));
    assert_eq!(small.transport, Transport::Short { needed: 20, available: 20, cut: false });
    assert_eq!((small.source_port, small.payload_len), (50_000, 0));
    segment[12] = 0xf0;
    let large = one(RAW, &ipv4(6, &segment));
    assert_eq!(large.transport, Transport::Short { needed: 60, available: 20, cut: false });
}

#[test]
fn udp_payload_follows_the_udp_length_within_the_packet() {
    let with_length = |length: u16| {
        let mut segment = udp(1000, 2000, b"abcdef");
        segment[4..6].copy_from_slice(&length.to_be_bytes());
        one(RAW, &ipv4(17, &segment))
    };
    assert_eq!(with_length(14).payload_len, 6);
    assert_eq!(with_length(11).payload_len, 3);
    assert_eq!(with_length(11).payload_captured, 3);
    assert_eq!(with_length(900).payload_len, 6);
    assert_eq!(with_length(0).payload_len, 6);
    assert_eq!(with_length(7).transport, Transport::Short { needed: 8, available: 7, cut: false });
}

#[test]
fn icmp_type_and_code_stand_in_the_ports() {
    let packet = one(RAW, &ipv4(1, &hex("03 0d 0000 00000000 45000014")));
    assert_eq!((packet.source_port, packet.destination_port, packet.payload_len), (3, 13, 4));
    let packet = one(RAW, &ipv6(58, &hex("80 00 0000 00010001")));
    assert_eq!((packet.source_port, packet.destination_port, packet.payload_len), (128, 0, 0));
}

#[test]
fn other_protocols_are_all_payload() {
    let packet = one(RAW, &ipv4(132, &[9; 16]));
    assert_eq!((packet.protocol, packet.source_port, packet.payload_len, packet.payload_at), (132, 0, 16, 20));
}

#[test]
fn extension_headers_are_walked_to_the_transport() {
    let hop_by_hop = "3c 00 000000000000";
    let destination_options = "2b 00 010400000000";
    let routing = "06 00 0000 00000000";
    let packet = one(RAW, &ipv6(0, &behind(&format!("{hop_by_hop} {destination_options} {routing}"), &tcp(2, b"z"))));
    assert_eq!((packet.protocol, packet.source_port, packet.payload_len, packet.ip_len), (6, 50_000, 1, 85));
}

#[test]
fn authentication_headers_are_walked_in_both_versions() {
    let header = "06 04 0000 00000001 00000001 000102030405060708090a0b";
    assert_eq!(one(RAW, &ipv4(51, &behind(header, &tcp(2, b"")))).source_port, 50_000);
    assert_eq!(one(RAW, &ipv6(51, &behind(header, &tcp(2, b"")))).source_port, 50_000);
}

#[test]
fn encrypted_payload_stays_esp() {
    assert_eq!(one(RAW, &ipv6(50, &[3; 40])).protocol, 50);
}

#[test]
fn no_next_header_is_protocol_59() {
    let packet = one(RAW, &ipv6(59, b""));
    assert_eq!((packet.protocol, packet.payload_len, packet.ip_len), (59, 0, 40));
}

#[test]
fn a_source_route_leads_to_its_last_address() {
    let routing = "06 02 00 01 00000000 20010db8000000000000000000000099";
    let packet = one(RAW, &ipv6(43, &behind(routing, &tcp(2, b""))));
    assert_eq!(packet.destination.to_string(), "2001:db8::99");
    let used_up = "06 02 00 00 00000000 20010db8000000000000000000000099";
    assert_eq!(one(RAW, &ipv6(43, &behind(used_up, &tcp(2, b"")))).destination.to_string(), "2001:db8::2");
}

#[test]
fn a_mobile_node_is_known_by_its_home_address() {
    let option = "06 02 0102 0000 c910 20010db80000000000000000000000aa";
    let packet = one(RAW, &ipv6(60, &behind(option, &tcp(2, b""))));
    assert_eq!(packet.source.to_string(), "2001:db8::aa");
}

#[test]
fn an_extension_header_cut_by_the_capture_is_handed_out_under_its_own_number() {
    let frame = ipv6(0, &behind("06 01 0104000000000000000000000000", &tcp(2, b"")));
    let mut packets = Vec::new();
    Decoder::default().decode(&frame[..46], RAW, frame.len() as u32, 0, &mut packets);
    assert_eq!(packets[0].protocol, 0);
    assert_eq!(packets[0].transport, Transport::Short { needed: 16, available: 6, cut: true });
}

#[test]
fn a_length_of_zero_is_taken_from_the_wire() {
    let mut packet = ipv4(6, &tcp(0x18, &[1; 3000]));
    packet[2..4].fill(0);
    let (_, packets, counts) = decode(ETHERNET, &ethernet(0x0800, &packet));
    assert_eq!((packets[0].ip_len, packets[0].payload_len, counts.zero_length), (3040, 3000, 1));
}

#[test]
fn a_length_that_the_checksum_contradicts_is_not_believed() {
    let mut packet = ipv4(17, &udp(5000, 6000, b"data"));
    packet[2] = 0x40;
    let (outcome, packets, _) = decode(RAW, &packet);
    assert!(packets.is_empty());
    let Outcome::Malformed(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.claimed_by, "total length, which the header's checksum contradicts");
    // Left to the network card, the checksum says nothing.
    packet[10..12].fill(0);
    assert_eq!(one(RAW, &packet).ip_len, 0x4000 + packet.len() as u32);
}

#[test]
fn an_ipv6_packet_of_length_zero_ends_with_its_header_unless_cards_or_jumbograms_fill_it_in() {
    let empty = |next: u8| {
        let mut packet = ipv6(next, &tcp(2, b""));
        packet[4..6].fill(0);
        one(RAW, &packet)
    };
    assert_eq!((empty(99).ip_len, empty(99).payload_len), (40, 0));
    assert_eq!((empty(6).ip_len, empty(6).source_port), (60, 50_000));
}

#[test]
fn a_length_beyond_the_frame_is_believed_and_counted() {
    let mut packet = ipv4(6, &tcp(0x18, b"abc"));
    packet[2..4].copy_from_slice(&1500_u16.to_be_bytes());
    packet[10..12].fill(0);
    let sum = fold(&[&packet[..20]]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    let (_, packets, counts) = decode(ETHERNET, &ethernet(0x0800, &packet));
    assert_eq!((packets[0].ip_len, packets[0].payload_captured, counts.longer_than_frame), (1500, 3, 1));
}

#[test]
fn impossible_ip_headers_are_malformed_with_the_field_that_says_so() {
    let good = ipv4(6, &tcp(2, b""));
    let with = |at: usize, value: u8| {
        let mut bad = good.clone();
        bad[at] = value;
        match decode(ETHERNET, &ethernet(0x0800, &bad)).0 {
            Outcome::Malformed(LayerError { layer, needed, claimed_by, offset, .. }) => {
                (layer, needed, claimed_by.split(',').next().unwrap_or_default(), offset)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(with(0, 0x44), ("IPv4", 20, "header length", 14));
    assert_eq!(with(0, 0x75), ("IP", 20, "version", 14));
    assert_eq!(with(3, 19), ("IPv4", 20, "total length", 14));
}

#[test]
fn frames_without_ip_say_what_they_are() {
    let kinds = [(0x0806, NotIp::Arp), (0x88cc, NotIp::LinkControl), (0x1234, NotIp::Other), (0x0026, NotIp::Llc)];
    for (ethertype, kind) in kinds {
        let (outcome, packets, counts) = decode(ETHERNET, &ethernet(ethertype, &[0x42; 46]));
        let ethertype = if kind == NotIp::Llc { 0 } else { ethertype };
        assert_eq!((outcome, packets.len()), (Outcome::NotIp { kind, ethertype }, 0));
        assert_eq!(counts.not_ip[kind as usize], 1);
    }
}

#[test]
fn vlan_tags_are_kept_outermost_first() {
    let inner = behind("012c 8100 e02a 0800", &ipv4(6, &tcp(2, b"")));
    let packet = one(ETHERNET, &ethernet(0x88a8, &inner));
    assert_eq!(vlan_ids(packet.vlan).collect::<Vec<_>>(), [300, 42]);
}

#[test]
fn checksums_are_only_judged_on_request_and_when_all_is_there() {
    let mut bad = ethernet(0x0800, &ipv4(6, &tcp(2, b"abcd")));
    bad[56] ^= 1;
    assert_eq!(one(ETHERNET, &bad).transport, Transport::Whole);
    let judge = |bytes: &[u8], wire_len: usize| {
        let mut decoder = Decoder::new(true, DECODE_DEPTH);
        let mut packets = Vec::new();
        let outcome = decoder.decode(bytes, ETHERNET, wire_len as u32, 0, &mut packets);
        (outcome, packets.first().map(|packet| packet.transport), decoder.counts().clone())
    };
    let (_, transport, counts) = judge(&bad, bad.len());
    assert_eq!((transport, counts.bad_checksums), (Some(Transport::BadChecksum), 1));
    assert_eq!(judge(&bad[..57], bad.len()).1, Some(Transport::Whole));
    bad[56] ^= 1;
    assert_eq!(judge(&bad, bad.len()).1, Some(Transport::Whole));
    bad[24] ^= 1;
    let (outcome, transport, counts) = judge(&bad, bad.len());
    assert_eq!((outcome, transport, counts.bad_header_checksums), (Outcome::BadHeaderChecksum, None, 1));
}

#[test]
fn a_udp_checksum_of_zero_was_never_computed() {
    let mut frame = ethernet(0x0800, &ipv4(17, &udp(1000, 2000, b"abcd")));
    frame[40..42].fill(0);
    let mut packets = Vec::new();
    Decoder::new(true, DECODE_DEPTH).decode(&frame, ETHERNET, frame.len() as u32, 0, &mut packets);
    assert_eq!(packets[0].transport, Transport::Whole);
}
