//! One flow while it lives, and what the table needs to know about each of its ends.
//!
//! Everything is counted per endpoint (side 0 and side 1 of the key). Which of them is the initiator is one
//! number, so that a decision that comes late spoils no counter; forward and reverse exist only on output.

use super::key::{FlowKey, Side};
use super::stream::{Holes, Stream};
use crate::fingerprint::Fingerprint;
use crate::memory;
use crate::reading::Reading;

/// Letters that the history of one flow holds at most (`HISTORY_LETTERS`); later ones are not written.
pub const HISTORY_LETTERS: usize = 24;

/// Kinds of packets an end has sent, a bit for each of Zeek's history letters.
pub mod seen {
    /// `S`: SYN without ACK.
    pub const SYN: u16 = 1;
    /// `H`: SYN with ACK.
    pub const SYN_ACK: u16 = 2;
    /// `A`: pure ACK.
    pub const ACK: u16 = 4;
    /// `D`: payload.
    pub const DATA: u16 = 8;
    /// `F`: FIN.
    pub const FIN: u16 = 16;
    /// `R`: RST.
    pub const RST: u16 = 32;
    /// `C`: bad checksum.
    pub const BAD_CHECKSUM: u16 = 64;
    /// `G`: acknowledged by the peer, never captured.
    pub const GAP: u16 = 128;
    /// `T`: payload that advances nothing.
    pub const RETRANSMISSION: u16 = 256;
    /// `W`: window of zero.
    pub const ZERO_WINDOW: u16 = 512;
    /// `I`: FIN with RST.
    pub const FIN_RST: u16 = 1024;
    /// `Q`: SYN with FIN or RST.
    pub const ODD: u16 = 2048;
}

/// What one TCP end has done, Zeek's seven states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndState {
    /// Nothing sent yet.
    #[default]
    Inactive,
    /// Sent a SYN.
    SynSent,
    /// Began with SYN and ACK, as an initiator.
    SynAckSent,
    /// Takes part, its SYN not seen.
    Partial,
    /// Opened as it should.
    Established,
    /// Sent FIN.
    Closed,
    /// Sent RST.
    Reset,
}

/// Zeek's `conn_state`. The numbers are part of the boundary to Python.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// No start seen, or none of the others.
    #[default]
    Oth = 0,
    /// SYN without answer.
    S0 = 1,
    /// Opened, no end seen.
    S1 = 2,
    /// Opened and closed by both.
    Sf = 3,
    /// Attempt answered with RST.
    Rej = 4,
    /// The initiator closed, the responder did not.
    S2 = 5,
    /// The responder closed, the initiator did not.
    S3 = 6,
    /// The initiator reset it.
    Rsto = 7,
    /// The responder reset it.
    Rstr = 8,
    /// SYN, then RST, no SYN-ACK.
    Rstos0 = 9,
    /// SYN-ACK, then RST, SYN not seen.
    Rstrh = 10,
    /// SYN, then FIN, no SYN-ACK.
    Sh = 11,
    /// SYN-ACK, then FIN, SYN not seen.
    Shr = 12,
}

impl State {
    /// The code as Zeek prints it.
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 13] =
            ["OTH", "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR"];
        NAMES[self as usize]
    }
}

/// How the initiator was told. The numbers are part of the boundary to Python.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Basis {
    /// It sent the first packet; nothing better is known.
    #[default]
    FirstPacket = 0,
    /// It sent the SYN.
    Syn = 1,
    /// The other end sent the SYN-ACK.
    SynAck = 2,
    /// The protocol says who asks and who answers.
    Protocol = 3,
    /// The other end's port is a likely server port.
    Port = 4,
}

impl Basis {
    /// The word of the flow table.
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 5] = ["first-packet", "syn", "syn-ack", "protocol", "port"];
        NAMES[self as usize]
    }
}

