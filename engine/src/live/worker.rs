//! The thread that reads: packets from all sources through the way that files go, and ticks out of it.

use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use super::error::OpenError;
use super::evidence::{Evidence, EvidencePlan};
use super::filter::Program;
use super::handover::Handover;
use super::ring::Ring;
use super::stream::Stream;
use super::tick::{Counters, SourceState, Tick};
use super::wait;
use crate::capture::Frame;
use crate::flow::Flow;
use crate::interest::Interest;
use crate::link_type::link_type_name;
use crate::scan::{
    Aside, CAPTURE_POINTS, CaptureReport, Ends, FRAMES, FlowSamples, Options, Passing, PortScans, ProcessNames, Totals,
    Wishes, capture_set,
};

/// Ended flows that wait to be fetched (`PENDING_FLOWS`); further ones are counted and lost.
pub const PENDING_FLOWS: usize = 1 << 18;

/// 5-tuples of traffic that nobody asked for that are told apart at once (`ASIDE_ROUND`). Then they are counted and
/// forgotten: one that goes on after that is counted as another.
pub const ASIDE_ROUND: usize = 1 << 20;

/// Time between two countings of what was set aside, which looks at every 5-tuple.
const COUNT_ASIDE: Duration = Duration::from_secs(10);

/// A packet that is younger than this may still lie in a block that the kernel has not handed over.
const UNDER_WAY_NS: i64 = 1_000_000_000;

/// Longest sleep: signals that set `stop` are looked at in this rhythm.
const SLEEP_MS: u64 = 50;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Aim {
    /// Address ranges of wanted flows; `None`: all are wanted.
    pub networks: Option<Vec<(u128, u128)>>,
    /// TCP ports of wanted flows, with `networks`.
    pub ports: Vec<u16>,
    /// What to read of payloads.
    pub wishes: Wishes,
    /// Let the kernel turn away what is not wanted.
    pub kernel_filter: bool,
}

/// What is to be watched, and how.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Interfaces.
    pub interfaces: Vec<String>,
    /// Captures that are written meanwhile: paths, `-` for standard input.
    pub streams: Vec<String>,
    /// Time between two ticks.
    pub tick: Duration,
    /// Bytes of each interface's ring.
    pub ring_bytes: usize,
    /// Flows alive at once.
    pub active_flows: usize,
    /// What to look for.
    pub aim: Aim,
    /// Where to keep packets; none are kept without.
    pub evidence: Option<EvidencePlan>,
}

impl Aim {
    fn interest(&self) -> Option<Interest> {
        self.networks.as_ref().map(|networks| Interest::new(networks, &self.ports))
    }

    fn program(&self) -> Option<Program> {
        let networks = self.networks.as_ref().filter(|_| self.kernel_filter)?;
        Program::new(networks, &self.ports)
    }
}

enum Source {
    Ring(Ring),
    Stream(Box<Stream>),
}

/// Everything that the thread has.
pub(super) struct Worker {
    shared: Arc<Handover>,
    sources: Vec<Source>,
    states: Vec<SourceState>,
    reports: Vec<CaptureReport>,
    /// By capture: its report says all, down to what is told at its end.
    closed: Vec<bool>,
    passing: Passing,
    evidence: Option<Evidence>,
    process_names: ProcessNames,
    totals: Totals,
    /// Of what was set aside, as of the last time that it was counted.
    aside: Totals,
    aside_ends: [Ends; CAPTURE_POINTS],
    /// What was set aside in rounds before.
    aside_before: Totals,
    aside_counted: Instant,
    flows: Vec<Flow>,
    flows_lost: u64,
    /// By capture: the last frame before the last tick.
    told: Vec<u64>,
    frames: Vec<Frame>,
    tick: Duration,
    identified: bool,
    /// There is no interface among the sources: whoever writes them waits.
    unhurried: bool,
    latest_ns: i64,
    told_ns: i64,
}

