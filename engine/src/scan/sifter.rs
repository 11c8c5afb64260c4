//! The first half of a packet's way: frames are decoded, and what nobody wants is told from what goes to the flow table.
//!
//! Nothing here depends on packets before, but for fragments: so it can run ahead of the flow table, in a thread of its
//! own, and what comes of it is the same.

use std::ops::Range;

use super::aside::Mark;
use super::checksums::Checksums;
use super::hearing::Hearing;
use super::intake::is_attempt;
use super::{CaptureReport, OVERSIZED_FRAME, Options, VlanMode};
use crate::capture::{Frame, Info};
use crate::flow::{Addressed, FlowKey, Side, glance_hash, protocol};
use crate::interest::Interest;
use crate::quote::Quoted;
use crate::wire::{Counts, Decoder, Glance, LINKTYPE_ETHERNET, Outcome, Packet, Transport};

/// Frames whose flows are brought near together. More of them would push each other out of the first-level cache.
pub(crate) const FRAMES: usize = 128;

/// What became of some frames, in their order.
#[derive(Debug, Default)]
pub(crate) struct Sifted {
    /// Packets that were decoded.
    pub packets: Vec<Packet>,
    /// Those of them that go to the table.
    pub chosen: Vec<Chosen>,
    /// Packets that nobody wants.
    pub passers: Vec<Passer>,
    /// Payload of packets that were put together from fragments.
    pub datagrams: Vec<u8>,
    /// How many of the chosen and of the passers there are up to the end of each [`FRAMES`] frames.
    pub groups: Vec<(u32, u32)>,
}

/// A packet that goes to the table.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub addressed: Addressed,
    /// Index of its frame.
    pub frame: u32,
    /// Index in [`Sifted::packets`].
    pub packet: u32,
    /// The caller wants its flow.
    pub wanted: bool,
    /// It came a second time; told by the second half.
    pub copy: bool,
}

/// A packet that nobody wants.
#[derive(Debug)]
pub(crate) struct Passer {
    /// What it tells of its flow, but where it was captured.
    pub mark: Mark,
    /// Index of its frame.
    pub frame: u32,
    /// Index in [`Sifted::packets`], or [`GLANCE`].
    packet: u32,
    pub ip_len: u32,
    pub side: u8,
    /// It counts as a packet of its flow.
    pub believed: bool,
    /// It is a plain SYN.
    pub attempt: bool,
}

/// There is no packet: a glance was enough.
const GLANCE: u32 = u32::MAX;

impl Sifted {
    /// Forgets all, and keeps the room.
    pub fn clear(&mut self) {
        self.packets.clear();
        self.chosen.clear();
        self.passers.clear();
        self.datagrams.clear();
        self.groups.clear();
    }

    /// Which of the chosen and of the passers belong to a group.
    #[inline]
    pub fn group(&self, number: usize) -> (Range<usize>, Range<usize>) {
        let (chosen, passers) = number.checked_sub(1).map_or((0, 0), |before| self.groups[before]);
        let end = self.groups[number];
        (chosen as usize..end.0 as usize, passers as usize..end.1 as usize)
    }
}

impl Passer {
    fn glanced(glance: &Glance, hash: u64, side: Side, frame: u32) -> Passer {
        let Glance { protocol, tcp_flags, ip_len, .. } = *glance;
        Passer {
            mark: Mark::new(hash, side, protocol, tcp_flags, true),
            frame,
            packet: GLANCE,
            ip_len: u32::from(ip_len),
            side: side as u8,
            believed: true,
            attempt: is_attempt(protocol, tcp_flags),
        }
    }

    fn decoded(packet: &Packet, hash: u64, side: Side, frame: u32, number: u32) -> Passer {
        let Packet { protocol, tcp_flags, ip_len, .. } = *packet;
        // As the flow table counts: a TCP header that cannot be believed and a wrong checksum make a flow, and no packet in it.
        let believed = match packet.transport {
            Transport::Whole => true,
            Transport::Short { .. } => protocol != protocol::TCP,
            Transport::BadChecksum => false,
        };
        let mark = Mark::new(hash, side, protocol, tcp_flags, believed);
        let attempt = is_attempt(protocol, tcp_flags);
        Passer { mark, frame, packet: number, ip_len, side: side as u8, believed, attempt }
    }