/// One end of a flow: what it sent. Half a cache line, touched by every packet.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Endpoint {
    /// Packets.
    pub packets: u64,
    /// Sum of the IP lengths.
    pub ip_bytes: u64,
    /// Payload bytes; for TCP each sequence number once.
    pub payload: u64,
    /// [`seen`] bits.
    pub seen: u16,
    /// TCP state of this end.
    pub state: EndState,
    /// A FIN has been seen.
    pub finished: bool,
    /// TCP sequence space. Eight bytes: `next` and two flags.
    pub stream: Stream,
}

/// What only some packets of an end touch.
#[derive(Debug, Default)]
pub struct Details {
    /// Missing ranges of the sequence space.
    pub holes: Holes,
    /// Sequence number of the last SYN: another one is another event.
    pub syn: u32,
    /// End of the data at the last FIN.
    pub fin: u32,
    /// Sequence number of the last RST.
    pub rst: u32,
    /// Packets whose payload had all been seen.
    pub retransmitted: u32,
    /// VLAN tags of this end's first packet.
    pub vlan: u64,
    /// How often each of the letters was due that are written at powers of ten: T, G, W, C.
    pub repeats: [u32; 4],
}

/// Packets of one end that came a second time, and were not counted then.
#[derive(Clone, Copy, Debug, Default)]
pub struct Twice {
    /// Packets.
    pub packets: u64,
    /// Their IP bytes.
    pub ip_bytes: u64,
    /// Their payload bytes.
    pub payload: u64,
    /// Those of them with payload.
    pub with_payload: u32,
    /// Letters of the history when the first of those came; 0: none did, or only after this end's RST.
    pub letters: u8,
}

/// A flow, alive or just ended. The first three cache lines hold what every packet touches.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct Flow {
    /// What it is looked up by.
    pub key: FlowKey,
    /// When it is over if nothing more comes, ns.
    pub expires_ns: i64,
    /// Time of the last packet of any kind, ns.
    pub last_ns: i64,
    /// Both ends, by side.
    pub ends: [Endpoint; 2],
    /// Time of the first packet, ns.
    pub start_ns: i64,
    /// Time of the last packet with payload, ns; 0 if none.
    pub last_data_ns: i64,
    /// Time of the packet that closed it on both sides, ns; 0 while it is open. Later packets do not prolong it.
    pub closed_ns: i64,
    /// Last frame, in its capture.
    pub last_frame: u64,
    /// Capture of the last frame.
    pub last_capture: u32,
    /// Capture of the first frame.
    pub capture: u32,
    /// Generation of the slot, so that a stale timer is told.
    pub generation: u32,
    /// Which side is the initiator.
    pub initiator: u8,
    /// How that was told.
    pub basis: Basis,
    /// The closing is complete: `expires_ns` moves no more.
    pub closing: bool,
    /// Letters in `history`.
    pub letters: u8,
    /// First frame, in its capture; 0 in a slot without a flow.
    pub first_frame: u64,
    /// The initiator's first SYN; 0 if not seen.
    pub syn_frame: u64,
    /// Sequence number of the initiator's first SYN.
    pub syn_sequence: u32,
    /// 0 for the first piece.
    pub piece: u32,
    /// Identity that pieces of one flow share; 0 until it is told.
    pub flow_id: u64,
    /// Bytes that were acknowledged and never captured, both ends.
    pub missed_bytes: u64,
    /// VLAN tags of the first packet.
    pub vlan: u64,
    /// Encapsulations of the first packet.
    pub tunnel: u64,
    /// Zeek's history.
    pub history: [u8; HISTORY_LETTERS],
    /// Process that it belongs to, by the first of its packets that tells; 0: not told. A number of
    /// [`crate::scan::Scan::processes`].
    pub process: u32,
    /// Something was read in it that somebody wants: an ICMP error's quote, the answer for a host name.
    pub noted: bool,
    /// Interface of the first packet.
    pub interface: u16,
    /// Packets of one side came in several VLANs.
    pub mixed_vlans: bool,
    /// What is read of its payload.
    pub reading: Option<Box<Reading>>,
    /// What it keeps wherever it is captured.
    pub fingerprint: Option<Box<Fingerprint>>,
    /// What came twice, by side.
    pub twice: Option<Box<[Twice; 2]>>,
    /// Further facts of both ends, by side.
    pub details: [Details; 2],
}

