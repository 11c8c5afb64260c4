//! A control connection under TLS: followed by its records, so that a return to clear text shows (RFC 4217, 9).

use crate::app::event::{Event, Side};
use crate::app::tls::{Follow, Tls};

/// How a control connection is protected.
#[derive(Debug, Default)]
pub(super) struct Protection {
    tls: Tls,
    /// The server agreed to an AUTH.
    pub(super) accepted: bool,
    /// It cannot be read now.
    opaque: bool,
    /// Directions whose records have been told of: the one that returns to clear text last must not tell again.
    told: [bool; 2],
}

impl Protection {
    /// Takes bytes of a protected direction; whether it still is. Otherwise what is left in `bytes` is clear text.
    pub(super) fn take(&mut self, from: Side, bytes: &mut &[u8], events: &mut Vec<Event>) -> bool {
        let before = events.len();
        let follow = self.tls.take(from, bytes, events);
        if self.tls.seen(from) && !self.told[from as usize] {
            self.told[from as usize] = true;
            // The connection is opaque before its hello tells anything.
            let hello = events.split_off(before);
            self.begins(events);
            events.extend(hello);
        }
        if follow == Follow::Records {
            return true;
        }
        // 255 begins a Telnet command, as clients send with ABOR.
        if bytes.first().is_some_and(|&byte| byte.is_ascii_alphanumeric() || byte == 255) {
            self.tls.restart(from);
            self.told[from as usize] = false;
            if self.opaque {
                self.opaque = false;
                events.push(Event::FtpClear);
            }
            return false;
        }
        self.gap(from, events);
        true
    }

    /// Bytes of a protected direction are missing, or are no records: it cannot be followed any more.
    pub(super) fn gap(&mut self, from: Side, events: &mut Vec<Event>) {
        self.tls.gap(from);
        if !self.told[from as usize] {
            self.told[from as usize] = true;
            self.begins(events);
        }
    }

    /// From here on nothing can be read.
    pub(super) fn begins(&mut self, events: &mut Vec<Event>) {
        if !self.opaque {
            self.opaque = true;
            events.push(Event::FtpOpaque { implicit: !self.accepted });
        }
    }

    /// As [`Tls::held_memory`].
    pub(super) fn held_memory(&self) -> usize {
        self.tls.held_memory()
    }

    /// Neither direction can be followed.
    pub(super) fn blind(&self) -> bool {
        self.tls.blind()
    }
}
