//! The flow table on conversations: this comes in, that goes out.

use super::{Addressed, Basis, Flow, FlowKey, Moment, State, Table};
use crate::wire::{Address, Packet};

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;
const SECOND: i64 = 1_000_000_000;

/// Ports of the two ends of every conversation here.
const CLIENT: u16 = 40_000;
const SERVER: u16 = 16_384;

/// A conversation: packets are sent one millisecond apart unless time is let pass.
struct Talk {
    table: Table,
    now_ns: i64,
    frame: u64,
}

impl Talk {
    fn new() -> Talk {
        Talk { table: Table::new(1000, 1, 7), now_ns: 1_700_000_000 * SECOND, frame: 0 }
    }

    fn wait(mut self, seconds: i64) -> Talk {
        self.now_ns += seconds * SECOND;
        self
    }

    fn packet(mut self, packet: &Packet) -> Talk {
        self.now_ns += 1_000_000;
        self.frame += 1;
        let (key, side) = FlowKey::of(packet);
        let addressed = Addressed::new(key, side, self.table.seed());
        let moment = Moment { time_ns: self.now_ns, frame: self.frame, ..Moment::default() };
        self.table.update(&addressed, packet, || &[], moment);
        self
    }

    /// A segment of the server with ACK and this payload.
    fn server_says(mut self, payload: &[u8]) -> Talk {
        self.frame += 1;
        let packet = segment(false, ACK, 500, 101, payload.len() as u32);
        let (key, side) = FlowKey::of(&packet);
        let addressed = Addressed::new(key, side, self.table.seed());
        let moment = Moment { time_ns: self.now_ns, frame: self.frame, ..Moment::default() };
        self.table.update(&addressed, &packet, || payload, moment);
        self
    }

    /// A segment of the client.
    fn client(self, tcp_flags: u8, sequence: u32, acknowledgement: u32, payload_len: u32) -> Talk {
        self.packet(&segment(true, tcp_flags, sequence, acknowledgement, payload_len))
    }

    /// A segment of the server.
    fn server(self, tcp_flags: u8, sequence: u32, acknowledgement: u32, payload_len: u32) -> Talk {
        self.packet(&segment(false, tcp_flags, sequence, acknowledgement, payload_len))
    }

    fn handshake(self) -> Talk {
        self.client(SYN, 100, 0, 0).server(SYN | ACK, 500, 101, 0).client(ACK, 101, 501, 0)
    }

    /// All flows, in order of their first frames.
    fn flows(mut self) -> Vec<Flow> {
        self.table.finish();
        let mut flows = self.table.take_ended(Vec::new(), usize::MAX);
        flows.sort_by_key(|flow| flow.first_frame);
        flows
    }

    /// The one flow there is.
    fn flow(self) -> Flow {
        let mut flows = self.flows();
        assert_eq!(flows.len(), 1);
        flows.remove(0)
    }
}

fn segment(from_client: bool, tcp_flags: u8, sequence: u32, acknowledgement: u32, payload_len: u32) -> Packet {
    let packet = Packet {
        source: Address(1),
        destination: Address(2),
        source_port: CLIENT,
        destination_port: SERVER,
        version: 4,
        protocol: 6,
        ip_len: 40 + payload_len,
        payload_len,
        tcp_flags,
        sequence,
        acknowledgement,
        window: 1000,
        ..Packet::default()
    };
    if from_client { packet } else { turned(packet) }
}

fn turned(packet: Packet) -> Packet {
    Packet {
        source: packet.destination,
        destination: packet.source,
        source_port: packet.destination_port,
        destination_port: packet.source_port,
        ..packet
    }
}

fn datagram(source_port: u16, destination_port: u16) -> Packet {
    Packet { source_port, destination_port, protocol: 17, ..segment(true, 0, 0, 0, 20) }
}

fn history(flow: &Flow) -> String {
    String::from_utf8_lossy(flow.history()).into_owned()
}

fn opened_by_client(flow: &Flow) -> bool {
    flow.key.port(flow.initiator_side()) == CLIENT
}

