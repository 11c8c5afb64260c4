//! Which flows are read, and what reading them brought.

use std::sync::Arc;

use super::hearing::Hearing;
use super::relays::Relays;
use crate::app::{Event, Expected, Kind, dns};
use crate::flow::{ACTIVE_FLOWS, Flow, Moment, protocol};
use crate::interest::Interest;
use crate::reading::{Reading, Sampled};
use crate::room::Room;
use crate::wire::Packet;

/// Flows that are read at once (`APP_CONVERSATIONS`); others are not, which is counted. As many as are alive.
pub const APP_CONVERSATIONS: usize = ACTIVE_FLOWS;

/// Events that are kept (`APP_EVENTS`); later ones are counted.
pub const APP_EVENTS: usize = 1 << 20;

/// Names and addresses in events that are kept (`APP_EVENT_BYTES`): two kilobytes for each, which only answers with dozens
/// of addresses take.
pub const APP_EVENT_BYTES: usize = APP_EVENTS << 11;

/// Samples that are kept (`APP_SAMPLES`); later ones are counted.
pub const APP_SAMPLES: usize = 1 << 18;

/// Memory that all flows together hold back while other bytes are missing (`APP_HELD_BYTES`); past it a flow that would
/// hold more takes for lost what it lacks.
pub const APP_HELD_BYTES: usize = 64 << 20;

const DNS_PORT: u16 = 53;

/// What is to be read.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Conversations by the server's port.
    pub kinds: Vec<(u16, Kind)>,
    /// Networks whose TCP flows are sampled, both directions.
    pub samples: Option<Interest>,
    /// Host names whose addresses are wanted, lower case.
    pub names: Vec<String>,
}

/// An event, and where it was seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The flow.
    pub flow_id: u64,
    /// Time of the packet that completed it, ns.
    pub time_ns: i64,
    /// Its frame.
    pub frame: u64,
    /// Its capture.
    pub capture: u32,
    /// What it was.
    pub event: Event,
}

/// Samples of one flow.
#[derive(Clone, Copy, Debug)]
pub struct FlowSamples {
    /// The flow.
    pub flow_id: u64,
    /// What the initiator sent.
    pub forward: Sampled,
    /// What the responder sent.
    pub reverse: Sampled,
}

impl FlowSamples {
    fn of(flow: &Flow, sampled: [Sampled; 2]) -> FlowSamples {
        let side = flow.initiator_side();
        FlowSamples { flow_id: flow.flow_id, forward: sampled[side], reverse: sampled[side ^ 1] }
    }

    /// The samples of a flow that is still being read, as they are so far.
    pub(crate) fn so_far(flow: &Flow) -> Option<FlowSamples> {
        let sampled = flow.reading.as_ref()?.sampled()?;
        Some(FlowSamples::of(flow, sampled))
    }
}

/// Reads flows.
pub struct Listener {
    wishes: Wishes,
    expected: Arc<Expected>,
    hearing: Hearing,
    relays: Relays,
    scratch: Vec<Event>,
    events: Vec<Seen>,
    event_bytes: usize,
    samples: Vec<FlowSamples>,
    room: Room,
    /// Flows that are being read.
    conversations: usize,
    held_memory: usize,
    dropped: u64,
    limits_reached: u64,
}

impl Listener {
    /// A listener with these wishes, which keeps no more than there is room for.
    pub fn new(wishes: Wishes, room: &Room) -> Listener {
        Listener {
            expected: Arc::new(Expected::new(&wishes.kinds).sampling(wishes.samples.clone(), &wishes.names)),
            hearing: Hearing::new(&wishes),
            wishes,
            relays: Relays::new(room.app_relayed),
            scratch: Vec::new(),
            events: Vec::new(),
            event_bytes: 0,
            samples: Vec::new(),
            room: room.clone(),
            conversations: 0,
            held_memory: 0,
            dropped: 0,
            limits_reached: 0,
        }
    }

    /// Whether anything is to be read at all.
    pub fn is_deaf(&self) -> bool {
        self.wishes.kinds.is_empty() && self.wishes.samples.is_none() && self.wishes.names.is_empty()
    }

