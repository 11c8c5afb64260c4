//! Link types and what lies between the link and IP.

use super::build::{ETHERNET, behind, decode, ethernet, ipv4, ipv6, one, tcp};
use crate::wire::{NotIp, Outcome, tunnel_path, vlan_ids};

const DATA: &str = "08 02 0000 020000000001 020000000002 020000000003 1000";
const SNAP_IP: &str = "aaaa03 000000 0800";

fn packet() -> Vec<u8> {
    ipv4(6, &tcp(2, b"data"))
}

#[test]
fn every_link_type_leads_to_the_same_packet() {
    let wifi = |radio: &str| format!("{radio} {DATA} {SNAP_IP}");
    let headers = [
        (0, "02000000".to_owned()),
        (0, "00000002".to_owned()),
        (108, "00000002".to_owned()),
        (12, String::new()),
        (14, String::new()),
        (101, String::new()),
        (228, String::new()),
        (9, "ff03 0021".to_owned()),
        (9, "21".to_owned()),
        (50, "ff03 0021".to_owned()),
        (50, "0f00 0800".to_owned()),
        (10, format!("50 020000000001 020000000002 {SNAP_IP}")),
        (100, SNAP_IP.to_owned()),
        (104, "0f00 0800".to_owned()),
        (107, "1841 03 cc".to_owned()),
        (107, "1841 03 00 80 000000 0800".to_owned()),
        (109, "02000000 00000001 00000000".to_owned()),
        (113, "0000 0001 0006 0200000000010000 0800".to_owned()),
        (276, "0800 0000 00000003 0001 00 06 0200000000010000".to_owned()),
        (204, "00 ff03 0021".to_owned()),
        (239, "02 00 0000 0800 0100 08000000 1800 0900".to_owned()),
        (239, "02 00 0000 0006 0001 0800 0000 0018 0009".to_owned()),
        (258, "0c000000 01000000 0c000000".to_owned()),
        (192, "00 00 0800 69000000".to_owned() + DATA + SNAP_IP),
        (105, wifi("")),
        (127, wifi("00 00 0900 02000000 00")),
        (163, wifi("80211001 00000010 0000000000000000")),
        (119, wifi("44000000 10000000 0000000000000000")),
        (6, format!("10 40 020000000001 020000000002 {SNAP_IP}")),
        (6, format!("10 40 020000000001 820000000002 0630 0011 0020 {SNAP_IP}")),
        (11, SNAP_IP.to_owned()),
        (106, SNAP_IP.to_owned()),
        (106, String::new()),
        (117, "3d 02 00 00".to_owned() + &"00".repeat(60)),
        (123, format!("02 00 0064 {SNAP_IP}")),
        (138, "0200000000000001 0200000000000002 0800".to_owned()),
        (166, "01 03 0021".to_owned()),
        (197, "0000000000000000 02 04 0040 0000 002c 0000 020000000001 020000000002 0800".to_owned()),
        (197, "0000000000000000 96 04 0040 0000 002c 8100000000000000 0100000000000000".to_owned()),
        (197, "0000000000000000 01 04 0040 0000 002c 0f00 0800".to_owned()),
        (226, "01 02 0000 0000002c 00000001 00000000 00000000 00000000".to_owned()),
        (240, "00000000 020000000001 020000000002 0800".to_owned()),
        (281, "020000000001 020000000002 00000001 0800".to_owned()),
        (282, "00000001 020000000001 020000000002 0800".to_owned()),
        (284, "020000000001 020000000002 40000000 0800".to_owned()),
        (285, "020000000001 020000000002 dada 0000 40000000 0800".to_owned()),
    ];
    for (link_type, header) in headers {
        let found = one(link_type, &behind(&header, &packet()));
        assert_eq!((found.ip_len, found.source_port, found.payload_len), (44, 50_000, 4), "{link_type} {header}");
    }
    for (link_type, header) in
        [(0, "1e000000"), (0, "0000001c"), (0, "18000000"), (229, ""), (113, "0000000100060000000000000000 86dd")]
    {
        let found = one(link_type, &behind(header, &ipv6(6, &tcp(2, b"data"))));
        assert_eq!((found.version, found.source_port), (6, 50_000), "{link_type}");
    }
}

#[test]
fn an_unknown_link_type_is_named_and_counted() {
    let (outcome, packets, counts) = decode(147, &packet());
    assert_eq!((outcome, packets.len()), (Outcome::UnsupportedLinkType(147), 0));
    assert_eq!(counts.unsupported.get(&147), Some(&1));
}

#[test]
fn control_frames_of_old_links_carry_nothing() {
    for (link_type, frame) in [(6, "10 00 020000000001 020000000002 0000"), (10, "80 020000000001 020000000002 0000")] {
        let (outcome, ..) = decode(link_type, &behind(frame, &[]));
        assert_eq!(outcome, Outcome::NotIp { kind: NotIp::LinkControl, ethertype: 0 }, "{link_type}");
    }
}

#[test]
fn a_packet_tap_in_a_packet_tap_is_refused() {
    let tap = "0c000000 01000000 02010000".repeat(3);
    assert_eq!(decode(258, &behind(&tap, &packet())).0, Outcome::UnsupportedLinkType(258));
}

