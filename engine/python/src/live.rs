//! A watch as a Python object. Nobody holds the interpreter lock while waiting, and reading never waits for it.

use std::collections::HashMap;
use std::io::{self, PipeWriter};
use std::os::fd::{IntoRawFd, RawFd};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use auditor_engine::live as engine;
use auditor_engine::live::{Aim, EvidencePlan, Feed, Plan, Position, Wish};
use auditor_engine::output;
use auditor_engine::room::Room;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::errors::{bad_argument, cannot_watch, write_failed};
use crate::scan::{Wishes, vlan_mode};
use crate::{events, reports};

/// What is looked for.
fn aim(networks: Option<Vec<(u128, u128)>>, ports: Vec<u16>, wishes: Option<Wishes>, kernel_filter: bool) -> Aim {
    Aim { networks, ports, wishes: wishes.map(|wishes| wishes.inner).unwrap_or_default(), kernel_filter }
}

/// Room of the sizes that are given by the names of limits; of others as it is.
fn room_of(sizes: &HashMap<String, usize>) -> PyResult<Room> {
    let mut room = Room::default();
    for (name, &size) in sizes {
        if !room.shrink(name, size) {
            return Err(bad_argument(format!("room: {name} is no limit of a watch")));
        }
    }
    Ok(room)
}

/// Opens interfaces, and captures that are written meanwhile, and begins to read.
///
/// `feeds`: names of interfaces that the caller reads, and writes where `Watching.take_feeds` says.
/// `room`: limits by their names, where they are to be less than `LIMITS` says.
/// `networks`: inclusive ranges of 128-bit numbers, None for everything; `ports`: TCP ports of either end. `evidence`:
/// folder, bytes in all, age in seconds, and bytes of each flow.
#[pyfunction]
#[pyo3(signature = (interfaces, *, feeds, streams, tick, ring_bytes, room, networks, ports, wishes, kernel_filter, keep_duplicates = false, vlan = "auto", evidence = None))]
#[allow(clippy::too_many_arguments)] // Python gives them by name
pub fn watch(
    py: Python<'_>,
    interfaces: Vec<String>,
    feeds: Vec<String>,
    streams: Vec<String>,
    tick: f64,
    ring_bytes: usize,
    room: HashMap<String, usize>,
    networks: Option<Vec<(u128, u128)>>,
    ports: Vec<u16>,
    wishes: Option<Wishes>,
    kernel_filter: bool,
    keep_duplicates: bool,
    vlan: &str,
    evidence: Option<(PathBuf, u64, f64, u64)>,
) -> PyResult<Watching> {
    let tick = Duration::try_from_secs_f64(tick).map_err(|error| bad_argument(format!("tick: {error}")))?;
    let aim = aim(networks, ports, wishes, kernel_filter);
    let evidence = match evidence {
        None => None,
        Some((folder, bytes, age, flow_bytes)) => {
            let age = Duration::try_from_secs_f64(age).map_err(|error| bad_argument(format!("evidence: {error}")))?;
            Some(EvidencePlan { folder, bytes, age, flow_bytes })
        }
    };
    let vlan = vlan_mode(vlan)?;
    let room = room_of(&room)?;
    let mut writers = Vec::new();
    let feeds: io::Result<Vec<Feed>> = feeds
        .into_iter()
        .map(|name| {
            let (reader, writer) = io::pipe()?;
            writers.push(writer);
            Ok(Feed { name, reader })
        })
        .collect();
    let feeds = feeds.map_err(|error| write_failed(&error))?;
    let plan = Plan { interfaces, feeds, streams, tick, ring_bytes, room, keep_duplicates, vlan, aim, evidence };
    let inner = py.detach(|| engine::Watching::start(plan)).map_err(|error| cannot_watch(&error))?;
    Ok(Watching { inner: Mutex::new(inner), feeds: Mutex::new(writers) })
}

/// Appends packets of flows to files; how many each got, None where it could not be written, and where the ring ended.
/// `wishes`: file, comment, and flows: ids and from where on.
#[pyfunction]
#[allow(clippy::type_complexity)] // tuples are what Python gives
pub fn extract_evidence(
    py: Python<'_>,
    folder: PathBuf,
    wishes: Vec<(PathBuf, String, Vec<(u64, Position)>)>,
    limit: usize,
) -> PyResult<(Vec<Option<u64>>, Position)> {
    let wishes: Vec<Wish> = wishes.into_iter().map(|(out, comment, flows)| Wish { out, comment, flows }).collect();
    py.detach(|| engine::extract(&folder, &wishes, limit)).map_err(|error| write_failed(&error))
}

/// Gives up all capabilities of this thread, and of those that it starts, and the way back to them. `writes_anywhere` keeps
/// the right of root to write files of others, `captures` that to open interfaces.
#[pyfunction]
#[pyo3(signature = (*, writes_anywhere, captures))]
pub fn give_up_privileges(writes_anywhere: bool, captures: bool) -> PyResult<()> {
    let kept = if writes_anywhere { engine::DAC_OVERRIDE } else { 0 } | if captures { engine::NET_RAW } else { 0 };
    engine::give_up(kept).map_err(|error| write_failed(&error))
}

/// A watch that runs in a thread of its own.
#[pyclass(frozen, module = "auditor._engine")]
pub struct Watching {
    inner: Mutex<engine::Watching>,
    feeds: Mutex<Vec<PipeWriter>>,
}