    /// Whether it answers a question for one of the names.
    fn is_answer(&self, event: &Event) -> bool {
        matches!(event, Event::DnsAnswer { name, .. } if self.wishes.names.contains(name))
    }

    /// Whether a packet of a flow, which has counted it, may tell anything: of most flows only the first is looked at.
    #[inline]
    pub fn listens_to(&self, flow: &Flow, packet: &Packet) -> bool {
        match packet.protocol {
            protocol::TCP => flow.reading.is_some() || flow.has_one_packet(),
            protocol::UDP => packet.source_port == DNS_PORT || !self.relays.is_empty(),
            _ => false,
        }
    }

    /// Takes a packet of a flow that is in the table and has counted it.
    pub fn take(&mut self, flow: &mut Flow, packet: &Packet, payload: &[u8], moment: Moment) {
        if packet.protocol == protocol::TCP {
            if flow.has_one_packet() {
                self.begin(flow);
            }
            let Some(reading) = &mut flow.reading else { return };
            let side = usize::from((packet.source, packet.source_port) != (flow.key.address[0], flow.key.port(0)));
            let held = reading.held_memory();
            let goes_on = reading.segment(side, packet, payload, &mut self.scratch);
            self.held_memory = self.held_memory - held + reading.held_memory();
            if self.held_memory > self.room.app_held_bytes && reading.held_memory() > 0 {
                self.held_memory -= reading.held_memory();
                self.limits_reached += 1;
                reading.let_go(&mut self.scratch);
                self.held_memory += reading.held_memory();
            }
            if self.scratch.iter().any(|event| self.is_answer(event)) {
                flow.noted = true;
            }
            if self.scratch.iter().any(Relays::opens_one) {
                let server = reading.server();
                let (proxy, client) = (flow.key.address[server], flow.key.address[server ^ 1]);
                self.relays.note(&self.scratch, client, proxy);
            }
            self.keep(flow.flow_id, moment);
            if !goes_on {
                self.close(flow);
            }
        } else if self.hearing.wants_answer(packet, payload) {
            flow.noted = true;
            dns::message(payload, packet.payload_len, &mut self.scratch);
            self.keep(flow.flow_id, moment);
        } else if !self.relays.is_empty() && self.relays.follow(flow.flow_id, packet, payload, &mut self.scratch) {
            flow.noted = true;
            self.keep(flow.flow_id, moment);
        }
    }

    /// Ends the reading of a flow.
    pub fn close(&mut self, flow: &mut Flow) {
        let Some(mut reading) = flow.reading.take() else { return };
        self.conversations -= 1;
        self.held_memory -= reading.held_memory();
        reading.finish(&mut self.scratch);
        let moment = Moment {
            time_ns: flow.last_ns,
            frame: flow.last_frame,
            capture: flow.last_capture,
            interface: flow.interface,
        };
        self.keep(flow.flow_id, moment);
        self.limits_reached += u64::from(reading.limits_reached());
        let Some(sampled) = reading.sampled() else { return };
        if self.samples.len() < self.room.app_samples {
            self.samples.push(FlowSamples::of(flow, sampled));
        } else {
            self.dropped += 1;
        }
    }

    /// Begins to read a new flow, if somebody wants that.
    fn begin(&mut self, flow: &mut Flow) {
        flow.reading = self.reading(flow);
        if flow.reading.is_none() {
        } else if self.conversations < self.room.app_conversations {
            self.conversations += 1;
        } else {
            flow.reading = None;
            self.dropped += 1;
        }
    }

