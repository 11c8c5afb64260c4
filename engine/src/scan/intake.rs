//! The second half of a packet's way: to the flow table, or aside.

use std::collections::HashMap;

use super::aside::Aside;
use super::copies::Copies;
use super::listener::Listener;
use super::options::{Options, VlanMode};
use super::points::Points;
use super::port_scan::PortScans;
use super::sifter::{Chosen, Passer, Sifted, payload_of};
use crate::capture::Frame;
use crate::fingerprint::Fingerprint;
use crate::flow::{Addressed, Duplicates, Flow, Moment, Point, Side, Table, protocol};
use crate::interest::Interest;
use crate::quote::{Quote, Quoted};
use crate::wire::{Glance, Packet};

/// Where sifted packets come from.
pub(crate) struct Scene<'a> {
    pub frames: &'a [Frame],
    /// Where the frames lie.
    pub memory: &'a [u8],
    pub names_processes: bool,
    /// Index of the capture.
    pub index: u32,
}

impl Scene<'_> {
    #[inline]
    fn frame(&self, place: u32) -> &Frame {
        &self.frames[place as usize]
    }

    #[inline]
    fn moment(&self, packet: &Packet, place: u32) -> Moment {
        let frame = self.frame(place);
        Moment { time_ns: packet.time_ns, frame: frame.number, capture: self.index, interface: frame.interface }
    }
}

/// Where packets go.
pub struct Intake {
    pub table: Table,
    pub aside: Aside,
    pub port_scans: Option<PortScans>,
    pub quotes: HashMap<(u64, Quoted), Quote>,
    pub quotes_dropped: u64,
    /// Quotes at most.
    most_quotes: usize,
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
    fingerprints: bool,
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

impl Intake {
    /// Nothing has come yet. `seed`: of the flow table.
    pub fn new(options: Options, seed: u64) -> Intake {
        let room = &options.room;
        Intake {
            table: Table::new(room.active_flows, 0, seed).remembering(room.flow_memory),
            aside: Aside::new(),
            port_scans: options.port_scans.then(|| PortScans::new(room.port_scan_pairs)),
            quotes: HashMap::new(),
            quotes_dropped: 0,
            most_quotes: room.icmp_quotes,
            listener: Listener::new(options.wishes, room),
            duplicates: (!options.keep_duplicates).then(Duplicates::default),
            trial: Trial::default(),
            copies: Copies::default(),
            copied: 0,
            points: Points::default(),
            vlan: options.vlan,
            promising: false,
            interest: options.interest,
            fingerprints: options.fingerprints,
        }
    }

    /// A capture begins that was taken by itself: nothing in it is a copy of another capture's packet.
    pub fn begin(&mut self) {
        if let Some(duplicates) = &mut self.duplicates {
            *duplicates = Duplicates::default();
        }
    }

    /// Whether the caller wants that flow as columns, now that all is known of it.
    pub fn wants_flow(&self, flow: &Flow) -> bool {
        flow.noted || self.interest.as_ref().is_none_or(|interest| interest.wants_flow(flow))
    }

    /// Counts what a flow that has ended shows of its ends.
    pub fn count_ends(&mut self, flow: &Flow) {
        self.points.count(flow, self.vlan);
    }

    /// Wants other flows from now on.
    pub fn turn_to(&mut self, interest: Option<Interest>) {
        self.interest = interest;
    }

    /// The flows that ended first, at most so many; `room` takes the next ones.
    pub fn take_ended(&mut self, room: Vec<Flow>, most: usize) -> Vec<Flow> {
        let mut flows = self.table.take_ended(room, most);
        for flow in flows.iter_mut().filter(|flow| flow.reading.is_some()) {
            self.listener.close(flow);
        }
        flows
    }

    /// Takes the packets that came to light only at the end, at that frame of that capture.
    pub fn take_left(&mut self, left: &[(Packet, Addressed)], frame: u64, capture: u32) {
        for (packet, addressed) in left {
            let moment = Moment { time_ns: packet.time_ns, frame, capture, interface: 0 };
            self.table.update(addressed, packet, || &[], moment);
        }
    }

    /// Takes the packets of one group, in the order of their frames.
    pub fn take(&mut self, sifted: &mut Sifted, group: usize, scene: &Scene<'_>) {
        let (chosen, passers) = sifted.group(group);
        let Sifted { packets, chosen: all, passers: passing, datagrams, .. } = sifted;
        let chosen = &mut all[chosen];
        self.tell_apart(packets, chosen, &passing[passers], scene);
        self.take_group(packets, datagrams, chosen, scene);
        if let Some(port_scans) = &mut self.port_scans {
            port_scans.settle();
        }
    }

    /// Tells copies, in the order of the frames, and takes what is left of the passers.
    fn tell_apart(&mut self, packets: &[Packet], chosen: &mut [Chosen], passers: &[Passer], scene: &Scene<'_>) {
        for passer in passers {
            self.aside.touch(passer.mark);
        }
        let mut passers = passers.iter().peekable();
        let mut chosen = chosen.iter_mut();
        loop {
            let next = chosen.next();
            while let Some(passer) =
                passers.next_if(|passer| next.as_ref().is_none_or(|chosen| passer.comes_before(chosen)))
            {
                self.pass(passer, packets, scene);
            }
            let Some(Chosen { addressed, frame, packet, wanted, copy }) = next else { return };
            self.table.touch_index(addressed);
            if self.duplicates.is_some() && (*wanted || self.trial.goes_on()) {
                let packet = &packets[*packet as usize];
                *copy = self.is_copy(packet, addressed.side(), addressed.hash(), scene.index, scene.frame(*frame));
                if !*wanted {
                    self.trial.note(*copy);
                }
            }
        }
    }