#[test]
fn a_session_that_both_close_is_sf() {
    let flow = Talk::new()
        .handshake()
        .client(ACK, 101, 501, 50)
        .server(ACK, 501, 151, 70)
        .client(FIN | ACK, 151, 571, 0)
        .server(FIN | ACK, 571, 152, 0)
        .client(ACK, 152, 572, 0)
        .flow();
    assert_eq!((flow.state(), history(&flow).as_str()), (State::Sf, "ShADdFf"));
    assert_eq!((flow.forward().payload, flow.reverse().payload), (50, 70));
    assert_eq!((flow.basis, flow.syn_frame, flow.missed_bytes), (Basis::Syn, 1, 0));
}

#[test]
fn a_syn_without_answer_is_s0_and_one_with_reset_is_rej() {
    assert_eq!(Talk::new().client(SYN, 1, 0, 0).flow().state(), State::S0);
    let refused = Talk::new().client(SYN, 1, 0, 0).server(RST | ACK, 0, 2, 0).flow();
    assert_eq!((refused.state(), history(&refused).as_str()), (State::Rej, "Sr"));
}

#[test]
fn the_last_word_of_either_end_is_told_apart() {
    assert_eq!(Talk::new().handshake().flow().state(), State::S1);
    assert_eq!(Talk::new().handshake().client(RST, 101, 0, 0).flow().state(), State::Rsto);
    assert_eq!(Talk::new().handshake().server(RST, 501, 0, 0).flow().state(), State::Rstr);
    assert_eq!(Talk::new().handshake().client(FIN | ACK, 101, 501, 0).flow().state(), State::S2);
    assert_eq!(Talk::new().handshake().server(FIN | ACK, 501, 101, 0).flow().state(), State::S3);
    assert_eq!(Talk::new().client(SYN, 1, 0, 0).client(RST, 2, 0, 0).flow().state(), State::Rstos0);
    assert_eq!(Talk::new().client(SYN, 1, 0, 0).client(FIN, 2, 0, 0).flow().state(), State::Sh);
}

#[test]
fn a_reset_after_both_closed_leaves_it_closed() {
    let flow = Talk::new()
        .handshake()
        .client(FIN | ACK, 101, 501, 0)
        .server(FIN | ACK, 501, 102, 0)
        .client(RST, 102, 0, 0)
        .flow();
    assert_eq!(flow.state(), State::Sf);
}

#[test]
fn a_flow_that_begins_with_the_servers_syn_ack_was_opened_by_the_client() {
    let lone = Talk::new().server(SYN | ACK, 500, 101, 0).flow();
    assert!(opened_by_client(&lone));
    assert_eq!((lone.basis, history(&lone).as_str()), (Basis::SynAck, "^h"));
    let going_on = Talk::new().server(SYN | ACK, 500, 101, 0).client(ACK, 101, 501, 0).flow();
    assert!(opened_by_client(&going_on));
    assert_eq!((going_on.basis, history(&going_on).as_str()), (Basis::SynAck, "^hA"));
}

#[test]
fn a_syn_captured_after_its_answer_still_opens_the_flow() {
    let flow = Talk::new().server(SYN | ACK, 500, 101, 0).client(SYN, 100, 0, 0).client(ACK, 101, 501, 0).flow();
    assert!(opened_by_client(&flow));
    assert_eq!((flow.basis, flow.state(), flow.syn_frame), (Basis::Syn, State::S1, 2));
}

#[test]
fn a_flow_from_mid_stream_is_oth_and_its_initiator_is_a_guess() {
    let flow = Talk::new().server(ACK, 501, 101, 10).client(ACK, 101, 511, 0).flow();
    assert_eq!((flow.state(), flow.basis, flow.syn_frame), (State::Oth, Basis::FirstPacket, 0));
    let by_port = Talk::new()
        .packet(&Packet { source_port: 443, destination_port: 50_000, ..segment(true, ACK, 1, 1, 5) })
        .flow();
    assert_eq!((by_port.key.port(by_port.initiator_side()), by_port.basis), (50_000, Basis::Port));
}