    /// The reading that a new flow gets.
    fn reading(&self, flow: &Flow) -> Option<Box<Reading>> {
        let responder = flow.initiator_side() ^ 1;
        let told = [responder, responder ^ 1].into_iter().find_map(|side| {
            let port = flow.key.port(side);
            let kind = self.wishes.kinds.iter().find_map(|&(known, kind)| (known == port).then_some(kind))?;
            Some((side, Some(kind)))
        });
        let sampled =
            |side: usize| self.wishes.samples.as_ref().is_some_and(|net| net.has_address(flow.key.address[side]));
        let at_vendor = if sampled(responder) {
            Some(responder)
        } else if sampled(responder ^ 1) {
            Some(responder ^ 1)
        } else {
            None
        };
        let (server, kind) = told.or(at_vendor.map(|side| (side, None)))?;
        // A conversation that is parsed is no bulk data.
        let sample = at_vendor.is_some() && kind.is_none();
        Some(Box::new(Reading::new(server, kind, &self.expected, sample)))
    }

    fn keep(&mut self, flow_id: u64, moment: Moment) {
        let Moment { time_ns, frame, capture, .. } = moment;
        for event in self.scratch.drain(..) {
            let bytes = event.heap_bytes();
            if self.events.len() < self.room.app_events && self.event_bytes + bytes <= self.room.app_event_bytes {
                self.event_bytes += bytes;
                self.events.push(Seen { flow_id, time_ns, frame, capture, event });
            } else {
                self.dropped += 1;
            }
        }
    }

    /// Reads other things from now on; flows that are being read go on as they began.
    pub(crate) fn listen_to(&mut self, wishes: Wishes) {
        let Listener { wishes, expected, hearing, .. } = Listener::new(wishes, &self.room);
        self.expected = expected;
        self.hearing = hearing;
        self.wishes = wishes;
    }

    /// What was seen since this was last asked.
    pub(crate) fn take_seen(&mut self) -> (Vec<Seen>, Vec<FlowSamples>) {
        self.event_bytes = 0;
        (std::mem::take(&mut self.events), std::mem::take(&mut self.samples))
    }

    /// Events in the order in which they were seen: what a flow's end brought to light stands at its last frame.
    pub fn events(&mut self) -> &[Seen] {
        self.events.sort_by_key(|seen| (seen.capture, seen.frame));
        &self.events
    }

    /// Samples, by flow.
    pub fn samples(&mut self) -> &[FlowSamples] {
        self.samples.sort_by_key(|samples| samples.flow_id);
        &self.samples
    }

    /// Events, samples and relays that found no room.
    pub fn dropped(&self) -> u64 {
        self.dropped + self.relays.dropped()
    }

