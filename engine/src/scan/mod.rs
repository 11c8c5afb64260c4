//! Captures to batches of flows: the engine's main path.

mod aside;
mod capture_report;
mod checksums;
mod copies;
mod front;
mod hearing;
mod inputs;
mod intake;
mod listener;
mod options;
#[cfg(unix)]
mod passing;
mod points;
mod port_scan;
mod process_names;
mod relays;
mod sifter;
mod turns;

use std::collections::HashMap;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::flow::{Flow, Table};
use crate::memory;
use crate::quote::Quote;
use crate::wire::Counts;

pub use aside::ASIDE_TUPLES;
pub(crate) use aside::Aside;
pub use capture_report::CaptureReport;
pub use checksums::CHECKSUM_SENDERS;
pub use copies::COPY_PAIRS;
#[cfg(unix)]
pub(crate) use front::capture_set;
pub(crate) use front::open;
use front::{Beside, Front, Parcel};
pub(crate) use inputs::in_order_of_time;
use inputs::{Input, total_size};
use intake::{Intake, Scene};
pub use listener::{
    APP_CONVERSATIONS, APP_EVENT_BYTES, APP_EVENTS, APP_HELD_BYTES, APP_SAMPLES, FlowSamples, Listener, Seen, Wishes,
};
pub use options::{Options, VlanMode};
#[cfg(unix)]
pub(crate) use passing::Passing;
pub use points::CAPTURE_POINTS;
pub(crate) use points::{Ends, Points};
pub(crate) use port_scan::PortScans;
pub use port_scan::{PORT_SCAN_PAIRS, PORT_SCAN_PORTS};
pub(crate) use process_names::ProcessNames;
pub use relays::APP_RELAYED;
pub(crate) use sifter::FRAMES;
use sifter::Sifter;

/// Flows in a batch; the table of a capture with fewer is one batch in order of first frames.
pub const BATCH_ROWS: usize = 2_048;

/// Frames larger than this come from no Ethernet with its usual 1500 bytes, whatever tags and labels it adds.
const OVERSIZED_FRAME: u32 = 1600;

/// A source of a capture's bytes that is no file, to be read once.
pub type Reader = Box<dyn Read + Send>;

/// Room for flows that a dropped batch gives back, so that the next ones need no fresh memory.
type Pool = Mutex<Vec<Vec<Flow>>>;

/// Ended flows.
#[derive(Debug, Default)]
pub struct Batch {
    /// The flows, in no order that means anything.
    pub flows: Vec<Flow>,
    /// Their order: indexes into `flows`, by capture and first frame.
    pub order: Vec<u32>,
    /// Those that the caller wants as columns, in the same order.
    pub wanted: Vec<u32>,
    /// Gone where the scan is over.
    pool: Weak<Pool>,
}

impl Batch {
    /// A batch of these flows, in this order, all of them wanted.
    pub fn of(flows: Vec<Flow>) -> Batch {
        let order: Vec<u32> = (0..flows.len() as u32).collect();
        Batch { flows, wanted: order.clone(), order, pool: Weak::new() }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let Some(pool) = self.pool.upgrade() else { return };
        let mut flows = std::mem::take(&mut self.flows);
        flows.clear();
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < 2 {
            pool.push(flows);
        }
    }
}

/// What one call of [`Scan::step`] came to.
#[derive(Debug)]
pub enum Step {
    /// A batch is full, or it is the last one.
    Batch(Batch),
    /// Nothing to hand out yet: call again.
    More,
    /// All captures have been read and all batches handed out.
    End,
}

/// Sums over the whole scan.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Rows of the flow table.
    pub flows: u64,
    /// Packets in flows, wanted or not.
    pub flow_packets: u64,
    /// Flows that nobody wants, their packets and IP bytes.
    pub unwanted: [u64; 3],
    /// Packets that were copies of others. They are in no flow, but for a few that no mirror port made.
    pub copies: u64,
    /// TCP and UDP flows that show packets of both ends.
    pub two_way_flows: u64,
    /// TCP flows of which one end was captured although it speaks with somebody: it acknowledges or answers.
    pub half_seen_flows: u64,
}

