//! The thread that reads: packets from all sources through the way that files go, and ticks out of it ([`super::telling`]).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use super::error::OpenError;
use super::evidence::Evidence;
use super::handover::Handover;
use super::plan::{Aim, Plan};
use super::rounds::Rounds;
use super::source::Source;
use super::tick::SourceState;
use super::wait::Waiting;
use crate::capture::Frame;
use crate::flow::Flow;
use crate::scan::{CaptureReport, FRAMES, Passing, ProcessNames, Totals, capture_set};

/// Ended flows that wait to be fetched (`PENDING_FLOWS`); further ones are counted and lost.
pub const PENDING_FLOWS: usize = 1 << 18;

/// Longest sleep: signals that set `stop` are looked at in this rhythm.
const SLEEP_MS: u64 = 50;

/// Everything that the thread has.
pub(super) struct Worker {
    pub shared: Arc<Handover>,
    pub sources: Vec<Source>,
    pub states: Vec<SourceState>,
    pub reports: Vec<CaptureReport>,
    /// By capture: its report says all, down to what is told at its end.
    pub closed: Vec<bool>,
    pub passing: Passing,
    pub evidence: Option<Evidence>,
    pub process_names: ProcessNames,
    pub totals: Totals,
    pub rounds: Rounds,
    /// Pairs of hosts of which nobody knows any more how many ports were tried.
    pub scan_pairs_forgotten: u64,
    pub flows: Vec<Flow>,
    /// So many of them at most.
    pending_flows: usize,
    pub flows_lost: u64,
    /// By capture: the last frame before the last tick.
    pub told: Vec<u64>,
    frames: Vec<Frame>,
    tick: Duration,
    waiting: Waiting,
    identified: bool,
    /// No source is live: whoever writes them waits.
    pub unhurried: bool,
    pub latest_ns: i64,
    pub told_ns: i64,
}

impl Worker {
    pub fn open(mut plan: Plan, shared: Arc<Handover>) -> Result<Worker, OpenError> {
        let (sources, reports) = Source::open_all(&mut plan, &shared.stop)?;
        let mut passing = Passing::new(plan.options());
        let room = plan.room;
        let mut evidence = None;
        if let Some(plan) = plan.evidence {
            let folder = plan.folder.display().to_string();
            passing.keep(plan.flow_bytes);
            evidence =
                Some(Evidence::begin(plan, room.evidence_buffers).map_err(|error| OpenError::folder(&folder, &error))?);
        }
        Ok(Worker {
            shared,
            unhurried: !sources.iter().any(Source::is_live),
            states: vec![SourceState::default(); sources.len()],
            told: vec![0; sources.len()],
            closed: vec![false; sources.len()],
            sources,
            reports,
            passing,
            evidence,
            process_names: ProcessNames::default(),
            totals: Totals::default(),
            rounds: Rounds::new(room.aside_round),
            pending_flows: room.pending_flows,
            scan_pairs_forgotten: 0,
            flows: Vec::new(),
            flows_lost: 0,
            frames: Vec::with_capacity(FRAMES),
            tick: plan.tick,
            waiting: Waiting::default(),
            identified: false,
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
            if Instant::now() >= due || self.unhurried && self.has_enough() {
                if self.unhurried {
                    self.shared.wait_until_free();
                }
                if self.shared.is_free() {
                    let tick = self.tick();
                    self.shared.put(tick);
                    // From now on, not from when it was due: what waited for a long judgement would else be cut into
                    // ticks of a few packets, each of which costs a judgement of all there is.
                    due = Instant::now() + self.tick;
                }
            }
            if idle {
                let left = due.saturating_duration_since(Instant::now()).min(Duration::from_millis(SLEEP_MS));
                self.wait(left.max(Duration::from_millis(1)));
            }
        }
        self.finish();
    }

    /// Whether what waits to be told, of sources that wait as well, is a tick's worth or takes half of its room.
    fn has_enough(&self) -> bool {
        self.latest_ns - self.told_ns >= self.tick.as_nanos() as i64 || self.flows.len() >= self.pending_flows / 2
    }

    /// Waits for packets, and looks after interfaces that were down or gone.
    fn wait(&mut self, time: Duration) {
        let Worker { sources, states, waiting, .. } = self;
        let open = sources.iter().zip(&*states).filter(|(_, state)| !state.ended);
        let began = Instant::now();
        let woken = waiting.for_any(open.map(|(source, _)| source.fd()), time.as_millis() as i32);
        let mut erred = false;
        for source in sources {
            erred |= source.look_after(waiting, woken);
        }
        // An interface that is gone wakes us at once, again and again.
        if erred && began.elapsed() < Duration::from_millis(1) {
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
            #[cfg(target_os = "linux")]
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
            Source::Feed(stream) | Source::Stream(stream) => {
                if !stream.has_begun() {
                    return false;
                }
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

    /// Takes what rings and feeds hold when it is to stop; what comes after that is not waited for.
    fn drain(&mut self) {
        // The block that is being filled is handed over when its time is up.
        std::thread::sleep(Duration::from_millis(2 * SLEEP_MS));
        for index in 0..self.sources.len() {
            if self.sources[index].is_live() {
                let until = Instant::now() + Duration::from_secs(2);
                while Instant::now() < until && self.pump(index) {}
            }
        }
    }

    /// Puts ended flows aside for the next tick, and makes room for what else there is too much of.
    pub fn collect(&mut self) {
        if self.passing.intake.table.ended() > 0 {
            self.collect_flows();
        }
        let intake = &mut self.passing.intake;
        self.rounds.turn(&mut intake.aside, &mut intake.points);
        if let Some(scans) = &mut intake.port_scans
            && scans.is_full()
        {
            self.scan_pairs_forgotten += scans.forget() as u64;
        }
    }

    fn collect_flows(&mut self) {
        let ended = self.passing.take_ended(Vec::new());
        for flow in ended {
            let is_wanted = self.passing.intake.wants_flow(&flow);
            self.totals.count(&flow, is_wanted);
            self.passing.intake.count_ends(&flow);
            if is_wanted {
                if self.flows.len() < self.pending_flows {
                    self.flows.push(flow);
                } else {
                    self.flows_lost += 1;
                }
            }
        }
    }

    fn turn_to(&mut self, aim: Aim) {
        for source in &self.sources {
            source.turn_to(&aim);
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

pub(super) fn now_ns() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_nanos() as i64)
}