    /// How often a hole in a stream was given up for a limit.
    pub fn limits_reached(&self) -> u64 {
        self.limits_reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowKey;
    use crate::wire::Address;

    #[test]
    fn answers_over_tcp_are_wanted_for_the_names_alone() {
        let listener =
            Listener::new(Wishes { names: vec!["rbs.drbackup.net".into()], ..Wishes::default() }, &Room::default());
        let answer = |name: &str| Event::DnsAnswer {
            name: name.into(),
            kind: 1,
            cnames: Vec::new(),
            addresses: Vec::new(),
            code: 0,
            truncated: false,
        };
        assert!(listener.is_answer(&answer("rbs.drbackup.net")));
        assert!(!listener.is_answer(&answer("www.example")));
        assert!(!listener.is_answer(&Event::FtpGreeting));
    }

    #[test]
    fn what_all_flows_together_hold_back_is_bounded() {
        let mut listener = Listener::new(ftp(), &Room::default());
        let moment = Moment { time_ns: 0, frame: 1, capture: 0, interface: 0 };
        let part = vec![b'x'; 60_000];
        let mut flows = Vec::new();
        for number in 0..400 {
            let mut packet = Packet {
                source: CLIENT,
                source_port: 1024 + number,
                destination: PROXY,
                destination_port: 21,
                protocol: protocol::TCP,
                ..Packet::default()
            };
            let mut flow = Flow { key: FlowKey::of(&packet).0, ..Flow::default() };
            for sequence in [0, 2, 60_002, 120_002, 180_002_u32] {
                // A SYN, and what comes behind a byte that does not.
                packet.tcp_flags = if sequence == 0 { 2 } else { 0 };
                packet.payload_len = if sequence == 0 { 0 } else { 60_000 };
                packet.sequence = sequence;
                flow.ends[0].packets += 1;
                listener.take(&mut flow, &packet, &part[..packet.payload_len as usize], moment);
                assert!(listener.held_memory <= APP_HELD_BYTES);
            }
            flows.push(flow);
        }
        assert!(listener.held_memory > APP_HELD_BYTES - 240_000 && listener.limits_reached() > 0);
        for flow in &mut flows {
            listener.close(flow);
        }
        assert_eq!(listener.held_memory, 0);
    }

    const CLIENT: Address = Address::from_v4([10, 1, 2, 3]);
    const PROXY: Address = Address::from_v4([10, 0, 0, 9]);

    fn ftp() -> Wishes {
        Wishes { kinds: vec![(21, Kind::Ftp)], ..Wishes::default() }
    }

    #[test]
    fn conversations_beyond_the_room_are_counted_and_the_room_comes_back() {
        let mut listener = Listener::new(ftp(), &Room { app_conversations: 2, ..Room::default() });
        let moment = Moment { time_ns: 0, frame: 1, capture: 0, interface: 0 };
        let begun = |listener: &mut Listener, port| {
            let mut packet = to_relay(PROXY);
            (packet.source_port, packet.destination_port) = (port, 21);
            (packet.protocol, packet.tcp_flags) = (protocol::TCP, 2);
            let mut flow = Flow { key: FlowKey::of(&packet).0, ..Flow::default() };
            flow.ends[0].packets = 1;
            listener.take(&mut flow, &packet, b"", moment);
            flow
        };
        let mut flows: Vec<Flow> = (1..=3).map(|port| begun(&mut listener, port)).collect();
        assert_eq!(flows.iter().filter(|flow| flow.reading.is_some()).count(), 2);
        assert_eq!(listener.dropped(), 1);
        listener.close(&mut flows[0]);
        assert!(begun(&mut listener, 4).reading.is_some());
        assert_eq!(listener.dropped(), 1);
    }

    #[test]
    fn events_with_many_addresses_count_for_what_they_take() {
        let mut listener = Listener::new(ftp(), &Room { app_event_bytes: 1_000, ..Room::default() });
        let answer = Event::DnsAnswer {
            name: "rbs.drbackup.net".into(),
            kind: 1,
            cnames: Vec::new(),
            addresses: vec![PROXY; 6],
            code: 0,
            truncated: false,
        };
        for _ in 0..5 {
            listener.scratch.extend([answer.clone(), Event::FtpGreeting]);
            listener.keep(1, Moment::default());
        }
        assert_eq!((listener.events().len(), listener.dropped()), (7, 3));
        listener.take_seen();
        listener.scratch.push(answer);
        listener.keep(1, Moment::default());
        assert_eq!(listener.events().len(), 1);
    }

    #[test]
    fn a_hello_that_never_ends_is_let_go_for_want_of_room() {
        let mut listener = Listener::new(
            Wishes { kinds: vec![(443, Kind::Tls)], ..Wishes::default() },
            &Room { app_held_bytes: 20_000, ..Room::default() },
        );
        let moment = Moment { time_ns: 0, frame: 1, capture: 0, interface: 0 };
        let mut hello = b"\x16\x03\x01\x40\x00\x01\x00\x7f\x00".to_vec();
        hello.resize(9_000, 0);
        for port in 1..=30 {
            let mut packet = to_relay(PROXY);
            (packet.source_port, packet.destination_port) = (port, 443);
            (packet.protocol, packet.payload_len) = (protocol::TCP, 9_000);
            let mut flow = Flow { key: FlowKey::of(&packet).0, ..Flow::default() };
            flow.ends[0].packets = 1;
            listener.take(&mut flow, &packet, &hello, moment);
            assert!(listener.held_memory <= 20_000);
        }
        assert_eq!(listener.limits_reached(), 28);
        assert!(listener.events().iter().any(|seen| seen.event == Event::Lost { protocol: "tls" }));
    }

    fn to_relay(destination: Address) -> Packet {
        Packet {
            source: CLIENT,
            source_port: 5000,
            destination,
            destination_port: 40_000,
            protocol: protocol::UDP,
            ..Packet::default()
        }
    }
}
