//! Where packets come from, and what became of it.

// Some is asked of rings only.
#![cfg_attr(not(target_os = "linux"), allow(unused_variables))]

use std::fs::File;
#[cfg(not(target_os = "linux"))]
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::OpenError;
use super::plan::{Aim, Plan};
#[cfg(target_os = "linux")]
use super::ring::{self, Ring};
use super::stream::Stream;
use super::tick::SourceState;
use super::wait::Waiting;
#[cfg(target_os = "linux")]
use crate::link_type::link_type_name;
use crate::scan::CaptureReport;

pub(super) enum Source {
    #[cfg(target_os = "linux")]
    Ring(Ring),
    /// What is read elsewhere in this program.
    Feed(Box<Stream>),
    Stream(Box<Stream>),
}

/// How a report calls what no file holds.
const LIVE: &str = "live";

impl Source {
    /// Opens all sources of a plan, each with the beginning of its report. `stop` ends streams where they are; feeds end
    /// where whoever writes them ends.
    pub fn open_all(plan: &mut Plan, stop: &Arc<AtomicBool>) -> Result<(Vec<Source>, Vec<CaptureReport>), OpenError> {
        let mut sources = Source::open_rings(plan)?;
        for feed in plan.feeds.drain(..) {
            let stream = Stream::new(File::from(OwnedFd::from(feed.reader)), &Arc::default());
            sources.push((Source::Feed(Box::new(stream)), CaptureReport::new(feed.name)));
        }
        for path in &plan.streams {
            let stream = Stream::open(path, stop).map_err(|error| OpenError::new(path, "read", &error))?;
            sources.push((Source::Stream(Box::new(stream)), CaptureReport::new(path.clone())));
        }
        Ok(sources.into_iter().unzip())
    }

    #[cfg(target_os = "linux")]
    fn open_rings(plan: &Plan) -> Result<Vec<(Source, CaptureReport)>, OpenError> {
        let program = plan.aim.program();
        let mut rings = Vec::new();
        for (name, number) in plan.interfaces.iter().zip(0..) {
            let ring = Ring::open(name, number, plan.ring_bytes, program.as_ref())?;
            let mut report = CaptureReport::new(name.clone());
            report.format = LIVE;
            report.compression = "none";
            report.link_types = vec![link_type_name(ring.link_type()).into_owned()];
            report.interface_names.clone_from(&plan.interfaces);
            report.complete = true;
            report.trimmed = ring::TRIMMED;
            rings.push((Source::Ring(ring), report));
        }
        Ok(rings)
    }

    #[cfg(not(target_os = "linux"))]
    fn open_rings(plan: &Plan) -> Result<Vec<(Source, CaptureReport)>, OpenError> {
        match plan.interfaces.first() {
            None => Ok(Vec::new()),
            Some(name) => Err(OpenError::new(name, "open", &io::ErrorKind::Unsupported.into())),
        }
    }

    /// What to wait for.
    pub fn fd(&self) -> RawFd {
        match self {
            #[cfg(target_os = "linux")]
            Source::Ring(ring) => ring.fd(),
            Source::Feed(stream) | Source::Stream(stream) => stream.fd(),
        }
    }

    /// Whether its packets pass an interface now, and are lost if nobody takes them.
    pub fn is_live(&self) -> bool {
        !matches!(self, Source::Stream(_))
    }

    /// Looks after an interface that was down or gone, after `waiting` was `woken` or not; whether it met an error there.
    pub fn look_after(&mut self, waiting: &Waiting, woken: bool) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Source::Ring(ring) => {
                let erred = woken && waiting.met_error(ring.fd());
                if erred {
                    ring.take_error();
                }
                ring.look_after();
                erred
            }
            Source::Feed(_) | Source::Stream(_) => false,
        }
    }

    /// Lets the kernel turn away what is not aimed at.
    pub fn turn_to(&self, aim: &Aim) {
        match self {
            #[cfg(target_os = "linux")]
            Source::Ring(ring) => {
                // A filter that cannot be changed is taken off: more comes than is needed, and nothing is lost. Taking off
                // is refused only where there is none, or where a filter is locked, and nobody locks ours: socket(7).
                if ring.refilter(aim.program().as_ref()).is_err() {
                    let _ = ring.refilter(None);
                }
            }
            Source::Feed(_) | Source::Stream(_) => {}
        }
    }

    /// Reads its counters anew.
    pub fn describe(&mut self, state: &mut SourceState, report: &mut CaptureReport) {
        match self {
            #[cfg(target_os = "linux")]
            Source::Ring(ring) => {
                state.drops = ring.drops();
                state.absence = ring.absence();
                report.drops = state.drops.packets();
            }
            Source::Feed(stream) => {
                stream.describe(report);
                report.format = LIVE;
            }
            Source::Stream(stream) => stream.describe(report),
        }
    }
}