    /// Whether it was captured before that one.
    #[inline]
    pub fn comes_before(&self, chosen: &Chosen) -> bool {
        (self.frame, self.packet) < (chosen.frame, chosen.packet)
    }

    /// The packet, unless a glance was enough.
    #[inline]
    pub fn packet<'p>(&self, packets: &'p [Packet]) -> Option<&'p Packet> {
        packets.get(self.packet as usize)
    }
}

/// The captured part of the payload of a packet that came in the frame with these bytes.
#[inline]
pub(crate) fn payload_of<'m>(packet: &Packet, bytes: &'m [u8], datagrams: &'m [u8]) -> &'m [u8] {
    let source = if packet.reassembled { datagrams } else { bytes };
    let at = packet.payload_at as usize;
    source.get(at..at + packet.payload_captured as usize).unwrap_or_default()
}

/// Decodes, and decides by what a packet itself says.
pub(crate) struct Sifter {
    pub decoder: Decoder,
    interest: Option<Interest>,
    keep_all: bool,
    hearing: Hearing,
    /// Frames are looked at before they are decoded.
    skims: bool,
    /// VLANs keep flows apart.
    strict: bool,
    /// The flow table's.
    seed: u64,
    /// `None` where checksums are not validated.
    checksums: Option<Checksums>,
    /// Packets without an IP length so far.
    lengthless: u64,
}

impl Sifter {
    /// `seed`: the flow table's.
    pub fn new(options: &Options, seed: u64) -> Sifter {
        let validate_checksums = options.validate_checksums;
        Sifter {
            decoder: Decoder::new(validate_checksums, options.decode_depth)
                .keeping(options.room.fragment_table, options.room.fragment_bytes),
            interest: options.interest.clone(),
            keep_all: options.keep_all,
            hearing: Hearing::new(&options.wishes),
            skims: !options.keep_all && options.interest.is_some() && !validate_checksums,
            strict: options.vlan == VlanMode::Strict,
            seed,
            checksums: validate_checksums.then(Checksums::default),
            lengthless: 0,
        }
    }

    /// Another one that sifts as this does, and knows no frames yet.
    pub fn alike(&self) -> Sifter {
        Sifter {
            decoder: self.decoder.alike(),
            interest: self.interest.clone(),
            hearing: self.hearing.clone(),
            checksums: None,
            lengthless: 0,
            ..*self
        }
    }

    /// Whether it sifts some frames as it would after those before them, but for fragments.
    pub fn sifts_out_of_turn(&self) -> bool {
        self.checksums.is_none()
    }

    /// What its decoder counted since this was last asked. It forgets the fragments that it kept.
    pub fn take_counts(&mut self) -> Counts {
        self.lengthless = 0;
        let counts = self.decoder.take_counts();
        if counts.fragments > 0 {
            self.decoder = self.decoder.alike();
        }
        counts
    }

    /// Adds what the decoder of another one counted.
    pub fn join(&mut self, counts: &Counts) {
        self.decoder.join(counts);
        self.lengthless += counts.zero_length;
    }

    /// Wants other flows from now on.
    pub fn turn_to(&mut self, interest: Option<Interest>, hearing: Hearing) {
        self.interest = interest;
        self.hearing = hearing;
    }

    /// Sifts frames that lie in `memory`; `sifted` is made anew.
    pub fn sift(&mut self, frames: &[Frame], memory: &[u8], report: &mut CaptureReport, sifted: &mut Sifted) {
        sifted.clear();
        let mut at = 0;
        for group in frames.chunks(FRAMES) {
            let mut glances = 0;
            for (place, frame) in (at..).zip(group) {
                let bytes = frame.bytes(memory);
                report.note_size(frame, OVERSIZED_FRAME);
                if self.skims
                    && frame.link_type == LINKTYPE_ETHERNET
                    && let Some(glance) = Glance::at(bytes, frame.wire_len)
                    && !self.may_matter(&glance, bytes)
                {
                    glances += 1;
                    let (hash, side) = glance_hash(&glance, self.seed);
                    sifted.passers.push(Passer::glanced(&glance, hash, side, place));
                    continue;
                }
                self.decode(frame, bytes, place, report, sifted);
            }
            self.decoder.count_glances(glances);
            sifted.groups.push((sifted.chosen.len() as u32, sifted.passers.len() as u32));
            at += FRAMES as u32;
        }
    }