/// Read from any thread while a scan runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of captures read so far.
    pub read: AtomicU64,
    /// Bytes of all captures; 0 when that is not known.
    pub total: AtomicU64,
    /// A flow has begun that the caller will want, as far as its first packet tells.
    pub promising: AtomicBool,
    /// Set to stop the scan early.
    pub cancelled: AtomicBool,
}

/// A scan over captures, front to back.
pub struct Scan {
    reading: Reading,
    parcel: Parcel,
    /// The next group of the parcel.
    group: usize,
    intake: Intake,
    reports: Vec<CaptureReport>,
    totals: Totals,
    progress: Arc<Progress>,
    stage: Stage,
    pool: Arc<Pool>,
}

/// How far a scan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Captures are read.
    Reading,
    /// The flows that were alive at their end are handed out.
    Ending,
    /// All is told.
    Over,
}

/// Who runs the first half of the way.
enum Reading {
    /// Whoever runs the second.
    Here(Box<Front>),
    /// Another thread.
    Beside(Beside),
    /// Another thread that left nothing behind.
    Gone,
}

impl Scan {
    /// A scan of these files, in order of their first packets; `-` is standard input.
    pub fn new(inputs: Vec<String>, options: Options) -> Scan {
        Scan::with_readers(inputs, HashMap::new(), options)
    }

    /// The same where some of the inputs are no files. Those come last, as standard input does: to look at their first
    /// packets would use them up.
    pub fn with_readers(inputs: Vec<String>, readers: HashMap<String, Reader>, options: Options) -> Scan {
        let progress = Arc::new(Progress::default());
        progress.promising.store(options.interest.is_none(), Ordering::Relaxed);
        let (files, files_total) = (inputs.len().max(1) as u64, total_size(&inputs));
        progress.total.store(files_total, Ordering::Relaxed);
        let seed = random_seed();
        let inputs = in_order_of_time(inputs).into();
        let sifter = Sifter::new(&options, seed);
        let takes_turns = sifter.sifts_out_of_turn() && files_total / files >= turns::WORTHWHILE;
        let beside = options.threads > 1 && !takes_turns;
        let helpers = options.threads.saturating_sub(1 + usize::from(beside));
        let front = Box::new(Front::new(inputs, readers, sifter, Arc::clone(&progress), helpers));
        let reading = if beside {
            Beside::start(front).map_or_else(Reading::Here, Reading::Beside)
        } else {
            Reading::Here(front)
        };
        let mut intake = Intake::new(options, seed);
        intake.table.take_ended(room(), 0);
        Scan {
            reading,
            parcel: Parcel::default(),
            group: 0,
            intake,
            reports: Vec::new(),
            totals: Totals::default(),
            progress,
            stage: Stage::Reading,
            pool: Arc::default(),
        }
    }

    /// How far it is, for another thread.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// One report a capture, in order of reading; complete after [`Step::End`].
    pub fn captures(&self) -> &[CaptureReport] {
        &self.reports
    }

    /// Sums; complete after [`Step::End`].
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// What the decoder counted; complete after [`Step::End`].
    pub fn decoder_counts(&self) -> Counts {
        self.front().map_or_else(Counts::default, |front| front.sifter.decoder.counts().clone())
    }

    /// What reads, unless another thread does.
    fn front(&self) -> Option<&Front> {
        match &self.reading {
            Reading::Here(front) => Some(front),
            Reading::Beside(_) | Reading::Gone => None,
        }
    }

    /// What the flow table counted.
    pub fn table(&self) -> &Table {
        &self.intake.table
    }

    /// Initiator and responder of which many ports were tried; complete after [`Step::End`].
    pub fn port_scans(&self) -> Vec<(u128, u128)> {
        self.intake.port_scans.as_ref().map_or_else(Vec::new, PortScans::pairs)
    }