#[test]
fn length_frames_with_snap_carry_ip() {
    let llc = behind(SNAP_IP, &packet());
    assert_eq!(one(ETHERNET, &ethernet(llc.len() as u16, &llc)).source_port, 50_000);
}

#[test]
fn link_level_encapsulations_stand_in_the_path() {
    let cases = [
        (0x8864, "1100 0001 0030 0021", "pppoe"),
        (0x8847, "0001f040 00015140", "mpls"),
        (0x88e7, "00000001 020000000001 020000000002 0800", "pbb"),
        (0x8926, "00000000 0800", "vntag"),
        (0x893f, "000000000000 0800", "etag"),
        (0x8903, "0420 020000000001 020000000002 0800", "fabricpath"),
        (0x88e5, "00 00 00000001 0800", "macsec"),
        (0x88e5, "20 00 00000001 0200000000010001 0800", "macsec"),
        (0x8909, "01 01 0001 0002 0800", ""),
    ];
    for (ethertype, header, path) in cases {
        let (_, packets, _) = decode(ETHERNET, &ethernet(ethertype, &behind(header, &packet())));
        assert_eq!(packets.len(), 1, "{ethertype:04x}");
        assert_eq!((packets[0].source_port, tunnel_path(packets[0].tunnel).as_str()), (50_000, path));
    }
}

#[test]
fn label_stacks_lead_to_ip_or_to_a_pseudowire() {
    let labels = "0001f040 00014040";
    let bottom = "0001f040 00015140";
    assert!(decode(ETHERNET, &ethernet(0x8847, &behind(labels, &packet()))).1.is_empty());
    assert_eq!(one(ETHERNET, &ethernet(0x8847, &behind(bottom, &packet()))).source_port, 50_000);
    let frame = ethernet(0x0800, &packet());
    let pseudowire = one(ETHERNET, &ethernet(0x8847, &behind(&format!("{bottom} 00000000"), &frame)));
    assert_eq!(tunnel_path(pseudowire.tunnel), "mpls");
    assert_eq!(one(ETHERNET, &ethernet(0x8848, &behind(bottom, &frame))).source_port, 50_000);
}

#[test]
fn encrypted_frames_are_named_not_guessed_at() {
    let macsec = behind("0c 00 00000001", &packet());
    let outcome = decode(ETHERNET, &ethernet(0x88e5, &macsec)).0;
    assert_eq!(outcome, Outcome::NotIp { kind: NotIp::Macsec, ethertype: 0x88e5 });
    let protected = DATA.replacen("08 02", "08 42", 1);
    let outcome = decode(105, &behind(&protected, &packet())).0;
    assert_eq!(outcome, Outcome::NotIp { kind: NotIp::WifiOpaque, ethertype: 0 });
}

#[test]
fn beacons_carry_nothing() {
    let outcome = decode(105, &behind("80 00", &[0; 60])).0;
    assert_eq!(outcome, Outcome::NotIp { kind: NotIp::WifiControl, ethertype: 0 });
}

#[test]
fn quality_of_service_and_bridged_wifi_headers_are_longer() {
    let bridged = "88 03 0000 020000000001 020000000002 020000000003 1000 020000000004 0000";
    assert_eq!(one(105, &behind(&format!("{bridged} {SNAP_IP}"), &packet())).source_port, 50_000);
    // Padded to a multiple of four, as the radiotap flags say.
    let quality = "88 02 0000 020000000001 020000000002 020000000003 1000 0000 0000";
    let padded = format!("00 00 0900 02000000 20 {quality} {SNAP_IP}");
    assert_eq!(one(127, &behind(&padded, &packet())).source_port, 50_000);
    // The flags come after an aligned timestamp and a second presence word.
    let padded = format!("00 00 1900 03000080 00000000 00000000 0000000000000000 20 {quality} {SNAP_IP}");
    assert_eq!(one(127, &behind(&padded, &packet())).source_port, 50_000);
}

#[test]
fn an_aggregate_gives_all_its_packets() {
    let quality = "88 02 0000 020000000001 020000000002 020000000003 1000 8000";
    let addresses = "020000000001 020000000002";
    let inner = behind(SNAP_IP, &packet());
    let length = inner.len();
    let mut part = behind(&format!("{addresses} {length:04x}"), &inner);
    part.resize(part.len().next_multiple_of(4), 0);
    let (outcome, packets, _) = decode(105, &behind(quality, &[part.clone(), part].concat()));
    assert_eq!((outcome, packets.len()), (Outcome::Ip, 2));
    assert_ne!(packets[0].payload_at, packets[1].payload_at);
}

#[test]
fn vlan_tags_inside_a_tunnel_follow_those_outside() {
    let inner = ethernet(0x8100, &behind("0007 0800", &packet()));
    let outer = ethernet(0x8100, &behind("0003 88e7 00000001", &inner));
    assert_eq!(vlan_ids(one(ETHERNET, &outer).vlan).collect::<Vec<_>>(), [3, 7]);
}
