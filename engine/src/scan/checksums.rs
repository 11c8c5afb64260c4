//! Whose packets have wrong checksums.
//!
//! A host that leaves checksums to its network card shows them unfinished in captures taken on that host: nearly all that
//! it sends is wrong, and what it receives is right. On the wire, wrong checksums are rare and come from anywhere.

use std::collections::HashMap;

use super::capture_report::CaptureReport;
use crate::capture::Frame;
use crate::problem::Problem;
use crate::wire::{Address, Packet, Transport};

/// Senders that are counted (`CHECKSUM_SENDERS`).
pub const CHECKSUM_SENDERS: usize = 1024;
/// A sender with so many wrong checksums …
const SUSPECT_PACKETS: u64 = 10;
/// … that are this share of its packets, in percent, leaves them to its network card.
const SUSPECT_SHARE: u64 = 90;

/// One sender's packets.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    all: u64,
    bad: u64,
}

/// The checksums of one capture, where they are validated.
#[derive(Debug, Default)]
pub struct Checksums {
    senders: HashMap<Address, Sent>,
    bad: u64,
    frame: u64,
    offset: u64,
}

impl Checksums {
    /// Counts a packet.
    pub fn note(&mut self, packet: &Packet, frame: &Frame) {
        let bad = packet.transport == Transport::BadChecksum;
        if bad {
            self.bad += 1;
            if self.bad == 1 {
                (self.frame, self.offset) = (frame.number, frame.file_offset);
            }
        }
        if self.senders.len() < CHECKSUM_SENDERS || self.senders.contains_key(&packet.source) {
            let sent = self.senders.entry(packet.source).or_default();
            sent.all += 1;
            sent.bad += u64::from(bad);
        }
    }

    /// Tells them as a problem of their capture, and begins anew.
    pub fn close(&mut self, report: &mut CaptureReport) {
        let Checksums { senders, bad, frame, offset } = std::mem::take(self);
        if bad == 0 {
            return;
        }
        let suspects = senders
            .iter()
            .filter(|(_, sent)| sent.bad >= SUSPECT_PACKETS && sent.bad * 100 >= sent.all * SUSPECT_SHARE)
            .max_by_key(|(address, sent)| (sent.bad, **address));
        let mut message = "packets with a wrong TCP, UDP or ICMP checksum; they are in no flow".to_owned();
        if let Some((address, sent)) = suspects {
            use std::fmt::Write;
            let _ = write!(
                message,
                "; offload suspected: {} of {} packets of {address} have one, as in captures taken on the sender before \
                 its network card fills them in. Leave out --validate-checksums",
                sent.bad, sent.all
            );
        }
        report.problems.push(Problem {
            name: "bad-checksum",
            count: bad,
            frame,
            offset,
            message,
            hides_traffic: false,
        });
    }
}
