//! Packets to the flow table, or aside.

use std::collections::HashMap;

use super::aside::{Aside, Mark};
use super::copies::Copies;
use super::listener::Listener;
use super::options::VlanMode;
use super::points::Points;
use super::port_scan::PortScans;
use crate::capture::Frame;
use crate::fingerprint::Fingerprint;
use crate::flow::{Addressed, Duplicates, Flow, FlowKey, Moment, Point, Side, Table, protocol};
use crate::interest::Interest;
use crate::quote::{ICMP_QUOTES, Quote, Quoted};
use crate::wire::{Address, Glance, Packet, Transport};

/// Packets of one group of frames, and which frame each came from.
pub struct Group<'a> {
    pub packets: &'a [Packet],
    pub owners: &'a [u16],
    pub frames: &'a [Frame],
    /// Where the frames lie.
    pub memory: &'a [u8],
    pub names_processes: bool,
    pub datagram: &'a [u8],
    pub index: u32,
}

impl Group<'_> {
    /// The captured part of a packet's payload.
    #[inline]
    fn payload(&self, place: usize) -> &[u8] {
        let packet = &self.packets[place];
        let source = if packet.reassembled { self.datagram } else { self.frame(place).bytes(self.memory) };
        let at = packet.payload_at as usize;
        source.get(at..at + packet.payload_captured as usize).unwrap_or_default()
    }

    #[inline]
    fn frame(&self, place: usize) -> &Frame {
        &self.frames[usize::from(self.owners[place])]
    }

    #[inline]
    fn moment(&self, place: usize) -> Moment {
        let frame = self.frame(place);
        let interface = frame.interface;
        Moment { time_ns: self.packets[place].time_ns, frame: frame.number, capture: self.index, interface }
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
    /// Recognises copies; `None`: they are taken like other packets.
    pub duplicates: Option<Duplicates>,
    trial: Trial,
    /// Those that it recognised.
    pub copies: Copies,
    /// Packets that were copies.
    pub copied: u64,
    /// What the capture points show.
    pub points: Points,
    pub vlan: VlanMode,
    /// A flow has begun that the caller wants, as far as its first packet tells.
    pub promising: bool,
    interest: Option<Interest>,
    keep_all: bool,
    fingerprints: bool,
    chosen: Vec<Chosen>,
    /// Packets that nobody wants, until what is known of their flows has come into the cache.
    passers: Vec<Mark>,
    /// Those of them that are SYNs, in the same order.
    attempts: Vec<Attempt>,
}

/// A packet that goes to the table.
struct Chosen {
    /// Index in its group.
    place: u32,
    /// It came a second time.
    copy: bool,
    addressed: Addressed,
}

/// Whether traffic that nobody wants is looked at for copies: as long as there are some, and else now and then. To tell
/// copies costs as much again as all the rest that is done for such a packet, and a mirror port that makes them makes
/// them all the time.
#[derive(Debug, Default)]
struct Trial {
    looked: u64,
    copies: u64,
    /// Packets since it was over.
    rested: u64,
}

impl Trial {
    /// Packets that are looked at in any case (`COPY_TRIAL`).
    const PACKETS: u64 = 8192;
    /// After those, at least one in so many has to be a copy.
    const SHARE: u64 = 64;
    /// Where there is none, it begins anew after so many packets (`COPY_REST`): somebody may have changed the mirror.
    const REST: u64 = 1 << 20;

    /// Whether the next packet is to be looked at.
    #[inline]
    fn goes_on(&mut self) -> bool {
        if self.looked < Trial::PACKETS || self.copies * Trial::SHARE >= self.looked {
            return true;
        }
        self.rested += 1;
        if self.rested > Trial::REST {
            *self = Trial::default();
        }
        false
    }

    /// Counts a packet that was looked at.
    #[inline]
    fn note(&mut self, copy: bool) {
        self.looked += 1;
        self.copies += u64::from(copy);
    }
}

/// Who tries which port of whom.
struct Attempt {
    /// Index in `Intake::passers`.
    passer: usize,
    source: Address,
    destination: Address,
    port: u16,
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
            duplicates: Some(Duplicates::default()),
            copies: Copies::default(),
            copied: 0,
            trial: Trial::default(),
            points: Points::default(),
            vlan: VlanMode::Auto,
            promising: false,
            interest,
            keep_all,
            fingerprints,
            chosen: Vec::new(),
            passers: Vec::new(),
            attempts: Vec::new(),
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