    /// Takes a packet that nobody wants.
    #[inline(always)] // once for nearly every packet of an audit: the call would cost a quarter of it
    #[allow(clippy::inline_always)]
    fn pass(&mut self, passer: &Passer, packets: &[Packet], scene: &Scene<'_>) {
        if self.duplicates.is_some() && self.trial.goes_on() && self.is_copied(passer, packets, scene) {
            return;
        }
        let vlan = passer.packet(packets).map_or(0, |packet| packet.vlan);
        let interface = scene.frame(passer.frame).interface;
        let point = self.points.number(scene.index, Point { interface, vlan });
        if passer.believed {
            self.aside.count(passer.ip_len);
        }
        let is_new = self.aside.note(passer.mark.at(point));
        if is_new && passer.attempt {
            self.note_attempt(passer, packets, scene);
        }
    }

    /// Whether a packet that nobody wants is a copy.
    #[inline(never)]
    fn is_copied(&mut self, passer: &Passer, packets: &[Packet], scene: &Scene<'_>) -> bool {
        let frame = scene.frame(passer.frame);
        let bytes = frame.bytes(scene.memory);
        let glanced = || Some(Glance::at(bytes, frame.wire_len)?.identity(bytes, frame.time_ns));
        let Some(packet) = passer.packet(packets).copied().or_else(glanced) else { return false };
        let copy = self.is_copy(&packet, Side::from(passer.side), passer.mark.name(), scene.index, frame);
        self.trial.note(copy);
        copy
    }

    /// Tells who tries a port.
    #[inline(never)]
    fn note_attempt(&mut self, passer: &Passer, packets: &[Packet], scene: &Scene<'_>) {
        let Some(port_scans) = &mut self.port_scans else { return };
        if let Some(Packet { source, destination, destination_port, .. }) = passer.packet(packets) {
            port_scans.note(*source, *destination, *destination_port);
        } else {
            let frame = scene.frame(passer.frame);
            if let Some(glance) = Glance::at(frame.bytes(scene.memory), frame.wire_len) {
                let [source, destination] = glance.address;
                port_scans.note(source.into(), destination.into(), glance.port[1]);
            }
        }
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

    fn take_group(&mut self, packets: &[Packet], datagrams: &[u8], chosen: &mut [Chosen], scene: &Scene<'_>) {
        let listens = !self.listener.is_deaf();
        let interest = self.interest.as_ref();
        self.table.touch(chosen.iter_mut().map(|chosen| &mut chosen.addressed));
        for Chosen { addressed, frame, packet, copy, .. } in chosen.iter() {
            let packet = &packets[*packet as usize];
            if *copy {
                self.table.take_copy(addressed, packet);
                continue;
            }
            let moment = scene.moment(packet, *frame);
            let payload = || payload_of(packet, scene.frame(*frame).bytes(scene.memory), datagrams);
            let flow = self.table.update(addressed, packet, payload, moment);
            if packet.vlan != 0 {
                flow.note_vlan(addressed.side(), packet.vlan);
            }
            if listens && self.listener.listens_to(flow, packet) {
                self.listener.take(flow, packet, payload(), moment);
            }
            if self.fingerprints && packet.protocol == protocol::TCP {
                take_fingerprint(interest, flow, addressed.side(), packet, payload());
            }
            if scene.names_processes && flow.process == 0 {
                flow.process = scene.frame(*frame).process;
            }
            if !self.promising {
                self.promising = flow.has_one_packet() && interest.is_none_or(|interest| interest.wants_flow(flow));
            }
            if is_icmp(packet.protocol)
                && let Some(quoted) = Quoted::of(packet, payload())
                && interest.is_none_or(|interest| interest.wants(&quoted.key()))
            {
                flow.noted = true;
                let kept = note_quote(&mut self.quotes, self.most_quotes, flow.flow_id, quoted, moment);
                self.quotes_dropped += u64::from(!kept);
            }
            if is_attempt(packet.protocol, packet.tcp_flags)
                && let Some(port_scans) = &mut self.port_scans
            {
                port_scans.note(packet.source, packet.destination, packet.destination_port);
            }
        }
    }
}

#[inline]
fn is_icmp(number: u8) -> bool {
    matches!(number, protocol::ICMP | protocol::ICMP6)
}

/// A plain SYN.
#[inline]
pub(super) fn is_attempt(number: u8, tcp_flags: u8) -> bool {
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

/// Counts what was quoted; false where there is no room for it.
#[cold]
fn note_quote(
    quotes: &mut HashMap<(u64, Quoted), Quote>,
    most: usize,
    flow_id: u64,
    quoted: Quoted,
    moment: Moment,
) -> bool {
    if let Some(known) = quotes.get_mut(&(flow_id, quoted)) {
        known.count = known.count.saturating_add(1);
    } else if quotes.len() < most {
        let Moment { time_ns: first_ns, frame: first_frame, capture, .. } = moment;
        quotes.insert((flow_id, quoted), Quote { flow_id, quoted, count: 1, first_ns, first_frame, capture });
    } else {
        return false;
    }
    true
}
