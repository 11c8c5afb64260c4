//! What is read of one TCP flow's payload: both directions put in order, a conversation parsed, samples taken.
//!
//! A flow has a [`Reading`] only if somebody wants one. It ends itself as soon as nothing more can come of it, so that a
//! backup of any length costs the reading of its first kilobytes.

use std::sync::Arc;

use crate::app::{Conversation, Event, Expected, Kind, Piece, Reassembler, Sample, Side};
use crate::flow;
use crate::wire::Packet;

/// TCP flags that move a reading.
mod flag {
    pub const FIN: u8 = 1;
    pub const SYN: u8 = 2;
    pub const RST: u8 = 4;
    pub const ACK: u8 = 16;
}

/// The reading of one flow.
pub struct Reading {
    /// Which side of the flow's key is the server.
    server: flow::Side,
    ordered: [Reassembler; 2],
    conversation: Option<Conversation>,
    /// By side.
    samples: Option<[Sample; 2]>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("server", &self.server).finish_non_exhaustive()
    }
}

/// What a sample says of one direction.
#[derive(Clone, Copy, Debug)]
pub struct Sampled {
    /// Sampled bytes.
    pub bytes: u32,
    /// Shannon entropy, bits a byte.
    pub entropy: f64,
    /// The stream is made of TLS records.
    pub is_tls: bool,
}

impl Reading {
    /// A reading of a conversation of that kind, where one is given, and of samples, where they are wanted.
    pub fn new(server: flow::Side, kind: Option<Kind>, expected: &Arc<Expected>, sample: bool) -> Reading {
        Reading {
            server,
            ordered: [Reassembler::new(), Reassembler::new()],
            conversation: kind.map(|kind| Conversation::for_port_kind(kind, expected)),
            samples: sample.then(|| [Sample::default(), Sample::default()]),
        }
    }

    /// Takes a segment that `side` sent. False when nothing more can come of the reading's conversation and samples.
    pub fn segment(&mut self, side: flow::Side, packet: &Packet, payload: &[u8], events: &mut Vec<Event>) -> bool {
        let flags = packet.tcp_flags;
        let mut sequence = packet.sequence;
        if flags & flag::SYN != 0 {
            sequence = sequence.wrapping_add(1);
            self.ordered[side].begin(sequence);
        }
        let Reading { server, ordered, conversation, samples } = self;
        // The payload was sent after what it acknowledges.
        if flags & flag::ACK != 0 {
            let peer = side ^ 1;
            ordered[peer].acknowledged(packet.acknowledgement, |piece| {
                take(*server, conversation, samples, peer, piece, events);
            });
        }
        if packet.payload_len > 0 && flags & flag::RST == 0 {
            ordered[side].segment(sequence, payload, packet.payload_len, |piece| {
                take(*server, conversation, samples, side, piece, events);
            });
        }
        if flags & flag::FIN != 0 {
            ordered[side].fin(sequence.wrapping_add(packet.payload_len));
        }
        self.goes_on()
    }

    /// Takes what is still held back for a hole that was never filled.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        let Reading { server, ordered, conversation, samples } = self;
        for (side, ordered) in ordered.iter_mut().enumerate() {
            ordered.finish(|piece| take(*server, conversation, samples, side, piece, events));
        }
    }

    /// Lets go of all memory that waits for something: what it waits for counts as lost.
    pub fn let_go(&mut self, events: &mut Vec<Event>) {
        self.finish(events);
        if let Some(conversation) = &mut self.conversation
            && conversation.held_memory() > 0
        {
            conversation.gap(Side::Client, events);
            conversation.gap(Side::Server, events);
        }
    }

    /// What the samples of side 0 and side 1 say, those of a tunnel where one is sampled; none where none were wanted.
    pub fn sampled(&self) -> Option<[Sampled; 2]> {
        let of =
            |sample: &Sample| Sampled { bytes: sample.bytes(), entropy: sample.entropy(), is_tls: sample.is_tls() };
        if let Some([client, server]) = self.conversation.as_ref().and_then(Conversation::samples) {
            return Some(if self.server == 0 { [of(server), of(client)] } else { [of(client), of(server)] });
        }
        self.samples.as_ref().map(|[low, high]| [of(low), of(high)])
    }

    /// Which side of the flow's key is the server.
    pub fn server(&self) -> flow::Side {
        self.server
    }

    /// Memory that is held back until what is missing comes, before it or of the same message, bytes.
    pub fn held_memory(&self) -> usize {
        let messages = self.conversation.as_ref().map_or(0, Conversation::held_memory);
        messages + self.ordered.iter().map(Reassembler::held_memory).sum::<usize>()
    }

    /// How often a hole was given up for a limit.
    pub fn limits_reached(&self) -> u32 {
        self.ordered.iter().map(Reassembler::limits_reached).sum()
    }

    fn goes_on(&self) -> bool {
        let talks = self.conversation.as_ref().is_some_and(|conversation| !conversation.done());
        let samples = self.samples.as_ref().is_some_and(|samples| samples.iter().any(|sample| !sample.full()));
        talks || samples
    }
}

fn take(
    server: flow::Side,
    conversation: &mut Option<Conversation>,
    samples: &mut Option<[Sample; 2]>,
    side: flow::Side,
    piece: Piece<'_>,
    events: &mut Vec<Event>,
) {
    let from = if side == server { Side::Server } else { Side::Client };
    match piece {
        Piece::Bytes(bytes) => {
            if let Some(samples) = samples {
                samples[side].feed(bytes);
            }
            if let Some(conversation) = conversation
                && !conversation.done()
            {
                conversation.feed(from, bytes, events);
            }
        }
        Piece::Gap(len) => {
            if let Some(samples) = samples {
                samples[side].gap(len);
            }
            if let Some(conversation) = conversation
                && !conversation.done()
            {
                conversation.gap(from, events);
            }
        }
    }
}