impl Worker {
    pub fn open(plan: Plan, shared: Arc<Handover>) -> Result<Worker, OpenError> {
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
            reports.push(report);
            sources.push(Source::Ring(ring));
        }
        for path in &plan.streams {
            let stream = Stream::open(path, &shared.stop).map_err(|error| OpenError::new(path, "read", &error))?;
            reports.push(CaptureReport::new(path.clone()));
            sources.push(Source::Stream(Box::new(stream)));
        }
        let options = Options {
            interest: plan.aim.interest(),
            wishes: plan.aim.wishes.clone(),
            keep_all: false,
            active_flows: plan.active_flows,
            ..Options::default()
        };
        let mut passing = Passing::new(options);
        let mut evidence = None;
        if let Some(plan) = plan.evidence {
            let folder = plan.folder.display().to_string();
            passing.keep(plan.flow_bytes);
            evidence = Some(Evidence::begin(plan).map_err(|error| OpenError::folder(&folder, &error))?);
        }
        Ok(Worker {
            shared,
            states: vec![SourceState::default(); sources.len()],
            told: vec![0; sources.len()],
            closed: vec![false; sources.len()],
            sources,
            reports,
            passing,
            evidence,
            process_names: ProcessNames::default(),
            totals: Totals::default(),
            aside: Totals::default(),
            aside_ends: [Ends::default(); CAPTURE_POINTS],
            aside_before: Totals::default(),
            aside_counted: Instant::now(),
            flows: Vec::new(),
            flows_lost: 0,
            frames: Vec::with_capacity(FRAMES),
            tick: plan.tick,
            identified: false,
            unhurried: plan.interfaces.is_empty(),
            latest_ns: 0,
            told_ns: 0,
        })
    }

    /// Reads until it is told to stop, or all sources have ended.
    pub fn run(&mut self) {
        let mut due = Instant::now() + self.tick;
        loop {
            if let Some(aim) = self.shared.take_aim() {
                self.turn_to(aim);
            }
            if self.shared.stop.load(Ordering::Relaxed) {
                self.drain();
                break;
            }
            let mut idle = true;
            for index in 0..self.sources.len() {
                idle &= !self.pump(index);
            }
            self.collect();
            if self.states.iter().all(|state| state.ended) {
                break;
            }
            let now = Instant::now();
            if now >= due || self.unhurried && self.latest_ns - self.told_ns >= self.tick.as_nanos() as i64 {
                if self.unhurried {
                    self.shared.wait_until_free();
                }
                if self.shared.is_free() {
                    let tick = self.tick();
                    self.shared.put(tick);
                    due = now + self.tick;
                }
            }
            if idle {
                let left = due.saturating_duration_since(now).min(Duration::from_millis(SLEEP_MS));
                self.wait(left.max(Duration::from_millis(1)));
            }
        }
        self.finish();
    }

    /// Waits for packets.
    fn wait(&mut self, time: Duration) {
        let descriptors: Vec<RawFd> = self
            .sources
            .iter()
            .zip(&self.states)
            .filter(|(_, state)| !state.ended)
            .map(|(source, _)| match source {
                Source::Ring(ring) => ring.fd(),
                Source::Stream(stream) => stream.fd(),
            })
            .collect();
        let began = Instant::now();
        if !wait::for_any(&descriptors, time.as_millis() as i32) || began.elapsed() >= time {
            return;
        }
        for (source, state) in self.sources.iter_mut().zip(&mut self.states) {
            if let Source::Ring(ring) = source {
                ring.take_error();
                state.down += u64::from(ring.take_down());
            }
        }
        // An interface that is gone wakes us at once, again and again.
        if began.elapsed() < Duration::from_millis(1) && self.states.iter().any(|state| state.down > 0) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Takes what one source has, but not for long; whether it had anything.
    fn pump(&mut self, index: usize) -> bool {
        let Worker {
            sources,
            states,
            reports,
            closed,
            passing,
            evidence,
            process_names,
            frames,
            identified,
            latest_ns,
            ..
        } = self;
        let (source, report) = (&mut sources[index], &mut reports[index]);
        if states[index].ended {
            return false;
        }
        match source {
            Source::Ring(ring) => {
                let Some(mut block) = ring.next_block() else { return false };
                while block.next_frames(frames, FRAMES) {
                    note(frames, report, latest_ns);
                    identify(identified, passing, &frames[0], block.memory());
                    passing.take(frames, block.memory(), false, index as u32, report);
                    keep(evidence, passing, frames, block.memory(), index, &report.path);
                }
                true
            }
            Source::Stream(stream) => {
                let capture = match stream.capture() {
                    Ok(capture) => capture,
                    Err(error) => {
                        report.error = Some(error.to_string());
                        (closed[index], states[index].ended) = (true, true);
                        return true;
                    }
                };
                if !capture.next_frames(frames, FRAMES) {
                    passing.close(index as u32, report, capture.info());
                    (closed[index], states[index].ended) = (true, true);
                    return true;
                }
                if frames.is_empty() {
                    return false;
                }
                if capture.info().names_processes {
                    process_names.resolve(capture, frames);
                    if process_names.is_full() {
                        report.note_too_many_processes(&frames[0]);
                    }
                }
                note(frames, report, latest_ns);
                identify(identified, passing, &frames[0], capture.memory());
                let names_processes = capture.info().names_processes;
                passing.take(frames, capture.memory(), names_processes, index as u32, report);
                keep(evidence, passing, frames, capture.memory(), index, &report.path);
                true
            }
        }
    }

    /// Takes what the rings hold when it is to stop; what comes after that is not waited for.
    fn drain(&mut self) {
        // The block that is being filled is handed over when its time is up.
        std::thread::sleep(Duration::from_millis(2 * SLEEP_MS));
        for index in 0..self.sources.len() {
            if let Source::Ring(_) = self.sources[index] {
                let until = Instant::now() + Duration::from_secs(2);
                while Instant::now() < until && self.pump(index) {}
            }
        }
    }

    /// Puts ended flows aside for the next tick.
    fn collect(&mut self) {
        if self.passing.intake.table.ended() == 0 {
            return;
        }
        let ended = self.passing.take_ended(Vec::new());
        for flow in ended {
            let is_wanted = self.passing.intake.wants_flow(&flow);
            self.totals.count(&flow, is_wanted);
            self.passing.intake.count_ends(&flow);
            if is_wanted {
                if self.flows.len() < PENDING_FLOWS {
                    self.flows.push(flow);
                } else {
                    self.flows_lost += 1;
                }
            }
        }
        if self.passing.intake.aside.len() >= ASIDE_ROUND {
            let full = std::mem::replace(&mut self.passing.intake.aside, Aside::new());
            self.aside_before.count_aside(full.sums());
            self.passing.intake.points.add(&full.ends());
            self.count_aside();
        }
        if let Some(scans) = &mut self.passing.intake.port_scans
            && scans.is_full()
        {
            *scans = PortScans::default();
        }
    }

    fn count_aside(&mut self) {
        self.aside = self.aside_before;
        self.aside.count_aside(self.passing.intake.aside.sums());
        self.aside_ends = self.passing.intake.aside.ends();
        self.aside_counted = Instant::now();
    }

    /// What came since the last tick.
    fn tick(&mut self) -> Tick {
        if !self.unhurried {
            // Silence ends flows as well.
            let now = now_ns() - UNDER_WAY_NS;
            self.passing.intake.table.advance(now);
            self.collect();
        }
        if self.aside_counted.elapsed() >= COUNT_ASIDE {
            self.count_aside();
        }
        if let Some(evidence) = &mut self.evidence {
            evidence.flush();
        }
        let mut flows = std::mem::take(&mut self.flows);
        let ended = flows.len();
        let (events, mut samples) = self.passing.intake.listener.take_seen();
        let table = &self.passing.intake.table;
        let mut active = 0;
        let mut points = self.passing.intake.points.clone();
        points.add(&self.aside_ends);
        for flow in table.alive() {
            active += 1;
            points.count(flow, self.passing.intake.vlan);
            if !self.passing.intake.wants_flow(flow) {
                continue;
            }
            let told = self.told.get(flow.last_capture as usize).copied().unwrap_or(0);
            if flow.last_frame > told {
                flows.push(table.so_far(flow));
                samples.extend(FlowSamples::so_far(flow));
            }
        }
        for (told, report) in self.told.iter_mut().zip(&self.reports) {
            *told = report.last_frame;
        }
        self.told_ns = self.latest_ns;
        let mut totals = self.totals;
        totals.add(&self.aside);
        totals.take_ends(points.sum());
        totals.copies = self.passing.intake.copied;
        let mut quotes: Vec<_> = self.passing.intake.quotes.drain().map(|(_, quote)| quote).collect();
        quotes.sort_unstable_by_key(|quote| (quote.capture, quote.first_frame));
        for ((source, state), report) in self.sources.iter_mut().zip(&mut self.states).zip(&mut self.reports) {
            match source {
                Source::Ring(ring) => {
                    state.drops = ring.drops();
                    report.drops = state.drops.packets();
                }
                Source::Stream(stream) => stream.describe(report),
            }
        }
        let mut captures = self.reports.clone();
        for ((report, index), _) in captures.iter_mut().zip(0..).zip(&self.closed).filter(|(_, closed)| !**closed) {
            self.passing.intake.copies.report(index, report);
            report.report_snapped();
        }
        points.report(&mut captures);
        Tick {
            flows,
            ended,
            events,
            samples,
            quotes,
            port_scans: self.passing.intake.port_scans.as_ref().map_or_else(Vec::new, PortScans::pairs),
            processes: self.process_names.names().to_vec(),
            captures,
            sources: self.states.clone(),
            counters: Counters {
                totals,
                table: self.passing.intake.table.counts(),
                decoder: self.passing.sifter.decoder.counts().clone(),
                quotes_dropped: self.passing.intake.quotes_dropped,
                events_dropped: self.passing.intake.listener.dropped(),
                stream_limits_reached: self.passing.intake.listener.limits_reached(),
                flows_lost: self.flows_lost,
                evidence: self.evidence.as_ref().map_or((0, 0), Evidence::counts),
                active,
            },
            now_ns: if self.unhurried { self.latest_ns } else { now_ns() },
            last: false,
        }
    }

    /// Ends every flow, and hands out the last tick.
    fn finish(&mut self) {
        for (index, (source, report)) in self.sources.iter_mut().zip(&mut self.reports).enumerate() {
            if let Source::Stream(stream) = source
                && !self.closed[index]
                && let Ok(capture) = stream.capture()
            {
                // It was left before its end, which is no fault of the capture.
                self.passing.close(index as u32, report, capture.info());
                self.closed[index] = true;
                report.complete = !report.problems.as_slice().iter().any(|problem| problem.hides_traffic);
            }
        }
        let last = self.reports.len().saturating_sub(1);
        let frame = self.reports.last().map_or(0, |report| report.last_frame).max(1);
        self.passing.finish(frame, last as u32);
        self.collect();
        self.count_aside();
        if let Some(evidence) = &mut self.evidence {
            evidence.finish();
        }
        let tick = Tick { last: true, ..self.tick() };
        self.shared.wait_until_free_or_gone();
        self.shared.put(tick);
    }

    fn turn_to(&mut self, aim: Aim) {
        let program = aim.program();
        for source in &self.sources {
            if let Source::Ring(ring) = source {
                // A filter that cannot be changed is taken off: more comes than is needed, and nothing is lost.
                if ring.refilter(program.as_ref()).is_err() {
                    let _ = ring.refilter(None);
                }
            }
        }
        self.passing.turn_to(aim.interest(), aim.wishes);
    }
}

