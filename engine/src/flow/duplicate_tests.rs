//! Copies, and what only looks like one.

use super::*;
use crate::flow::FlowKey;
use crate::wire::Address;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;
const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000_000;

/// A capture that goes on as packets come.
#[derive(Default)]
struct Mirror {
    duplicates: Duplicates,
    now_ns: i64,
    interface: u16,
}

impl Mirror {
    /// What comes of a packet `later` nanoseconds after the last one.
    fn sees(&mut self, later: i64, packet: &Packet) -> Option<Seen> {
        self.now_ns += later;
        let packet = Packet { time_ns: self.now_ns, ..*packet };
        let (key, side) = FlowKey::of(&packet);
        self.duplicates.recognise(&packet, side, key.hash(3), self.interface)
    }

    fn takes(&mut self, later: i64, packet: &Packet) {
        assert_eq!(self.sees(later, packet), None);
    }

    fn drops(&mut self, later: i64, packet: &Packet) {
        assert!(self.sees(later, packet).is_some());
    }
}

/// A segment of 100 bytes of payload.
fn data() -> Packet {
    Packet {
        source: Address::from_v4([10, 0, 0, 1]),
        destination: Address::from_v4([192, 0, 2, 9]),
        source_port: 40_000,
        destination_port: 16_384,
        version: 4,
        protocol: protocol::TCP,
        ip_len: 140,
        payload_len: 100,
        ip_id: 7000,
        checksum: 0x1234,
        hop_limit: 64,
        sequence: 5000,
        acknowledgement: 900,
        window: 512,
        tcp_flags: ACK,
        ..Packet::default()
    }
}

/// The same of a sender that gives no identification.
fn nameless() -> Packet {
    Packet { ip_id: 0, ..data() }
}

fn acknowledgement() -> Packet {
    Packet { payload_len: 0, ip_len: 40, ..data() }
}

/// What the other end says to it.
fn answer() -> Packet {
    Packet {
        source: data().destination,
        destination: data().source,
        source_port: 16_384,
        destination_port: 40_000,
        ip_id: 1,
        sequence: 900,
        acknowledgement: 5000,
        ..acknowledgement()
    }
}

fn datagram() -> Packet {
    Packet { protocol: protocol::UDP, sequence: 0, acknowledgement: 0, window: 0, tcp_flags: 0, ..data() }
}

#[test]
fn an_exact_copy_is_recognised_once_for_each_time_it_comes() {
    let mut mirror = Mirror::default();
    mirror.takes(0, &data());
    mirror.drops(40 * MICROSECOND, &data());
    mirror.drops(40 * MICROSECOND, &data());
    mirror.takes(40 * MICROSECOND, &Packet { sequence: 5100, ip_id: 7001, ..data() });
}

#[test]
fn a_routed_copy_has_another_hop_limit_and_vlan_and_both_points_are_told() {
    let mut mirror = Mirror::default();
    mirror.takes(0, &Packet { vlan: 0x800a, ..data() });
    let seen = mirror.sees(MILLISECOND, &Packet { vlan: 0x8014, hop_limit: 63, ..data() });
    let (first, again) = (Point { interface: 0, vlan: 0x800a }, Point { interface: 0, vlan: 0x8014 });
    assert_eq!(seen, Some(Seen { first, again, routed: true }));
}

#[test]
fn a_copy_at_another_interface_is_recognised() {
    let mut mirror = Mirror::default();
    mirror.takes(0, &data());
    mirror.interface = 1;
    let seen = mirror.sees(MICROSECOND, &data()).expect("a copy");
    assert_eq!((seen.first.interface, seen.again.interface, seen.routed), (0, 1, false));
}

#[test]
fn a_copy_behind_other_packets_is_recognised_as_far_as_the_window_goes() {
    for (between, recognised) in [(1, true), (COPY_WINDOW_PACKETS - 1, true), (COPY_WINDOW_PACKETS, false)] {
        let mut mirror = Mirror::default();
        mirror.takes(0, &data());
        for number in 0..between {
            mirror.takes(1, &Packet { source_port: 1, sequence: number as u32, ip_id: 9, ..data() });
        }
        assert_eq!(mirror.sees(1, &data()).is_some(), recognised, "{between}");
    }
}

#[test]
fn the_same_packet_after_the_window_is_taken() {
    let mut mirror = Mirror::default();
    mirror.takes(0, &data());
    mirror.takes(COPY_WINDOW_NS + 2 * MICROSECOND, &data());
}

#[test]
fn a_copy_that_was_captured_before_its_packet_is_one_of_the_two() {
    let mut mirror = Mirror::default();
    mirror.takes(0, &data());
    mirror.drops(-20 * MICROSECOND, &data());
}

#[test]
fn a_retransmission_has_a_new_identification() {
    let mut mirror = Mirror::default();
    mirror.takes(0, &data());
    mirror.takes(20 * MICROSECOND, &Packet { ip_id: 7001, ..data() });
}

#[test]
fn a_retransmission_without_identification_has_another_timestamp_and_so_another_checksum() {
    let mut mirror = Mirror::default();
    mirror.takes(0, &nameless());
    mirror.takes(300 * MICROSECOND, &Packet { checksum: 0x1235, ..nameless() });
}

#[test]
fn a_retransmission_without_identification_and_timestamp_waits_for_a_timer() {
    let mut mirror = Mirror::default();
    mirror.takes(0, &nameless());
    mirror.takes(2 * MILLISECOND, &nameless());
}

#[test]
fn a_retransmission_without_identification_that_the_other_end_provoked_is_no_copy() {
    let mut mirror = Mirror::default();
    mirror.takes(0, &nameless());
    for number in 2..5 {
        mirror.takes(50 * MICROSECOND, &Packet { ip_id: number, ..answer() });
    }
    mirror.takes(50 * MICROSECOND, &nameless());
}