    #[inline]
    fn decode(&mut self, frame: &Frame, bytes: &[u8], place: u32, report: &mut CaptureReport, sifted: &mut Sifted) {
        let before = sifted.packets.len();
        let outcome = self.decoder.decode(bytes, frame.link_type, frame.wire_len, frame.time_ns, &mut sifted.packets);
        if outcome != Outcome::Ip {
            report.note(outcome, frame);
        }
        let lengthless = self.decoder.counts().zero_length;
        if lengthless != self.lengthless {
            self.lengthless = lengthless;
            report.note_lengthless(frame);
        }
        if let Some(checksums) = &mut self.checksums {
            sifted.packets[before..].iter().for_each(|packet| checksums.note(packet, frame));
        }
        if sifted.packets[before..].iter().any(|packet| packet.reassembled) {
            keep_datagrams(&self.decoder, &mut sifted.packets[before..], &mut sifted.datagrams);
        }
        for number in before..sifted.packets.len() {
            let packet = &sifted.packets[number];
            let (key, side) = self.key(packet);
            let wanted = self.interest.as_ref().is_none_or(|interest| interest.wants(&key));
            let addressed = Addressed::new(key, side, self.seed);
            let number = number as u32;
            if self.keep_all || wanted || self.says_something(packet, payload_of(packet, bytes, &sifted.datagrams)) {
                sifted.chosen.push(Chosen { addressed, frame: place, packet: number, wanted, copy: false });
            } else {
                sifted.passers.push(Passer::decoded(packet, addressed.hash(), side, place, number));
            }
        }
    }

    /// Whether somebody may want the frame with that glance and these bytes.
    #[inline]
    fn may_matter(&self, glance: &Glance, bytes: &[u8]) -> bool {
        self.interest.as_ref().is_none_or(|interest| interest.may_want(glance))
            || self.hearing.may_say_something(glance, bytes)
    }

    /// A packet's key, and which side sent it.
    #[inline(always)] // as `FlowKey::of`
    #[allow(clippy::inline_always)]
    fn key(&self, packet: &Packet) -> (FlowKey, Side) {
        let (key, side) = FlowKey::of(packet);
        (if self.strict { key.within(packet.vlan) } else { key }, side)
    }

    /// Whether a packet of a flow that nobody wants says something that somebody wants.
    #[inline]
    fn says_something(&self, packet: &Packet, payload: &[u8]) -> bool {
        match packet.protocol {
            protocol::ICMP | protocol::ICMP6 => Quoted::of(packet, payload)
                .is_some_and(|quoted| self.interest.as_ref().is_none_or(|interest| interest.wants(&quoted.key()))),
            protocol::UDP => self.hearing.may_answer(packet, payload) || self.hearing.may_be_relayed(payload),
            protocol::TCP => self.hearing.may_answer(packet, &[]),
            _ => false,
        }
    }

    /// Ends the capture's fragments: packets of datagrams that never became whole, with their addresses.
    pub fn finish(&mut self) -> Vec<(Packet, Addressed)> {
        let mut packets = Vec::new();
        self.decoder.finish(&mut packets);
        let address = |packet: Packet| {
            let (key, side) = self.key(&packet);
            (packet, Addressed::new(key, side, self.seed))
        };
        packets.into_iter().map(address).collect()
    }

    /// Tells what was odd in the capture, now that it has been read.
    pub fn close(&mut self, report: &mut CaptureReport, info: &Info) {
        if let Some(checksums) = &mut self.checksums {
            checksums.close(report);
        }
        report.note_headers_cut(self.decoder.take_transport_cut());
        report.close(info);
    }
}

/// Keeps the bytes of rebuilt datagrams, which the decoder has until the next frame only.
#[cold]
fn keep_datagrams(decoder: &Decoder, packets: &mut [Packet], datagrams: &mut Vec<u8>) {
    for packet in packets.iter_mut().filter(|packet| packet.reassembled) {
        packet.payload_at += datagrams.len() as u32;
    }
    datagrams.extend_from_slice(decoder.datagram());
}
