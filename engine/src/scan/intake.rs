//! Packets to the flow table, or aside.

use std::collections::HashMap;

use super::aside::Aside;
use super::listener::Listener;
use super::port_scan::PortScans;
use crate::capture::{Capture, Frame};
use crate::fingerprint::Fingerprint;
use crate::flow::{Addressed, Flow, FlowKey, Moment, Side, Table, protocol};
use crate::interest::Interest;
use crate::quote::{ICMP_QUOTES, Quote, Quoted};
use crate::wire::Packet;

/// Packets of one group of frames, and which frame each came from.
pub struct Group<'a> {
    pub packets: &'a [Packet],
    pub owners: &'a [u16],
    pub frames: &'a [Frame],
    pub capture: &'a Capture,
    pub datagram: &'a [u8],
    pub index: u32,
}

impl Group<'_> {
    /// The captured part of a packet's payload.
    #[inline]
    fn payload(&self, place: usize) -> &[u8] {
        let packet = &self.packets[place];
        let source = if packet.reassembled { self.datagram } else { self.capture.bytes(self.frame(place)) };
        let at = packet.payload_at as usize;
        source.get(at..at + packet.payload_captured as usize).unwrap_or_default()
    }

    #[inline]
    fn frame(&self, place: usize) -> &Frame {
        &self.frames[usize::from(self.owners[place])]
    }

    #[inline]
    fn moment(&self, place: usize) -> Moment {
        Moment { time_ns: self.packets[place].time_ns, frame: self.frame(place).number, capture: self.index }
    }
}

/// Where packets go.
pub struct Intake {
    pub table: Table,
    pub aside: Aside,
    pub port_scans: Option<PortScans>,
    pub quotes: HashMap<(u64, Quoted), Quote>,
    pub quotes_dropped: u64,
    pub listener: Listener,
    /// A flow has begun that the caller wants, as far as its first packet tells.
    pub promising: bool,
    interest: Option<Interest>,
    keep_all: bool,
    fingerprints: bool,
    chosen: Vec<(u32, Addressed)>,
    dropped: Vec<(u32, u32, u64)>,
}

impl Intake {
    pub fn new(
        table: Table,
        interest: Option<Interest>,
        keep_all: bool,
        port_scans: bool,
        fingerprints: bool,
        listener: Listener,
    ) -> Intake {
        Intake {
            table,
            aside: Aside::new(),
            port_scans: port_scans.then(PortScans::default),
            quotes: HashMap::new(),
            quotes_dropped: 0,
            listener,
            promising: false,
            interest,
            keep_all,
            fingerprints,
            chosen: Vec::new(),
            dropped: Vec::new(),
        }
    }

    /// Whether the caller wants flows of that key as columns.
    #[inline]
    pub fn wants(&self, key: &FlowKey) -> bool {
        self.interest.as_ref().is_none_or(|interest| interest.wants(key))
    }

    /// Whether the caller wants that flow as columns, now that all is known of it.
    pub fn wants_flow(&self, flow: &Flow) -> bool {
        flow.noted || self.interest.as_ref().is_none_or(|interest| interest.wants_flow(flow))
    }