/// Counts frames in the report of their capture.
fn note(frames: &[Frame], report: &mut CaptureReport, latest_ns: &mut i64) {
    for frame in frames {
        report.packets += 1;
        report.bytes += u64::from(frame.wire_len);
        report.captured_bytes += u64::from(frame.len);
        report.first_ns = Some(report.first_ns.map_or(frame.time_ns, |first| first.min(frame.time_ns)));
        report.last_ns = Some(report.last_ns.map_or(frame.time_ns, |last| last.max(frame.time_ns)));
        *latest_ns = (*latest_ns).max(frame.time_ns);
    }
    report.last_frame = frames.last().map_or(report.last_frame, |frame| frame.number);
}

/// Keeps the frames that are evidence.
fn keep(evidence: &mut Option<Evidence>, passing: &Passing, frames: &[Frame], memory: &[u8], index: usize, name: &str) {
    if let Some(evidence) = evidence {
        for &(place, flow_id) in &passing.kept {
            evidence.take(index as u32, name, &frames[usize::from(place)], memory, flow_id);
        }
    }
}

/// Names the flows of this watch by its first frame.
fn identify(identified: &mut bool, passing: &mut Passing, first: &Frame, memory: &[u8]) {
    if !*identified {
        *identified = true;
        passing.intake.table.set_capture_set(capture_set(first, first.bytes(memory)));
    }
}

fn now_ns() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_nanos() as i64)
}
