//! Packets within packets.

use super::build::{ETHERNET, RAW, behind, decode, ethernet, ipv4, ipv4_fragment, ipv6, one, tcp, udp};
use crate::wire::{Decoder, Outcome, Packet, tunnel_path};

fn inner4() -> Vec<u8> {
    ipv4(6, &tcp(2, b"data"))
}

fn inner6() -> Vec<u8> {
    ipv6(6, &tcp(2, b"data"))
}

fn path(packet: &Packet) -> String {
    tunnel_path(packet.tunnel)
}

#[test]
fn ip_level_carriers_give_only_what_they_carry() {
    let frame = ethernet(0x0800, &inner4());
    let cases = [
        (ipv4(4, &inner4()), "ipip"),
        (ipv6(41, &inner6()), "ipip"),
        (ipv4(41, &inner6()), "6in4"),
        (ipv6(4, &inner4()), "4in6"),
        (ipv4(47, &behind("0000 0800", &inner4())), "gre"),
        (ipv4(47, &behind("b000 86dd 00000000 00000001 00000002", &inner6())), "gre"),
        (ipv4(47, &behind("2000 6558 00001700", &frame)), "gre"),
        (ipv4(47, &behind("3081 880b 00300001 00000001 00000002 ff03 0021", &inner4())), "gre/ppp"),
        (ipv4(47, &behind("0000 88be", &frame)), "gre/erspan"),
        (ipv4(47, &behind("1000 88be 00000001 1001000000000000", &frame)), "gre/erspan"),
        (ipv4(47, &behind("1000 22eb 00000001 200100000000000000000000", &frame)), "gre/erspan"),
        (ipv4(47, &behind("1000 22eb 00000001 200100000000000000000801 0000000000000000", &inner4())), "gre/erspan"),
        (ipv4(47, &behind("0000 8847 00015140", &inner4())), "gre/mpls"),
        (ipv4(47, &behind("0000 883e", &inner4())), "gre"),
        (ipv4(47, &behind("0000 883e 00000000", &inner4())), "gre"),
    ];
    for (packet, name) in cases {
        let found = one(RAW, &packet);
        assert_eq!((found.source_port, found.payload_len, path(&found).as_str()), (50_000, 4, name));
    }
}

#[test]
fn udp_carriers_are_packets_too_and_come_first() {
    let frame = ethernet(0x0800, &inner4());
    let cases = [
        (4789, behind("08000000 00002a00", &frame), "vxlan"),
        (8472, behind("08000000 00002a00", &frame), "vxlan"),
        (6081, behind("00006558 00000100", &frame), "geneve"),
        (6081, behind("01000800 00000100 01020300", &inner4()), "geneve"),
        (2152, behind("30ff 002c 00000001", &inner4()), "gtpu"),
        (2152, behind("34ff 0034 00000001 00000085 01100000", &inner4()), "gtpu"),
        (3544, inner6(), "teredo"),
        (3544, behind("00010000 0000000000000000 00 0000 000000000000", &inner6()), "teredo"),
        (5072, behind("0000 01 04 00000000 00", &inner4()), "ayiya"),
        (
            5072,
            behind("4152 01 29 00000000 000102030405060708090a0b0c0d0e0f", &[vec![0; 20], inner6()].concat()),
            "ayiya",
        ),
        (4754, behind("0000 0800", &inner4()), "gre-in-udp/gre"),
        (37008, behind("01 00 0001 0a01ff 00 01", &frame), "tzsp"),
        (5247, behind("00 10 00 00 00000000", &frame), "capwap"),
        (
            5247,
            behind(
                "00 10 03 00 00000000 0208 0000 020000000001 020000000002 020000000003 0010 aaaa03 000000 0800",
                &inner4(),
            ),
            "capwap",
        ),
    ];
    for (port, payload, name) in cases {
        for (source, destination) in [(60_000, port), (port, 60_000)] {
            let (outcome, packets, counts) = decode(RAW, &ipv4(17, &udp(source, destination, &payload)));
            assert_eq!((outcome, packets.len()), (Outcome::Ip, 2), "{name}");
            assert_eq!((packets[0].protocol, packets[0].tunnel), (17, 0));
            assert_eq!((packets[1].source_port, packets[1].payload_len), (50_000, 4));
            assert_eq!((path(&packets[1]).as_str(), counts.malformed), (name, 0));
        }
    }
}