#[test]
fn a_segment_without_identification_that_comes_twice_at_once_is_a_copy() {
    let ipv6 = Packet { version: 6, source: Address(1), destination: Address(2), ..nameless() };
    for packet in [nameless(), ipv6, Packet { payload_len: 0, tcp_flags: SYN, ..nameless() }] {
        let mut mirror = Mirror::default();
        mirror.takes(0, &packet);
        mirror.drops(20 * MICROSECOND, &packet);
    }
}

#[test]
fn duplicate_acknowledgements_have_identifications_of_their_own() {
    let mut mirror = Mirror::default();
    for number in 0..4 {
        mirror.takes(MICROSECOND, &Packet { ip_id: 7000 + number, ..acknowledgement() });
    }
}

#[test]
fn acknowledgements_resets_and_datagrams_without_identification_are_never_called_copies() {
    let nameless_of = |packet| Packet { ip_id: 0, ..packet };
    for packet in [acknowledgement(), Packet { tcp_flags: RST, ..acknowledgement() }, datagram()].map(nameless_of) {
        let mut mirror = Mirror::default();
        mirror.takes(0, &packet);
        mirror.takes(MICROSECOND, &packet);
    }
}

#[test]
fn acknowledgements_and_datagrams_without_identification_that_took_another_way_are_copies() {
    for packet in [acknowledgement(), datagram()] {
        let mut mirror = Mirror::default();
        mirror.takes(0, &Packet { ip_id: 0, ..packet });
        mirror.drops(MICROSECOND, &Packet { ip_id: 0, hop_limit: 63, ..packet });
    }
}

#[test]
fn one_identification_for_all_packets_says_nothing() {
    let mut mirror = Mirror::default();
    mirror.takes(0, &Packet { sequence: 4900, ..data() });
    mirror.takes(MICROSECOND, &acknowledgement());
    mirror.takes(MICROSECOND, &acknowledgement());
}

#[test]
fn one_identification_for_the_packets_of_several_flows_says_nothing() {
    let mut mirror = Mirror::default();
    for port in 1..3 {
        mirror.takes(0, &Packet { source_port: port, ..acknowledgement() });
    }
    mirror.takes(MICROSECOND, &acknowledgement());
    mirror.takes(MICROSECOND, &acknowledgement());
}

#[test]
fn a_copy_beside_its_translation_is_recognised() {
    let mut mirror = Mirror::default();
    mirror.takes(0, &acknowledgement());
    mirror.takes(MICROSECOND, &Packet { source: Address(7), checksum: 9, ..acknowledgement() });
    mirror.drops(MICROSECOND, &acknowledgement());
}

#[test]
fn keepalives_zero_window_probes_and_repeated_syns_are_real() {
    let keepalive = Packet { sequence: 4999, payload_len: 1, ip_len: 41, ..data() };
    let syn = Packet { tcp_flags: SYN, payload_len: 0, ip_len: 60, acknowledgement: 0, ..data() };
    for (packet, wait) in [(keepalive, 1000), (keepalive, 200), (syn, 1000)] {
        for next_id in [0, 1] {
            let mut mirror = Mirror::default();
            mirror.takes(0, &packet);
            mirror.takes(wait * MILLISECOND, &Packet { ip_id: packet.ip_id + next_id, ..packet });
        }
    }
    let mut mirror = Mirror::default();
    mirror.takes(0, &syn);
    mirror.takes(MILLISECOND, &Packet { ip_id: syn.ip_id + 1, checksum: 0x4321, ..syn });
}

#[test]
fn echoes_are_numbered_and_the_next_one_differs_in_its_checksum() {
    let echo = Packet {
        protocol: protocol::ICMP,
        source_port: 8,
        destination_port: 0,
        ip_id: 0,
        sequence: 0,
        acknowledgement: 0,
        window: 0,
        tcp_flags: 0,
        ..data()
    };
    let mut mirror = Mirror::default();
    mirror.takes(0, &echo);
    mirror.drops(20 * MICROSECOND, &echo);
    mirror.takes(20 * MICROSECOND, &Packet { checksum: 0x1235, ..echo });
    mirror.takes(2 * MILLISECOND, &Packet { checksum: 0x1235, ..echo });
}

#[test]
fn without_identification_and_checksum_nothing_can_be_compared() {
    let tunnel = Packet { ip_id: 0, checksum: 0, ..datagram() };
    let mut mirror = Mirror::default();
    mirror.takes(0, &tunnel);
    mirror.takes(0, &tunnel);
    mirror.takes(0, &Packet { hop_limit: 63, ..tunnel });
}

#[test]
fn anything_that_differs_makes_another_packet() {
    let others = [
        Packet { sequence: 5001, ..data() },
        Packet { acknowledgement: 901, ..data() },
        Packet { window: 513, ..data() },
        Packet { tcp_flags: ACK | FIN, ..data() },
        Packet { ip_len: 141, ..data() },
        Packet { checksum: 1, ..data() },
        Packet { source_port: 40_001, ..data() },
        Packet { destination: Address::from_v4([192, 0, 2, 8]), ..data() },
    ];
    let mut mirror = Mirror::default();
    mirror.takes(0, &data());
    for other in &others {
        mirror.takes(MICROSECOND, other);
    }
}

#[test]
fn a_flood_of_equal_hash_values_is_looked_at_so_far_and_no_further() {
    let mut mirror = Mirror::default();
    for port in 0..=CHAIN as u16 {
        mirror.takes(1, &Packet { source_port: port, ..data() });
    }
    mirror.drops(1, &Packet { source_port: CHAIN as u16, ..data() });
    mirror.takes(1, &Packet { source_port: 0, ..data() });
}