    /// Counts what a flow that has ended shows of its ends.
    pub fn count_ends(&mut self, flow: &Flow) {
        self.points.count(flow, self.vlan);
    }

    /// Whether packets may be told off at a glance: their addresses and ports alone say that nobody wants them.
    pub fn skims(&self) -> bool {
        !self.keep_all && self.interest.is_some()
    }

    /// Counts a packet that nobody can want, and true; false where its `frame`, which has these `bytes`, has to be decoded.
    #[inline]
    pub fn passes(&mut self, glance: &Glance, frame: &Frame, bytes: &[u8], capture: u32) -> bool {
        if self.interest.as_ref().is_none_or(|interest| interest.may_want(glance))
            || self.listener.may_say_something(glance, bytes)
        {
            return false;
        }
        let Glance { address: [source, destination], port: [_, port], protocol, tcp_flags, ip_len } = *glance;
        let (hash, side) = self.table.address_glance(glance);
        if self.duplicates.is_some() && self.trial.goes_on() {
            let copy = self.is_copy(&glance.identity(bytes, frame.time_ns), side, hash, capture, frame);
            self.trial.note(copy);
            if copy {
                return true;
            }
        }
        let point = self.points.number(capture, Point { interface: frame.interface, vlan: 0 });
        self.aside.count(u32::from(ip_len));
        if is_attempt(protocol, tcp_flags) {
            let (source, destination) = (source.into(), destination.into());
            self.attempts.push(Attempt { passer: self.passers.len(), source, destination, port });
        }
        self.passers.push(Mark::new(hash, side, protocol, tcp_flags, true, point));
        true
    }

    /// A packet's key, and which side sent it.
    #[inline(always)] // as `FlowKey::of`
    #[allow(clippy::inline_always)]
    pub fn key(&self, packet: &Packet) -> (FlowKey, Side) {
        let (key, side) = FlowKey::of(packet);
        (if self.vlan == VlanMode::Strict { key.within(packet.vlan) } else { key }, side)
    }

    /// Whether a packet is a copy of one before; then it is counted.
    #[inline]
    fn is_copy(&mut self, packet: &Packet, side: Side, hash: u64, capture: u32, frame: &Frame) -> bool {
        let Some(duplicates) = &mut self.duplicates else { return false };
        let Some(copied) = duplicates.recognise(packet, side, hash, frame.interface) else { return false };
        self.copies.note(&copied, capture, frame);
        self.copied += 1;
        true
    }

    /// Wants other flows from now on.
    pub fn turn_to(&mut self, interest: Option<Interest>) {
        self.interest = interest;
    }

    /// The packets of the last group that were counted in the table: place in the group, and address.
    pub fn chosen(&self) -> impl Iterator<Item = (u32, &Addressed)> {
        self.chosen.iter().filter(|chosen| !chosen.copy).map(|chosen| (chosen.place, &chosen.addressed))
    }