#[test]
fn teredo_is_known_by_the_address_of_a_client_on_any_port() {
    let mut packet = inner6();
    for (from, carried) in [(8, true), (24, true), (9, false)] {
        packet[8..40].fill(7);
        packet[from..from + 4].copy_from_slice(&[0x20, 1, 0, 0]);
        let (_, packets, _) = decode(ETHERNET, &ethernet(0x0800, &ipv4(17, &udp(41_000, 42_000, &packet))));
        assert_eq!(packets.len(), 1 + usize::from(carried), "{from}");
        assert_eq!(packets.get(1).map(path), carried.then(|| "teredo".to_owned()));
    }
    // A length that does not fill the datagram is somebody else's.
    packet[5] += 1;
    assert_eq!(decode(ETHERNET, &ethernet(0x0800, &ipv4(17, &udp(41_000, 42_000, &packet)))).1.len(), 1);
}

#[test]
fn other_traffic_on_a_tunnel_port_stays_plain_udp() {
    let mut too_long = ethernet(0x0800, &inner4());
    too_long[17] += 1;
    let payloads = [
        b"GET / HTTP/1.1".to_vec(),
        behind("00000000 00002a00", &ethernet(0x0800, &inner4())),
        behind("08000000 00002a00", &too_long),
        behind("08000000 00002a00", &ethernet(0x0806, &[0; 28])),
        Vec::new(),
    ];
    for port in [2152, 3544, 4754, 4789, 5072, 5247, 6081, 8472, 37008] {
        for payload in &payloads {
            let (outcome, packets, counts) = decode(RAW, &ipv4(17, &udp(53, port, payload)));
            assert_eq!((outcome, packets.len(), counts.malformed), (Outcome::Ip, 1, 0), "{port}");
            assert_eq!(packets[0].payload_len as usize, payload.len());
        }
    }
}

#[test]
fn a_carrier_that_cannot_be_read_is_a_packet_itself() {
    for payload in [behind("4000 0800", &inner4()), behind("0000 0000", b"keepalive"), behind("0000 0806", &[0; 28])] {
        let (outcome, packets, counts) = decode(RAW, &ipv4(47, &payload));
        assert_eq!((outcome, packets.len(), counts.tunnels_unread), (Outcome::Ip, 1, 1));
        assert_eq!((packets[0].protocol, packets[0].payload_len as usize), (47, payload.len()));
    }
    let (_, packets, _) = decode(RAW, &ipv4(4, b"garbage that is no header"));
    assert_eq!(packets[0].protocol, 4);
}

#[test]
fn the_fifth_tunnel_stays_closed_and_is_counted() {
    let nested = |times: usize| (0..times).fold(inner4(), |inner, _| ipv4(4, &inner));
    assert_eq!(path(&one(RAW, &nested(4))), "ipip/ipip/ipip/ipip");
    let (_, packets, counts) = decode(RAW, &nested(5));
    assert_eq!((packets.len(), packets[0].protocol, counts.depth_reached), (1, 4, 1));
    assert_eq!(packets[0].payload_len as usize, inner4().len());
}

#[test]
fn no_tunnel_is_entered_when_none_is_allowed() {
    let mut packets = Vec::new();
    let packet = ipv4(4, &inner4());
    Decoder::new(false, 0).decode(&packet, RAW, packet.len() as u32, 0, &mut packets);
    assert_eq!((packets.len(), packets[0].protocol), (1, 4));
}

#[test]
fn a_tunnel_cut_by_the_capture_keeps_the_inner_lengths() {
    let inner = ethernet(0x0800, &ipv4(6, &tcp(0x18, &[5; 1000])));
    let packet = ipv4(17, &udp(60_000, 4789, &behind("08000000 00002a00", &inner)));
    let mut packets = Vec::new();
    Decoder::default().decode(&packet[..96], RAW, packet.len() as u32, 0, &mut packets);
    assert_eq!((packets[1].ip_len, packets[1].payload_len, packets[1].payload_captured), (1040, 1000, 6));
    assert_eq!(packets[0].payload_len as usize, packet.len() - 28);
}

#[test]
fn the_carrier_of_a_mirror_may_be_fragmented() {
    let gre = behind("0000 88be", &ethernet(0x0800, &ipv4(6, &tcp(0x18, &[9; 200]))));
    let (first, second) = gre.split_at(64);
    let mut decoder = Decoder::default();
    let mut packets = Vec::new();
    for piece in [ipv4_fragment(47, 0x2000, first), ipv4_fragment(47, 8, second)] {
        decoder.decode(&ethernet(0x0800, &piece), ETHERNET, 14 + piece.len() as u32, 0, &mut packets);
    }
    assert_eq!((packets.len(), packets[0].payload_len, path(&packets[0]).as_str()), (1, 200, "gre/erspan"));
    let (at, count) = (packets[0].payload_at as usize, packets[0].payload_captured as usize);
    assert_eq!(decoder.datagram()[at..at + count], [9; 200]);
}