impl Flow {
    /// Which side the initiator is.
    #[inline]
    pub fn initiator_side(&self) -> Side {
        usize::from(self.initiator & 1)
    }

    /// Brings what each packet looks at into the cache.
    #[inline]
    pub fn touch(&self) {
        memory::fetch(&self.expires_ns);
        memory::fetch(&self.ends[0].packets);
        memory::fetch(&self.last_frame);
    }

    /// Brings all of it into the cache.
    #[inline]
    pub fn touch_whole(&self) {
        let [near, far] = &self.details;
        memory::fetch(&self.expires_ns);
        for word in [&self.ends[0].packets, &self.ends[1].packets, &self.flow_id, &self.tunnel] {
            memory::fetch(word);
        }
        for word in [&near.syn, &far.syn, &self.process] {
            memory::fetch(word);
        }
    }

    /// Whether it has counted one packet so far.
    #[inline]
    pub fn has_one_packet(&self) -> bool {
        self.ends[0].packets + self.ends[1].packets == 1
    }

    /// The initiator's end.
    #[inline]
    pub fn forward(&self) -> &Endpoint {
        &self.ends[self.initiator_side()]
    }

    /// The responder's end.
    #[inline]
    pub fn reverse(&self) -> &Endpoint {
        &self.ends[self.initiator_side() ^ 1]
    }

    /// The initiator's further facts, and the responder's.
    pub fn details(&self) -> (&Details, &Details) {
        (&self.details[self.initiator_side()], &self.details[self.initiator_side() ^ 1])
    }

    /// Takes the VLAN tags of a packet that has some and was counted.
    #[inline]
    pub fn note_vlan(&mut self, side: Side, vlan: u64) {
        let known = &mut self.details[side].vlan;
        if *known == vlan {
        } else if self.ends[side].packets <= 1 {
            *known = vlan;
        } else {
            self.mixed_vlans = true;
        }
    }

    /// Whether its halves came by different VLANs.
    pub fn has_two_vlans(&self) -> bool {
        self.ends[0].packets > 0 && self.ends[1].packets > 0 && self.details[0].vlan != self.details[1].vlan
    }

    /// Time of the last packet that counts for the duration, ns.
    pub fn end_ns(&self) -> i64 {
        if self.closed_ns == 0 { self.last_ns } else { self.closed_ns }
    }

    /// The history so far.
    pub fn history(&self) -> &[u8] {
        &self.history[..usize::from(self.letters)]
    }

    /// The record as it is so far, without what is read of the payload and without the ranges that are missing.
    #[must_use]
    pub fn so_far(&self) -> Flow {
        let details = |of: &Details| Details {
            holes: Holes::default(),
            syn: of.syn,
            fin: of.fin,
            rst: of.rst,
            retransmitted: of.retransmitted,
            vlan: of.vlan,
            repeats: of.repeats,
        };
        Flow {
            key: self.key,
            expires_ns: self.expires_ns,
            last_ns: self.last_ns,
            ends: self.ends,
            start_ns: self.start_ns,
            last_data_ns: self.last_data_ns,
            closed_ns: self.closed_ns,
            last_frame: self.last_frame,
            last_capture: self.last_capture,
            capture: self.capture,
            generation: self.generation,
            initiator: self.initiator,
            basis: self.basis,
            closing: self.closing,
            letters: self.letters,
            first_frame: self.first_frame,
            syn_frame: self.syn_frame,
            syn_sequence: self.syn_sequence,
            piece: self.piece,
            flow_id: self.flow_id,
            missed_bytes: self.missed_bytes,
            vlan: self.vlan,
            tunnel: self.tunnel,
            history: self.history,
            process: self.process,
            noted: self.noted,
            interface: self.interface,
            mixed_vlans: self.mixed_vlans,
            reading: None,
            fingerprint: None,
            twice: self.twice.clone(),
            details: [details(&self.details[0]), details(&self.details[1])],
        }
    }

    /// Writes a letter, upper case for the initiator's packets.
    #[inline]
    pub fn write(&mut self, side: Side, letter: u8) {
        self.write_raw(letter | self.case(side));
    }

