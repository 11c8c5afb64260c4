//! What is handed out: everything that is new since the last time, and the counters so far.

use super::absence::Absence;
use super::drops::Drops;
use crate::flow::Flow;
use crate::quote::Quote;
use crate::scan::{CaptureReport, FlowSamples, Seen, Totals};
use crate::{flow, wire};

/// The state of one source.
#[derive(Clone, Copy, Debug, Default)]
pub struct SourceState {
    /// Losses so far; nothing is known of them for a capture that another program writes, until it ends, or for a feed.
    pub drops: Drops,
    /// When the interface was down or gone.
    pub absence: Absence,
    /// It has ended.
    pub ended: bool,
}

/// Counters over the whole watch.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Sums over ended flows, and over what was set aside as of the last round.
    pub totals: Totals,
    /// The flow table's.
    pub table: flow::Counts,
    /// The decoder's.
    pub decoder: wire::Counts,
    /// Quoted packets that found no room.
    pub quotes_dropped: u64,
    /// Events and samples that found no room.
    pub events_dropped: u64,
    /// How often a hole in a stream was given up for a limit.
    pub stream_limits_reached: u64,
    /// Ended flows that nobody fetched in time.
    pub flows_lost: u64,
    /// Pairs of hosts of which nobody knows any more how many ports were tried.
    pub scan_pairs_forgotten: u64,
    /// Packets kept as evidence, and those that the disk was too slow for.
    pub evidence: (u64, u64),
    /// Flows alive now.
    pub active: u64,
}

/// What came since the last tick.
#[derive(Debug, Default)]
pub struct Tick {
    /// Flows that are wanted, and new, changed or ended: first those that ended, then those that live, as they are so far.
    pub flows: Vec<Flow>,
    /// How many of them have ended.
    pub ended: usize,
    /// Events, in the order in which they were seen.
    pub events: Vec<Seen>,
    /// Samples that are complete, then those of living flows as they are so far.
    pub samples: Vec<FlowSamples>,
    /// What ICMP errors quoted.
    pub quotes: Vec<Quote>,
    /// Initiator and responder of which many ports were tried: all that are known now.
    pub port_scans: Vec<(u128, u128)>,
    /// Names of processes so far, number 1 first.
    pub processes: Vec<String>,
    /// One for each source, so far.
    pub captures: Vec<CaptureReport>,
    /// One for each source.
    pub sources: Vec<SourceState>,
    /// Counters so far.
    pub counters: Counters,
    /// Packets up to this time have been looked at, ns since 1970.
    pub now_ns: i64,
    /// Nothing more will come.
    pub last: bool,
}