    /// Names of processes by the number in [`Flow::process`], number 1 first; complete after [`Step::End`].
    pub fn processes(&self) -> &[String] {
        self.front().map_or(&[], |front| front.process_names.names())
    }

    /// Quoted packets that found no room.
    pub fn quotes_dropped(&self) -> u64 {
        self.intake.quotes_dropped
    }

    /// Whether traffic was dropped whose flows are no longer told apart.
    pub fn aside_is_full(&self) -> bool {
        self.intake.aside.is_full()
    }

    /// What was read of payloads.
    pub fn listener(&self) -> &Listener {
        &self.intake.listener
    }

    /// Events of what was read of payloads, in the order in which they were seen.
    pub fn events(&mut self) -> &[Seen] {
        self.intake.listener.events()
    }

    /// What samples of payload look like, by flow.
    pub fn samples(&mut self) -> &[FlowSamples] {
        self.intake.listener.samples()
    }

    /// What ICMP errors quoted, in order of time.
    pub fn quotes(&self) -> Vec<Quote> {
        let mut quotes: Vec<Quote> = self.intake.quotes.values().copied().collect();
        quotes.sort_unstable_by_key(|quote| (quote.capture, quote.first_frame));
        quotes
    }

    /// Reads on for about `frames` frames.
    pub fn step(&mut self, frames: u64) -> Step {
        match self.stage {
            Stage::Reading => {}
            Stage::Ending => return Step::Batch(self.take_rest()),
            Stage::Over => return Step::End,
        }
        let mut left = frames;
        while left > 0 {
            if self.intake.table.ended() >= BATCH_ROWS {
                return Step::Batch(self.take_batch(BATCH_ROWS));
            }
            if !self.take_group() && !self.read_on() {
                self.take_left();
                return Step::Batch(self.take_rest());
            }
            left = left.saturating_sub(FRAMES as u64);
        }
        Step::More
    }

    /// Takes a group of what was read to the flow table; false when there is none.
    fn take_group(&mut self) -> bool {
        let Scan { parcel, reading, intake, group, .. } = self;
        if *group == parcel.sifted.groups.len() {
            return false;
        }
        let Parcel { sifted, frames, memory, carried, names_processes, index, .. } = parcel;
        let memory = match reading {
            Reading::Here(front) if !*carried => front.memory(),
            _ => memory,
        };
        intake.take(sifted, *group, &Scene { frames, memory, names_processes: *names_processes, index: *index });
        *group += 1;
        if intake.promising {
            self.progress.promising.store(true, Ordering::Relaxed);
        }
        true
    }

    /// Fetches what is read next; false when nothing is left.
    fn read_on(&mut self) -> bool {
        let Scan { parcel, reading, intake, .. } = self;
        match reading {
            Reading::Here(front) => {
                if !front.next(parcel, false) {
                    return false;
                }
            }
            Reading::Beside(beside) => {
                beside.give_back(std::mem::take(parcel));
                match beside.next() {
                    Some(next) => *parcel = next,
                    None => return self.join(),
                }
            }
            Reading::Gone => return false,
        }
        self.group = 0;
        if let Some(capture_set) = parcel.capture_set {
            intake.table.set_capture_set(capture_set);
        }
        if parcel.begins {
            intake.begin();
        }
        if let Some(mut report) = parcel.report.take() {
            intake.copies.report(parcel.index, &mut report);
            self.reports.push(report);
        }
        true
    }

    /// Takes back what another thread read with; nothing is left to read.
    fn join(&mut self) -> bool {
        if let Reading::Beside(beside) = std::mem::replace(&mut self.reading, Reading::Gone)
            && let Some(front) = beside.end()
        {
            self.reading = Reading::Here(front);
        }
        false
    }