    /// What makes a letter upper case for the initiator's packets, and lower case for the others.
    fn case(&self, side: Side) -> u8 {
        if side == self.initiator_side() { 0 } else { 0x20 }
    }

    /// Writes the mark of a change of roles, which has no case.
    pub fn write_flip(&mut self) {
        self.write_raw(b'^');
    }

    fn write_raw(&mut self, letter: u8) {
        if let Some(place) = self.history.get_mut(usize::from(self.letters)) {
            *place = letter;
            self.letters += 1;
        }
    }

    /// Writes the letter of a kind of packet where this end has not sent one yet.
    #[inline]
    pub fn write_once(&mut self, side: Side, kind: u16, letter: u8) {
        if self.ends[side].seen & kind == 0 {
            self.ends[side].seen |= kind;
            self.write(side, letter);
        }
    }

    /// The same where it was due behind the first `before` letters, as is told only now: a later one moves there.
    pub fn insert_once(&mut self, side: Side, kind: u16, letter: u8, before: u8) {
        self.write_once(side, kind, letter);
        let written = letter | self.case(side);
        let (first, later) =
            self.history[..usize::from(self.letters)].split_at_mut(usize::from(before.min(self.letters)));
        if !first.contains(&written)
            && let Some(at) = later.iter().position(|&known| known == written)
        {
            later[..=at].rotate_right(1);
        }
    }

    /// The other end is the initiator after all. Counters stay where they are: they belong to the ends.
    pub fn flip(&mut self, basis: Basis) {
        self.initiator ^= 1;
        self.basis = basis;
    }

    /// Zeek's `conn_state`, for a flow that is over.
    pub fn state(&self) -> State {
        match self.key.protocol() {
            super::key::protocol::TCP => self.tcp_state(),
            super::key::protocol::UDP => match (self.forward().packets > 0, self.reverse().packets > 0) {
                (true, true) => State::Sf,
                (true, false) => State::S0,
                (false, true) => State::Shr,
                (false, false) => State::Oth,
            },
            _ => State::Oth,
        }
    }

    fn tcp_state(&self) -> State {
        use EndState::{Closed, Established, Inactive, Partial, Reset, SynAckSent, SynSent};
        let (o, r) = (self.forward().state, self.reverse().state);
        let idle = |state| matches!(state, Inactive | Partial);
        let silent = self.forward().payload == 0 && self.reverse().payload == 0;
        match (o, r) {
            (SynSent | SynAckSent, Reset) => State::Rej,
            (Reset, Reset) if silent => State::Rej,
            (_, Reset) if idle(o) => State::Rstrh,
            (_, Reset) => State::Rstr,
            (Reset, _) if idle(r) && self.is_syn_then_reset() => State::Rstos0,
            (Reset, _) if idle(r) => State::Oth,
            (Reset, _) => State::Rsto,
            (Closed, Closed) => State::Sf,
            (Closed, _) if idle(r) => State::Sh,
            (Closed, _) => State::S2,
            (_, Closed) if idle(o) => State::Shr,
            (_, Closed) => State::S3,
            (SynSent, Inactive) => State::S0,
            (Established, Established) => State::S1,
            _ => State::Oth,
        }
    }

    /// `S`, perhaps after `^`, then no other opening or data of the initiator, and an `R` somewhere after.
    fn is_syn_then_reset(&self) -> bool {
        let history = self.history().strip_prefix(b"^").unwrap_or(self.history());
        let Some((b'S', rest)) = history.split_first() else { return false };
        rest.iter().position(|&letter| letter == b'R').is_some_and(|reset| {
            !rest[..reset].iter().any(|letter| matches!(letter, b'H' | b'A' | b'F' | b'G' | b'I' | b'Q'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::{offset_of, size_of};

    #[test]
    fn what_every_packet_touches_fits_in_three_cache_lines() {
        assert_eq!(offset_of!(Flow, ends), 64);
        assert_eq!(size_of::<Endpoint>(), 40);
        assert!(offset_of!(Flow, first_frame) <= 192);
    }
}