    /// Takes a group of packets, in their order.
    pub fn take(&mut self, group: &Group<'_>) {
        self.chosen.clear();
        for (place, packet) in group.packets.iter().enumerate() {
            let (key, side) = self.key(packet);
            let addressed = self.table.address(key, side);
            let wanted = self.wants(&key);
            let mut copy = false;
            if wanted || self.trial.goes_on() {
                copy = self.is_copy(packet, side, addressed.hash(), group.index, group.frame(place));
                if !wanted {
                    self.trial.note(copy);
                }
            }
            if self.keep_all || wanted || self.says_something(group, place) {
                self.table.touch_index(&addressed);
                self.chosen.push(Chosen { place: place as u32, copy, addressed });
            } else if !copy {
                let point = Point { interface: group.frame(place).interface, vlan: packet.vlan };
                let point = self.points.number(group.index, point);
                self.pass(packet, side, addressed.hash(), point);
            }
        }
        self.take_aside();
        let listens = !self.listener.is_deaf();
        let interest = self.interest.as_ref();
        self.table.touch(self.chosen.iter_mut().map(|chosen| &mut chosen.addressed));
        for Chosen { place, copy, addressed } in &self.chosen {
            let place = *place as usize;
            let packet = &group.packets[place];
            if *copy {
                self.table.take_copy(addressed, packet);
                continue;
            }
            let moment = group.moment(place);
            let flow = self.table.update(addressed, packet, || group.payload(place), moment);
            if packet.vlan != 0 {
                flow.note_vlan(addressed.side(), packet.vlan);
            }
            if listens && self.listener.listens_to(flow, packet) {
                self.listener.take(flow, packet, group.payload(place), moment);
            }
            if self.fingerprints && packet.protocol == protocol::TCP {
                take_fingerprint(interest, flow, addressed.side(), packet, group.payload(place));
            }
            if group.names_processes && flow.process == 0 {
                flow.process = group.frame(place).process;
            }
            if !self.promising {
                self.promising = flow.has_one_packet() && interest.is_none_or(|interest| interest.wants_flow(flow));
            }
            if is_icmp(packet.protocol)
                && let Some(quoted) = Quoted::of(packet, group.payload(place))
                && interest.is_none_or(|interest| interest.wants(&quoted.key()))
            {
                flow.noted = true;
                note_quote(&mut self.quotes, &mut self.quotes_dropped, flow.flow_id, quoted, moment);
            }
            if is_attempt(packet.protocol, packet.tcp_flags)
                && let Some(port_scans) = &mut self.port_scans
            {
                port_scans.note(packet.source, packet.destination, packet.destination_port);
            }
        }
    }

    /// A decoded packet that nobody wants.
    fn pass(&mut self, packet: &Packet, side: Side, hash: u64, point: usize) {
        // As the flow table counts: a TCP header that cannot be believed and a wrong checksum make a flow, and no packet in it.
        let believed = match packet.transport {
            Transport::Whole => true,
            Transport::Short { .. } => packet.protocol != protocol::TCP,
            Transport::BadChecksum => false,
        };
        if believed {
            self.aside.count(packet.ip_len);
        }
        if is_attempt(packet.protocol, packet.tcp_flags) {
            let Packet { source, destination, destination_port: port, .. } = *packet;
            self.attempts.push(Attempt { passer: self.passers.len(), source, destination, port });
        }
        self.passers.push(Mark::new(hash, side, packet.protocol, packet.tcp_flags, believed, point));
    }

    fn take_aside(&mut self) {
        let ahead = self.passers.iter().fold(0, |words, mark| words ^ self.aside.first_word(*mark));
        std::hint::black_box(ahead);
        let mut attempts = self.attempts.iter();
        let mut attempt = attempts.next();
        for (place, mark) in self.passers.iter().enumerate() {
            let is_new = self.aside.note(*mark);
            if let Some(Attempt { passer, source, destination, port }) = attempt
                && *passer == place
            {
                attempt = attempts.next();
                if let (true, Some(port_scans)) = (is_new, &mut self.port_scans) {
                    port_scans.note(*source, *destination, *port);
                }
            }
        }
        self.passers.clear();
        self.attempts.clear();
    }

    /// Whether a packet of a flow that nobody wants says something that somebody wants.
    #[inline]
    fn says_something(&self, group: &Group<'_>, place: usize) -> bool {
        let packet = &group.packets[place];
        match packet.protocol {
            protocol::ICMP | protocol::ICMP6 => {
                Quoted::of(packet, group.payload(place)).is_some_and(|quoted| self.wants(&quoted.key()))
            }
            protocol::UDP => {
                let payload = group.payload(place);
                self.listener.may_answer(packet, payload) || self.listener.may_be_relayed(payload)
            }
            protocol::TCP => self.listener.may_answer(packet, &[]),
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
fn is_attempt(number: u8, tcp_flags: u8) -> bool {
    number == protocol::TCP && tcp_flags & 0x12 == 0x02
}

/// Adds a packet to the fingerprint of its flow; only flows that the caller wants have one.
fn take_fingerprint(interest: Option<&Interest>, flow: &mut Flow, side: Side, packet: &Packet, payload: &[u8]) {
    if flow.has_one_packet() && interest.is_none_or(|interest| interest.wants(&flow.key)) {
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
        let Moment { time_ns: first_ns, frame: first_frame, capture, .. } = moment;
        quotes.insert((flow_id, quoted), Quote { flow_id, quoted, count: 1, first_ns, first_frame, capture });
    } else {
        *dropped += 1;
    }
}
