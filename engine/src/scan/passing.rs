//! Frames through the decoder to the flow table.

use super::checksums::Checksums;
use super::intake::{Group, Intake};
use super::listener::Listener;
use super::{CaptureReport, FRAMES, OVERSIZED_FRAME, Options, random_seed};
use crate::capture::Frame;
use crate::flow::{Duplicates, Flow, Moment, Table};
use crate::wire::{Decoder, Glance, LINKTYPE_ETHERNET, Outcome, Packet};

/// The way that every frame goes, whatever it was read from.
pub(crate) struct Passing {
    pub decoder: Decoder,
    pub intake: Intake,
    /// Frames are looked at before they are decoded.
    skims: bool,
    /// `None` where checksums are not validated.
    checksums: Option<Checksums>,
    /// Packets without an IP length so far.
    lengthless: u64,
    packets: Vec<Packet>,
    owners: Vec<u16>,
    /// Keep frames of flows that have no more IP bytes than this yet.
    keep_bytes: Option<u64>,
    /// Frames of the last call that are to be kept, and the flow of each.
    pub kept: Vec<(u16, u64)>,
}

impl Passing {
    /// Nothing has passed yet.
    pub fn new(options: Options) -> Passing {
        let validate_checksums = options.validate_checksums;
        let mut intake = Intake::new(
            Table::new(options.active_flows, 0, random_seed()),
            options.interest,
            options.keep_all,
            options.port_scans,
            options.fingerprints,
            Listener::new(options.wishes),
        );
        intake.vlan = options.vlan;
        if options.keep_duplicates {
            intake.duplicates = None;
        }
        Passing {
            decoder: Decoder::new(validate_checksums, options.decode_depth),
            skims: intake.skims() && !validate_checksums,
            intake,
            checksums: validate_checksums.then(Checksums::default),
            lengthless: 0,
            packets: Vec::with_capacity(4 * FRAMES),
            owners: Vec::with_capacity(4 * FRAMES),
            keep_bytes: None,
            kept: Vec::new(),
        }
    }

    /// A capture begins that was taken by itself: nothing in it is a copy of another capture's packet.
    pub fn begin(&mut self) {
        if let Some(duplicates) = &mut self.intake.duplicates {
            *duplicates = Duplicates::default();
        }
    }

    /// Tell from now on which frames belong to flows in the table that have no more IP bytes than this yet.
    #[cfg(target_os = "linux")]
    pub fn keep(&mut self, bytes: u64) {
        self.keep_bytes = Some(bytes);
    }

    /// Takes frames, at most [`FRAMES`] of them, that lie in `memory`, of the capture with that index.
    pub fn take(
        &mut self,
        frames: &[Frame],
        memory: &[u8],
        names_processes: bool,
        index: u32,
        report: &mut CaptureReport,
    ) {
        self.packets.clear();
        self.owners.clear();
        let mut glances = 0;
        self.kept.clear();
        for (place, frame) in frames.iter().enumerate() {
            let bytes = frame.bytes(memory);
            if self.skims
                && frame.link_type == LINKTYPE_ETHERNET
                && let Some(glance) = Glance::at(bytes, frame.wire_len)
                && self.intake.passes(&glance, frame, bytes, index)
            {
                glances += 1;
                report.note_size(frame, OVERSIZED_FRAME);
                continue;
            }
            let before = self.packets.len();
            let outcome = self.decoder.decode(bytes, frame.link_type, frame.wire_len, frame.time_ns, &mut self.packets);
            if outcome != Outcome::Ip {
                report.note(outcome, frame);
            }
            report.note_size(frame, OVERSIZED_FRAME);
            let lengthless = self.decoder.counts().zero_length;
            if lengthless != self.lengthless {
                self.lengthless = lengthless;
                report.note_lengthless(frame);
            }
            if let Some(checksums) = &mut self.checksums {
                self.packets[before..].iter().for_each(|packet| checksums.note(packet, frame));
            }
            self.owners.resize(self.packets.len(), place as u16);
            if self.packets[before..].iter().any(|packet| packet.reassembled) {
                // The rebuilt bytes last only until the next frame.
                let datagram = self.decoder.datagram();
                let (packets, owners) = (&self.packets, &self.owners);
                self.intake.take(&Group { packets, owners, frames, memory, names_processes, datagram, index });
                self.note_kept();
                self.packets.clear();
                self.owners.clear();
            }
        }
        self.decoder.count_glances(glances);
        let (packets, owners) = (&self.packets, &self.owners);
        self.intake.take(&Group { packets, owners, frames, memory, names_processes, datagram: &[], index });
        self.note_kept();
    }

    fn note_kept(&mut self) {
        let Some(most) = self.keep_bytes else { return };
        for (place, addressed) in self.intake.chosen() {
            let owner = self.owners[place as usize];
            let is_known = self.kept.last().is_some_and(|(last, _)| *last == owner);
            if let Some(flow) = self.intake.table.find(addressed)
                && !is_known
                && flow.ends[0].ip_bytes + flow.ends[1].ip_bytes <= most
            {
                self.kept.push((owner, flow.flow_id));
            }
        }
    }

    /// Tells what was odd in the capture with that index, now that it has been read.
    pub fn close(&mut self, index: u32, report: &mut CaptureReport) {
        self.intake.copies.report(index, report);
        if let Some(checksums) = &mut self.checksums {
            checksums.close(report);
        }
    }

    /// The flows that have ended since this was last asked; `room` takes the next ones.
    pub fn take_ended(&mut self, room: Vec<Flow>) -> Vec<Flow> {
        let mut flows = self.intake.table.take_ended(room);
        for flow in flows.iter_mut().filter(|flow| flow.reading.is_some()) {
            self.intake.listener.close(flow);
        }
        flows
    }

    /// Ends every fragment and flow. What comes to light only now stands at that frame of that capture.
    pub fn finish(&mut self, frame: u64, capture: u32) {
        self.packets.clear();
        self.decoder.finish(&mut self.packets);
        for packet in &self.packets {
            let (key, side) = self.intake.key(packet);
            let addressed = self.intake.table.address(key, side);
            let moment = Moment { time_ns: packet.time_ns, frame, capture, interface: 0 };
            self.intake.table.update(&addressed, packet, || &[], moment);
        }
        self.intake.table.finish();
    }
}
