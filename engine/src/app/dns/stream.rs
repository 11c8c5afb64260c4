//! DNS over TCP: messages behind their lengths (RFC 1035, 4.2.2).

use super::message::message;
use crate::app::event::{Event, Side};
use crate::app::gather::Gather;

/// Both directions of a connection. A message is at most 65,535 bytes long, and so is what is gathered.
#[derive(Debug, Default)]
pub(in crate::app) struct Stream {
    gathered: [Gather; 2],
    lost: [bool; 2],
}

impl Stream {
    /// Takes the next bytes of one direction.
    pub(in crate::app) fn feed(&mut self, from: Side, mut bytes: &[u8], events: &mut Vec<Event>) {
        let side = from as usize;
        let gathered = &mut self.gathered[side];
        while !bytes.is_empty() && !self.lost[side] {
            if !gathered.fill(&mut bytes, 2) {
                return;
            }
            let length = u16::from_be_bytes([gathered.bytes()[0], gathered.bytes()[1]]);
            if gathered.fill(&mut bytes, 2 + usize::from(length)) {
                let errors = events.len();
                message(&gathered.bytes()[2..], length.into(), events);
                gathered.release();
                // Behind a message that is none the lengths are not believed any more.
                self.lost[side] = events[errors..].iter().any(|event| matches!(event, Event::ProtocolError { .. }));
            }
        }
    }

    /// Bytes of one direction are missing: where its messages begin is not known any more.
    pub(in crate::app) fn gap(&mut self, from: Side, events: &mut Vec<Event>) {
        let side = from as usize;
        if !self.lost[side] {
            self.lost[side] = true;
            self.gathered[side].release();
            events.push(Event::Lost { protocol: "dns" });
        }
    }

    /// Memory that the beginnings of messages take, bytes.
    pub(in crate::app) fn held_memory(&self) -> usize {
        self.gathered.iter().map(Gather::held_memory).sum()
    }

    /// Nothing more can come.
    pub(in crate::app) fn done(&self) -> bool {
        self.lost == [true; 2]
    }
}