#[pymethods]
impl Watching {
    /// The next tick; None when none came within so many seconds. Raises RuntimeError when the reading has ended.
    fn next_tick(&self, py: Python<'_>, wait: f64) -> PyResult<Option<Tick>> {
        let wait = Duration::try_from_secs_f64(wait).map_err(|error| bad_argument(format!("wait: {error}")))?;
        let tick = py.detach(|| self.inner.lock().unwrap_or_else(PoisonError::into_inner).next_tick(wait));
        match tick {
            Ok(tick) => Ok(tick.map(|inner| Tick { inner: *inner })),
            Err(engine::Gone) => Err(pyo3::exceptions::PyRuntimeError::new_err("the capturing thread has ended")),
        }
    }

    /// Descriptors that the captures of `feeds` are to be written to, in their order. They are the caller's, to be closed by
    /// him; there are none the second time.
    fn take_feeds(&self) -> Vec<RawFd> {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.drain(..).map(IntoRawFd::into_raw_fd).collect()
    }

    /// Looks for something else from now on.
    #[pyo3(signature = (*, networks, ports, wishes, kernel_filter))]
    fn aim(
        &self,
        py: Python<'_>,
        networks: Option<Vec<(u128, u128)>>,
        ports: Vec<u16>,
        wishes: Option<Wishes>,
        kernel_filter: bool,
    ) {
        let aim = aim(networks, ports, wishes, kernel_filter);
        py.detach(|| self.inner.lock().unwrap_or_else(PoisonError::into_inner).aim(aim));
    }

    /// Ends it: one more tick comes, the last. To be called by whoever waits for ticks, between two of them.
    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.inner.lock().unwrap_or_else(PoisonError::into_inner).stop());
    }
}

/// What came since the last tick, and the counters so far.
#[pyclass(frozen, module = "auditor._engine")]
pub struct Tick {
    inner: engine::Tick,
}

#[pymethods]
impl Tick {
    /// Flows that are wanted and new, changed or ended, as columns like those of a batch: first those that have ended.
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let flows = &self.inner.flows;
        let columns = py.detach(|| {
            let rows: Vec<u32> = (0..flows.len() as u32).collect();
            output::columns(flows, &rows)
        });
        let fields = PyDict::new(py);
        for (name, bytes) in columns {
            fields.set_item(name, PyBytes::new(py, &bytes))?;
        }
        Ok(fields)
    }

    /// Flows in `columns`.
    #[getter]
    fn rows(&self) -> usize {
        self.inner.flows.len()
    }

    /// How many of them have ended: these come first.
    #[getter]
    fn ended(&self) -> usize {
        self.inner.ended
    }

    /// Packets up to this time have been looked at, ns since 1970.
    #[getter]
    fn now_ns(&self) -> i64 {
        self.inner.now_ns
    }

    /// Nothing more will come.
    #[getter]
    fn last(&self) -> bool {
        self.inner.last
    }

    /// One dictionary a source so far, as a scan gives it.
    #[getter]
    fn captures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let captures: PyResult<Vec<_>> =
            self.inner.captures.iter().map(|report| reports::capture(py, report)).collect();
        PyList::new(py, captures?)
    }

    /// One dictionary a source: what was lost so far, by cause.
    #[getter]
    fn sources<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for state in &self.inner.sources {
            let fields = PyDict::new(py);
            fields.set_item("kernel", state.drops.kernel)?;
            fields.set_item("freezes", state.drops.freezes)?;
            fields.set_item("interface", state.drops.interface)?;
            fields.set_item("down", state.absence.count)?;
            fields.set_item("away", state.absence.total().as_secs_f64())?;
            fields.set_item("is_away", state.absence.goes_on())?;
            fields.set_item("ended", state.ended)?;
            list.append(fields)?;
        }
        Ok(list)
    }

    /// Sums so far, as a scan gives them; beside them those of a watch alone.
    #[getter]
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counters = &self.inner.counters;
        let sums = reports::Sums {
            totals: counters.totals,
            table: counters.table,
            decoder: counters.decoder.clone(),
            aside_is_full: false,
            quotes_dropped: counters.quotes_dropped,
            events_dropped: counters.events_dropped,
            stream_limits_reached: counters.stream_limits_reached,
        };
        let fields = reports::totals(py, &sums)?;
        fields.set_item("active_flows", counters.active)?;
        fields.set_item("flows_lost", counters.flows_lost)?;
        fields.set_item("scan_pairs_forgotten", counters.scan_pairs_forgotten)?;
        fields.set_item("evidence_packets", counters.evidence.0)?;
        fields.set_item("evidence_lost", counters.evidence.1)?;
        Ok(fields)
    }

    /// (initiator, responder) pairs of which many ports were tried, as far as they are known now.
    #[getter]
    fn port_scans(&self) -> Vec<(u128, u128)> {
        self.inner.port_scans.clone()
    }

    /// Names of processes by the code in the column `process`; code 0 is the empty name.
    #[getter]
    fn processes(&self) -> Vec<String> {
        std::iter::once(String::new()).chain(self.inner.processes.iter().cloned()).collect()
    }

    /// What was read of payloads since the last tick, as columns.
    #[getter]
    fn events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        events::events(py, &self.inner.events)
    }

    /// Samples that are complete since the last tick, and those of changed flows as they are so far.
    #[getter]
    fn samples<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        events::samples(py, &self.inner.samples)
    }

    /// What ICMP errors quoted since the last tick, as columns.
    #[getter]
    fn quotes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        reports::quotes(py, &self.inner.quotes)
    }
}