#[test]
fn silence_splits_rows_but_not_the_flow() {
    let flows = Talk::new().handshake().wait(400).server(ACK, 501, 101, 10).wait(400).client(ACK, 101, 511, 9).flows();
    assert_eq!(flows.len(), 3);
    assert!(flows.iter().all(|flow| flow.flow_id == flows[0].flow_id && opened_by_client(flow)));
    assert_eq!(flows.iter().map(|flow| flow.piece).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(flows.iter().all(|flow| flow.basis == Basis::Syn));
}

#[test]
fn an_idle_ftp_control_session_is_one_row_for_an_hour() {
    let on_21 = |packet: Packet| Packet { destination_port: 21, ..packet };
    let back = |packet: Packet| turned(on_21(packet));
    let flows = Talk::new()
        .packet(&on_21(segment(true, SYN, 100, 0, 0)))
        .packet(&back(segment(true, SYN | ACK, 500, 101, 0)))
        .packet(&on_21(segment(true, ACK, 101, 501, 0)))
        .wait(3000)
        .packet(&on_21(segment(true, ACK, 101, 501, 5)))
        .flows();
    assert_eq!(flows.len(), 1);
}

#[test]
fn a_new_syn_after_a_close_is_another_flow() {
    let flows = Talk::new().handshake().server(RST, 501, 0, 0).client(SYN, 100, 0, 0).flows();
    assert_eq!(flows.len(), 2);
    assert_ne!(flows[0].flow_id, flows[1].flow_id);
    assert_eq!(flows[1].piece, 0);
}

#[test]
fn a_syn_tried_again_after_its_time_is_another_row_of_the_same_attempt() {
    let flows = Talk::new().client(SYN, 100, 0, 0).wait(7).client(SYN, 100, 0, 0).flows();
    assert_eq!(flows.iter().map(Flow::state).collect::<Vec<_>>(), [State::S0, State::S0]);
    assert_eq!(flows[0].flow_id, flows[1].flow_id);
    let other = Talk::new().client(SYN, 100, 0, 0).wait(7).client(SYN, 900, 0, 0).flows();
    assert_ne!(other[0].flow_id, other[1].flow_id);
}

#[test]
fn a_straggler_of_a_closed_session_belongs_to_it() {
    let flows = Talk::new()
        .handshake()
        .client(FIN | ACK, 101, 501, 0)
        .server(FIN | ACK, 501, 102, 0)
        .wait(20)
        .server(FIN | ACK, 501, 102, 0)
        .flows();
    assert_eq!(flows.len(), 2);
    assert_eq!((flows[0].flow_id, flows[1].piece), (flows[1].flow_id, 1));
    assert!(opened_by_client(&flows[1]));
}

#[test]
fn retransmissions_are_counted_and_their_bytes_are_not() {
    let flow = Talk::new().handshake().client(ACK, 101, 501, 50).client(ACK, 101, 501, 50).flow();
    assert_eq!((flow.forward().payload, flow.details().0.retransmitted), (50, 1));
    assert!(history(&flow).contains('T'));
    assert_eq!(flow.forward().packets, 4);
}

#[test]
fn bytes_that_come_out_of_order_are_no_retransmission() {
    let flow = Talk::new().handshake().client(ACK, 151, 501, 50).client(ACK, 101, 501, 50).flow();
    assert_eq!((flow.forward().payload, flow.details().0.retransmitted, flow.missed_bytes), (100, 0, 0));
}

#[test]
fn what_the_peer_acknowledges_and_nobody_captured_is_missed() {
    let flow = Talk::new().handshake().client(ACK, 151, 501, 50).server(ACK, 501, 201, 0).flow();
    assert_eq!((flow.missed_bytes, flow.forward().payload), (50, 50));
    assert!(history(&flow).contains('G'));
}

#[test]
fn udp_tells_whether_both_spoke() {
    let there = datagram(5000, 6000);
    assert_eq!(Talk::new().packet(&there).flow().state(), State::S0);
    assert_eq!(Talk::new().packet(&there).packet(&turned(there)).flow().state(), State::Sf);
}

#[test]
fn dns_is_split_after_ten_seconds_and_other_udp_after_a_minute() {
    let question = datagram(5000, 53);
    assert_eq!(Talk::new().packet(&question).wait(25).packet(&question).flows().len(), 2);
    let other = datagram(5000, 6000);
    assert_eq!(Talk::new().packet(&other).wait(25).packet(&other).flows().len(), 1);
    assert_eq!(Talk::new().packet(&other).wait(61).packet(&other).flows().len(), 2);
}

#[test]
fn more_flows_than_the_limit_are_closed_early_and_counted() {
    let mut talk = Talk { table: Table::new(10, 1, 7), now_ns: 0, frame: 0 };
    for port in 0..100 {
        talk = talk.packet(&datagram(1000 + port, 6000));
    }
    let counts = talk.table.counts();
    assert!(counts.evicted >= 90 && counts.most_active <= 10, "{counts:?}");
    assert_eq!(talk.flows().len(), 100);
}

#[test]
fn times_at_the_ends_of_the_scale_do_no_harm() {
    for now_ns in [i64::MIN, i64::MAX - 2_000_000] {
        let mut talk = Talk::new();
        talk.now_ns = now_ns;
        let flows = talk.packet(&segment(true, SYN, 1, 0, 0)).packet(&datagram(1, 53)).flows();
        assert_eq!(flows.len(), 2);
    }
}

/// Whatever comes: every packet is in one flow, and a flow's pieces agree on who opened it.
#[test]
fn the_table_conserves_packets_and_bytes() {
    let mut random = 0x9E37_79B9_u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    for _ in 0..200 {
        let mut talk = Talk::new();
        let (mut packets, mut bytes) = (0, 0);
        for _ in 0..300 {
            let flags = [SYN, SYN | ACK, ACK, ACK, ACK, FIN | ACK, RST, SYN | FIN, FIN | RST][next(9) as usize];
            let mut packet = segment(next(2) == 0, flags, next(4000) as u32, next(4000) as u32, next(3) as u32 * 100);
            packet.source_port += next(3) as u16;
            if next(10) == 0 {
                packet.protocol = [17, 1, 58, 47][next(4) as usize];
            }
            talk = talk.wait([0, 0, 0, 4, 70, 400][next(6) as usize]).packet(&packet);
            packets += 1;
            bytes += u64::from(packet.ip_len);
        }
        let flows = talk.flows();
        assert_eq!(flows.iter().map(|flow| flow.ends[0].packets + flow.ends[1].packets).sum::<u64>(), packets);
        assert_eq!(flows.iter().map(|flow| flow.ends[0].ip_bytes + flow.ends[1].ip_bytes).sum::<u64>(), bytes);
        for flow in &flows {
            let first = flows.iter().find(|other| other.flow_id == flow.flow_id && other.piece == 0);
            assert!(first.is_none_or(|first| first.initiator == flow.initiator || first.key.protocol() == 6));
            assert!(flow.end_ns() >= flow.start_ns);
        }
    }
}

#[test]
fn a_syn_ack_that_is_repeated_is_no_further_connection() {
    let flow = Talk::new().server(SYN | ACK, 500, 101, 0).wait(1).server(SYN | ACK, 500, 101, 0);
    assert_eq!(flow.flow().ends.map(|end| end.packets).iter().sum::<u64>(), 2);
    let other = Talk::new().client(0, 101, 0, 5).server(SYN | ACK, 500, 101, 0).server(SYN | ACK, 900, 101, 0);
    assert_eq!(other.flows().len(), 1, "both ends have spoken");
}

#[test]
fn a_fin_with_a_reset_is_a_reset() {
    let flow = Talk::new().server(FIN | RST, 500, 101, 0).flow();
    assert_eq!((flow.state(), flow.history()), (State::Oth, &b"I"[..]));
}

/// A DNS query of the client.
fn query() -> Packet {
    Packet {
        source: Address(1),
        destination: Address(2),
        source_port: CLIENT,
        destination_port: 53,
        version: 4,
        protocol: 17,
        ip_len: 60,
        payload_len: 32,
        ..Packet::default()
    }
}

#[test]
fn a_dns_flow_is_looked_at_in_rounds_of_ten_seconds() {
    // Asked at 0 and 4: the round at 10 finds 6 s of silence, the one at 20 would find 12.
    let asks = |second: i64| Talk::new().packet(&query()).wait(4).packet(&query()).wait(second - 4).packet(&query());
    assert_eq!(asks(9).flows().len(), 1);
    // No packet came in between, so the first round is the one that this packet starts.
    assert_eq!(asks(12).flows().len(), 1);
    assert_eq!(asks(16).flows().len(), 2);
}

#[test]
fn a_dns_round_is_started_by_packets_of_other_flows() {
    let other = Packet { source_port: 7, destination_port: 7, ..query() };
    // The other flow's packet at 11 starts the round that finds 7 s of silence; the next is at 21.
    let talk = Talk::new().packet(&query()).wait(4).packet(&query()).wait(7).packet(&other).wait(5).packet(&query());
    assert_eq!(talk.flows().len(), 2, "one of DNS, and the other");
}

#[test]
fn the_first_message_of_a_protocol_tells_who_was_asked() {
    let flow = Talk::new().server_says(b"220 ready\r\n").flow();
    assert_eq!((flow.key.port(flow.initiator_side()), flow.basis), (CLIENT, Basis::Protocol));
    assert_eq!(flow.history(), b"^d");
    let flow = Talk::new().server_says(b"GET / HTTP/1.1\r\n").flow();
    assert_eq!((flow.key.port(flow.initiator_side()), flow.basis), (SERVER, Basis::Protocol));
    let flow = Talk::new().server_says(b"opaque").flow();
    assert_eq!((flow.key.port(flow.initiator_side()), flow.basis), (SERVER, Basis::FirstPacket));
}

#[test]
fn backscatter_opens_nothing() {
    // Answers to SYNs that somebody forged: refused, and accepted.
    let refused = Talk::new().server(RST | ACK, 0, 101, 0).flow();
    assert_eq!((refused.key.port(refused.initiator_side()), refused.basis), (CLIENT, Basis::Protocol));
    let accepted = Talk::new().server(SYN | ACK, 500, 101, 0).flow();
    assert_eq!((accepted.key.port(accepted.initiator_side()), accepted.basis), (CLIENT, Basis::SynAck));
    // A reset in mid-stream may come from either end: nothing is claimed.
    assert_eq!(Talk::new().server(RST, 500, 0, 0).flow().basis, Basis::FirstPacket);
}

#[test]
fn a_flow_that_goes_on_after_silence_keeps_its_identity_and_direction() {
    let flows = Talk::new().handshake().wait(400).server(ACK, 501, 101, 10).client(ACK, 101, 511, 0).flows();
    assert_eq!(flows.len(), 2);
    assert_eq!(flows[0].flow_id, flows[1].flow_id);
    for flow in &flows {
        assert_eq!((flow.key.port(flow.initiator_side()), flow.basis), (CLIENT, Basis::Syn));
    }
}

#[test]
fn silence_ends_a_flow_without_a_further_packet() {
    let mut talk = Talk::new().client(SYN, 1, 0, 0).server(SYN | ACK, 9, 2, 0).client(ACK, 2, 10, 0);
    let now = talk.now_ns;
    talk.table.advance(now + 299 * SECOND);
    assert_eq!((talk.table.ended(), talk.table.alive().count()), (0, 1));
    talk.table.advance(now + 302 * SECOND);
    assert_eq!((talk.table.ended(), talk.table.alive().count()), (1, 0));
}

#[test]
fn time_may_go_on_after_the_last_flow() {
    let mut talk = Talk::new().client(SYN, 1, 0, 0);
    let now = talk.now_ns;
    talk.table.finish();
    talk.table.advance(now + 3600 * SECOND);
    assert_eq!(talk.table.ended(), 1);
}

#[test]
fn a_clock_that_was_set_back_goes_on_from_there() {
    let mut talk = Talk::new().client(SYN, 7, 0, 0);
    talk.now_ns -= 3600 * SECOND;
    talk = talk.handshake();
    for round in 0..600 {
        talk = talk.server(ACK, 501 + 10 * round, 101, 10);
    }
    let flows = talk.flows();
    // Until it is clear that it was the clock, each packet comes after its flow was over.
    assert!((200..300).contains(&flows.len()), "{}", flows.len());
    assert_eq!(flows.iter().map(|flow| flow.ends[0].packets + flow.ends[1].packets).sum::<u64>(), 604);
}

#[test]
fn a_few_old_packets_say_nothing_about_the_clock() {
    let mut talk = Talk::new().handshake();
    let now = talk.now_ns;
    for _ in 0..100 {
        talk.now_ns = now - 3600 * SECOND;
        talk = talk.server(ACK, 501, 101, 0);
    }
    talk.now_ns = now;
    assert_eq!(talk.server(ACK, 501, 101, 0).table.clock_ns(), now + 1_000_000);
}

#[test]
fn the_record_so_far_is_that_of_a_flow_that_ends_now() {
    let talk = Talk::new().server(SYN | ACK, 9, 2, 0);
    let so_far = talk.table.so_far(talk.table.alive().next().unwrap());
    let ended = talk.flow();
    assert_eq!(so_far.flow_id, ended.flow_id);
    assert_eq!((so_far.initiator, so_far.basis, so_far.state()), (ended.initiator, ended.basis, ended.state()));
    assert_eq!(so_far.history(), ended.history());
}