    /// Takes a group of packets, in their order.
    pub fn take(&mut self, group: &Group<'_>) {
        self.chosen.clear();
        self.dropped.clear();
        let keep_all = self.keep_all || self.interest.is_none();
        for (place, packet) in group.packets.iter().enumerate() {
            let (key, side) = FlowKey::of(packet);
            let addressed = self.table.address(key, side);
            if keep_all || self.wants(&key) || self.says_something(group, place) {
                self.chosen.push((place as u32, addressed));
            } else {
                self.dropped.push((place as u32, side as u32, addressed.hash()));
            }
        }
        if !self.dropped.is_empty() {
            self.take_aside(group);
        }
        let listens = !self.listener.is_deaf();
        let names_processes = group.capture.info().names_processes;
        self.table.touch(self.chosen.iter().map(|(_, addressed)| addressed));
        for (place, addressed) in &self.chosen {
            let place = *place as usize;
            let (packet, moment) = (&group.packets[place], group.moment(place));
            let payload = group.payload(place);
            let slot = self.table.update(addressed, packet, payload, moment);
            if listens && matches!(packet.protocol, protocol::TCP | protocol::UDP) {
                self.listener.take(self.table.flow(slot), packet, payload, moment);
            }
            if self.fingerprints && packet.protocol == protocol::TCP {
                let interest = self.interest.as_ref();
                take_fingerprint(interest, self.table.flow(slot), addressed.side(), packet, payload);
            }
            if names_processes {
                let flow = self.table.flow(slot);
                flow.process = if flow.process == 0 { group.frame(place).process } else { flow.process };
            }
            if !self.promising {
                let flow = self.table.flow(slot);
                self.promising = self.interest.as_ref().is_none_or(|interest| interest.wants_flow(flow));
            }
            if is_icmp(packet.protocol)
                && let Some(quoted) = Quoted::of(packet, payload)
                && self.interest.as_ref().is_none_or(|interest| interest.wants(&quoted.key()))
            {
                let flow = self.table.flow(slot);
                flow.noted = true;
                let flow_id = flow.flow_id;
                note_quote(&mut self.quotes, &mut self.quotes_dropped, flow_id, quoted, moment);
            }
            if is_attempt(packet)
                && let Some(port_scans) = &mut self.port_scans
            {
                port_scans.note(packet);
            }
        }
    }

    fn take_aside(&mut self, group: &Group<'_>) {
        let ahead = self.dropped.iter().fold(0, |words, (.., hash)| words ^ self.aside.first_word(*hash));
        std::hint::black_box(ahead);
        for &(place, side, hash) in &self.dropped {
            let packet = &group.packets[place as usize];
            let is_new = self.aside.note(side as Side, hash, packet);
            if is_new
                && is_attempt(packet)
                && let Some(port_scans) = &mut self.port_scans
            {
                port_scans.note(packet);
            }
        }
    }

    /// Whether a packet of a flow that nobody wants says something that somebody wants.
    #[inline]
    fn says_something(&self, group: &Group<'_>, place: usize) -> bool {
        let packet = &group.packets[place];
        match packet.protocol {
            protocol::ICMP | protocol::ICMP6 => {
                Quoted::of(packet, group.payload(place)).is_some_and(|quoted| self.wants(&quoted.key()))
            }
            protocol::UDP => packet.source_port == 53 && self.listener.wants_answer(packet, group.payload(place)),
            protocol::TCP => self.listener.may_answer(packet),
            _ => false,
        }
    }
}

#[inline]
fn is_icmp(number: u8) -> bool {
    matches!(number, protocol::ICMP | protocol::ICMP6)
}

/// A plain SYN.
#[inline]
fn is_attempt(packet: &Packet) -> bool {
    packet.protocol == protocol::TCP && packet.tcp_flags & 0x12 == 0x02
}

/// Adds a packet to the fingerprint of its flow; only flows that the caller wants have one.
fn take_fingerprint(interest: Option<&Interest>, flow: &mut Flow, side: Side, packet: &Packet, payload: &[u8]) {
    let is_first = flow.ends[0].packets + flow.ends[1].packets == 1;
    if is_first && interest.is_none_or(|interest| interest.wants(&flow.key)) {
        flow.fingerprint = Fingerprint::for_first(packet);
    }
    if let Some(fingerprint) = &mut flow.fingerprint {
        fingerprint.take(side, packet, payload);
    }
}

#[cold]
fn note_quote(
    quotes: &mut HashMap<(u64, Quoted), Quote>,
    dropped: &mut u64,
    flow_id: u64,
    quoted: Quoted,
    moment: Moment,
) {
    if let Some(known) = quotes.get_mut(&(flow_id, quoted)) {
        known.count = known.count.saturating_add(1);
    } else if quotes.len() < ICMP_QUOTES {
        let Moment { time_ns: first_ns, frame: first_frame, capture } = moment;
        quotes.insert((flow_id, quoted), Quote { flow_id, quoted, count: 1, first_ns, first_frame, capture });
    } else {
        *dropped += 1;
    }
}
