//! Where packets come from, and what became of it.

use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::OpenError;
use super::plan::Plan;
use super::ring::{self, Ring};
use super::stream::Stream;
use super::tick::SourceState;
use crate::link_type::link_type_name;
use crate::scan::CaptureReport;

pub(super) enum Source {
    Ring(Ring),
    Stream(Box<Stream>),
}

impl Source {
    /// Opens all sources of a plan, each with the beginning of its report. `stop` ends streams where they are.
    pub fn open_all(plan: &Plan, stop: &Arc<AtomicBool>) -> Result<(Vec<Source>, Vec<CaptureReport>), OpenError> {
        let program = plan.aim.program();
        let mut sources = Vec::new();
        let mut reports = Vec::new();
        for (name, number) in plan.interfaces.iter().zip(0..) {
            let ring = Ring::open(name, number, plan.ring_bytes, program.as_ref())?;
            let mut report = CaptureReport::new(name.clone());
            report.format = "live";
            report.compression = "none";
            report.link_types = vec![link_type_name(ring.link_type()).into_owned()];
            report.interface_names.clone_from(&plan.interfaces);
            report.complete = true;
            report.trimmed = ring::TRIMMED;
            reports.push(report);
            sources.push(Source::Ring(ring));
        }
        for path in &plan.streams {
            let stream = Stream::open(path, stop).map_err(|error| OpenError::new(path, "read", &error))?;
            reports.push(CaptureReport::new(path.clone()));
            sources.push(Source::Stream(Box::new(stream)));
        }
        Ok((sources, reports))
    }

    /// What to wait for.
    pub fn fd(&self) -> RawFd {
        match self {
            Source::Ring(ring) => ring.fd(),
            Source::Stream(stream) => stream.fd(),
        }
    }

    /// Reads its counters anew.
    pub fn describe(&mut self, state: &mut SourceState, report: &mut CaptureReport) {
        match self {
            Source::Ring(ring) => {
                state.drops = ring.drops();
                state.absence = ring.absence();
                report.drops = state.drops.packets();
            }
            Source::Stream(stream) => stream.describe(report),
        }
    }
}