    /// The flows that ended first, at most so many, sorted. What a batch holds is up to the packets, not to how their
    /// bytes arrive.
    fn take_batch(&mut self, most: usize) -> Batch {
        let room = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_else(room);
        let flows = self.intake.take_ended(room, most);
        let order = order_of(&flows);
        let mut wanted = Vec::new();
        for &place in &order {
            let flow = &flows[place as usize];
            let is_wanted = self.intake.wants_flow(flow);
            self.totals.count(flow, is_wanted);
            self.intake.count_ends(flow);
            if is_wanted {
                wanted.push(place);
            }
        }
        Batch { flows, order, wanted, pool: Arc::downgrade(&self.pool) }
    }

    /// All captures have been read: takes what came to light only now.
    fn take_left(&mut self) {
        self.stage = Stage::Ending;
        let index = self.reports.len().saturating_sub(1) as u32;
        let frame = self.reports.last().map_or(0, |report| report.packets).max(1);
        if let Reading::Here(front) = &mut self.reading {
            self.intake.take_left(&front.sifter.finish(), frame, index);
        }
    }

    /// The next of the flows that were alive at the end, and with the last of them all sums.
    fn take_rest(&mut self) -> Batch {
        let more = self.intake.table.end_rest(BATCH_ROWS);
        let batch = self.take_batch(usize::MAX);
        if !more {
            self.stage = Stage::Over;
            let Intake { aside, points, copied, .. } = &mut self.intake;
            self.totals.count_aside(aside.sums());
            points.add(&aside.ends());
            self.totals.take_ends(points.sum());
            self.totals.copies = *copied;
            points.report(&mut self.reports);
            self.let_go();
        }
        batch
    }

    /// Frees what only further packets would have needed: whoever judges the flows needs as much.
    fn let_go(&mut self) {
        self.parcel = Parcel::default();
        self.pool = Arc::default();
        self.intake.table.take_ended(Vec::new(), 0);
        self.intake.aside.let_go();
        memory::give_back();
    }
}

impl Totals {
    /// Counts a flow that has ended.
    pub(crate) fn count(&mut self, flow: &Flow, is_wanted: bool) {
        let packets = flow.ends[0].packets + flow.ends[1].packets;
        self.flows += 1;
        self.flow_packets += packets;
        if !is_wanted {
            self.unwanted[0] += 1;
            self.unwanted[1] += packets;
            self.unwanted[2] += flow.ends[0].ip_bytes + flow.ends[1].ip_bytes;
        }
    }

    /// Adds those of other traffic.
    pub(crate) fn add(&mut self, more: &Totals) {
        self.flows += more.flows;
        self.flow_packets += more.flow_packets;
        for (sum, one) in self.unwanted.iter_mut().zip(more.unwanted) {
            *sum += one;
        }
    }

    /// Counts what was set aside.
    pub(crate) fn count_aside(&mut self, aside: aside::Sums) {
        self.flow_packets += aside.packets;
        self.unwanted[0] += aside.flows;
        self.unwanted[1] += aside.packets;
        self.unwanted[2] += aside.bytes;
    }

    /// Takes what all capture points together show.
    pub(crate) fn take_ends(&mut self, ends: Ends) {
        self.two_way_flows = ends.two_way;
        self.half_seen_flows = ends.half_seen;
    }
}

/// Room for the flows of a batch: in one piece, for which what is not touched costs nothing.
fn room() -> Vec<Flow> {
    Vec::with_capacity(BATCH_ROWS + BATCH_ROWS / 4)
}

/// Indexes of flows by capture and first frame. One number each is sorted eight times as fast as a tuple of three.
fn order_of(flows: &[Flow]) -> Vec<u32> {
    let number = |flow: &Flow, place: u32| {
        u128::from(flow.capture) << 96 | u128::from(flow.first_frame) << 32 | u128::from(place)
    };
    let mut order: Vec<u128> = flows.iter().zip(0..).map(|(flow, place)| number(flow, place)).collect();
    order.sort_unstable();
    order.into_iter().map(|number| number as u32).collect()
}

pub(crate) fn random_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
