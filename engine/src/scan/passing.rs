//! Frames through both halves of their way, one group after the other, in one thread.

use super::hearing::Hearing;
use super::intake::{Intake, Scene};
use super::sifter::{Sifted, Sifter};
use super::{CaptureReport, Options, Wishes, random_seed};
use crate::capture::{Frame, Info};
use crate::flow::Flow;
use crate::interest::Interest;

/// The way that every frame goes, whatever it was read from.
pub(crate) struct Passing {
    pub sifter: Sifter,
    pub intake: Intake,
    sifted: Sifted,
    /// Keep frames of flows that have no more IP bytes than this yet.
    keep_bytes: Option<u64>,
    /// Frames of the last call that are to be kept, and the flow of each.
    pub kept: Vec<(u16, u64)>,
}

impl Passing {
    /// Nothing has passed yet.
    pub fn new(options: Options) -> Passing {
        let seed = random_seed();
        Passing {
            sifter: Sifter::new(&options, seed),
            intake: Intake::new(options, seed),
            sifted: Sifted::default(),
            keep_bytes: None,
            kept: Vec::new(),
        }
    }

    /// Tell from now on which frames belong to flows in the table that have no more IP bytes than this yet.
    pub fn keep(&mut self, bytes: u64) {
        self.keep_bytes = Some(bytes);
    }

    /// Wants other flows, and listens for other things, from now on.
    pub fn turn_to(&mut self, interest: Option<Interest>, wishes: Wishes) {
        self.sifter.turn_to(interest.clone(), Hearing::new(&wishes));
        self.intake.turn_to(interest);
        self.intake.listener.listen_to(wishes);
    }

    /// Takes frames that lie in `memory`, of the capture with that index.
    pub fn take(
        &mut self,
        frames: &[Frame],
        memory: &[u8],
        names_processes: bool,
        index: u32,
        report: &mut CaptureReport,
    ) {
        self.sifter.sift(frames, memory, report, &mut self.sifted);
        for group in 0..self.sifted.groups.len() {
            self.intake.take(&mut self.sifted, group, &Scene { frames, memory, names_processes, index });
        }
        self.note_kept();
    }

    fn note_kept(&mut self) {
        let Some(most) = self.keep_bytes else { return };
        self.kept.clear();
        for chosen in self.sifted.chosen.iter().filter(|chosen| !chosen.copy) {
            let place = chosen.frame as u16;
            let is_known = self.kept.last().is_some_and(|(last, _)| *last == place);
            if let Some(flow) = self.intake.table.find(&chosen.addressed)
                && !is_known
                && flow.ends[0].ip_bytes + flow.ends[1].ip_bytes <= most
            {
                self.kept.push((place, flow.flow_id));
            }
        }
    }

    /// Tells what was odd in the capture with that index, now that it has been read.
    pub fn close(&mut self, index: u32, report: &mut CaptureReport, info: &Info) {
        self.sifter.close(report, info);
        self.intake.copies.report(index, report);
    }

    /// The flows that have ended since this was last asked; `room` takes the next ones.
    pub fn take_ended(&mut self, room: Vec<Flow>) -> Vec<Flow> {
        self.intake.take_ended(room, usize::MAX)
    }

    /// Ends every fragment and flow. What comes to light only now stands at that frame of that capture.
    pub fn finish(&mut self, frame: u64, capture: u32) {
        let left = self.sifter.finish();
        self.intake.take_left(&left, frame, capture);
        self.intake.table.finish();
    }
}
