//! A scan as a Python object. The interpreter lock is released while it reads.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auditor_engine::app::Kind;
use auditor_engine::interest;
use auditor_engine::memory;
use auditor_engine::output::{self, CSV_HEADER};
use auditor_engine::room::Room;
use auditor_engine::scan as engine;
use auditor_engine::scan::{Options, Progress, Step, VlanMode};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::columns::Labels;
use crate::errors::{bad_argument, write_failed};
use crate::reader::PythonReader;
use crate::{events, reports};

/// Frames between two looks at pending signals: a fraction of a second.
const FRAMES_PER_STEP: u64 = 1 << 19;

/// Which flows the caller wants to see.
#[pyclass(frozen, from_py_object, module = "auditor._engine")]
#[derive(Clone)]
pub struct Interest {
    pub(crate) inner: interest::Interest,
}

#[pymethods]
impl Interest {
    /// `networks`: inclusive ranges of 128-bit numbers; `ports`: TCP ports of either end.
    #[new]
    #[pyo3(signature = (*, networks, ports))]
    fn new(networks: Vec<(u128, u128)>, ports: Vec<u16>) -> Interest {
        Interest { inner: interest::Interest::new(&networks, &ports) }
    }
}

/// What is to be read of payloads.
#[pyclass(frozen, from_py_object, module = "auditor._engine")]
#[derive(Clone)]
pub struct Wishes {
    pub(crate) inner: engine::Wishes,
}

#[pymethods]
impl Wishes {
    /// `conversations`: kinds (`ftp`, `socks`, `http-connect`, `tls`, `dns-tcp`) by the server's TCP port; `samples`:
    /// networks whose TCP payload is sampled; `names`: host names whose answers are wanted.
    #[new]
    #[pyo3(signature = (*, conversations = vec![], samples = vec![], names = vec![]))]
    fn new(conversations: Vec<(u16, String)>, samples: Vec<(u128, u128)>, names: Vec<String>) -> PyResult<Wishes> {
        let mut kinds = Vec::with_capacity(conversations.len());
        for (port, name) in conversations {
            let kind = match name.as_str() {
                "ftp" => Kind::Ftp,
                "socks" => Kind::Socks,
                "http-connect" => Kind::HttpConnect,
                "tls" => Kind::Tls,
                "dns-tcp" => Kind::DnsTcp,
                "unknown" => Kind::Unknown,
                _ => return Err(bad_argument(format!("conversations: no kind {name:?}"))),
            };
            kinds.push((port, kind));
        }
        let samples = (!samples.is_empty()).then(|| interest::Interest::new(&samples, &[]));
        Ok(Wishes { inner: engine::Wishes { kinds, samples, names } })
    }
}

/// Starts a scan of capture files; with one thread nothing is read before the first `next_batch`. `readers`: objects with
/// `read(size)` for those of the paths that are none; nothing that waits for the scan may be called while they are read.
#[pyfunction]
#[pyo3(signature = (paths, *, readers = None, interest = None, wishes = None, keep_all = true, port_scans = true, fingerprints = false, validate_checksums = false, keep_duplicates = false, vlan = "auto", active_flows = None, decode_depth = None, threads = 1))]
#[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools)] // Python gives them by name
pub fn scan(
    paths: Vec<String>,
    readers: Option<HashMap<String, Py<PyAny>>>,
    interest: Option<Interest>,
    wishes: Option<Wishes>,
    keep_all: bool,
    port_scans: bool,
    fingerprints: bool,
    validate_checksums: bool,
    keep_duplicates: bool,
    vlan: &str,
    active_flows: Option<usize>,
    decode_depth: Option<u8>,
    threads: usize,
) -> PyResult<Scan> {
    if active_flows == Some(0) {
        return Err(bad_argument("active_flows: expected at least 1, was 0".into()));
    }
    let defaults = Options::default();
    let options = Options {
        interest: interest.map(|interest| interest.inner),
        wishes: wishes.map(|wishes| wishes.inner).unwrap_or_default(),
        keep_all,
        port_scans,
        fingerprints,
        validate_checksums,
        keep_duplicates,
        vlan: vlan_mode(vlan)?,
        room: active_flows.map_or_else(Room::default, |active_flows| Room { active_flows, ..Room::default() }),
        decode_depth: decode_depth.unwrap_or(defaults.decode_depth),
        threads,
    };
    let readers = readers.unwrap_or_default().into_iter();
    let readers = readers.map(|(path, object)| (path, Box::new(PythonReader::new(object)) as engine::Reader)).collect();
    let scan = engine::Scan::with_readers(paths, readers, options);
    Ok(Scan { progress: scan.progress(), inner: Mutex::new(scan) })
}

/// Gives memory that was freed back to the system.
#[pyfunction]
pub fn give_back_memory(py: Python<'_>) {
    py.detach(memory::give_back);
}

/// What VLAN tags mean to flows, by name.
pub fn vlan_mode(name: &str) -> PyResult<VlanMode> {
    match name {
        "auto" => Ok(VlanMode::Auto),
        "ignore" => Ok(VlanMode::Ignore),
        "strict" => Ok(VlanMode::Strict),
        _ => Err(bad_argument(format!("vlan: expected auto, ignore or strict, was {name:?}"))),
    }
}

/// A scan over captures.
#[pyclass(frozen, module = "auditor._engine")]
pub struct Scan {
    inner: Mutex<engine::Scan>,
    progress: Arc<Progress>,
}

impl Scan {
    fn lock(&self) -> MutexGuard<'_, engine::Scan> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Scan {
    /// Reads on until a batch is full or the captures end; `None` at the end.
    fn next_batch(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        loop {
            match py.detach(|| self.lock().step(FRAMES_PER_STEP)) {
                Step::Batch(inner) => return Ok(Some(Batch { inner })),
                Step::End => return Ok(None),
                Step::More => py.check_signals()?,
            }
        }
    }

    /// Bytes read and bytes in all; the latter 0 when not known. From any thread.
    fn progress(&self) -> (u64, u64) {
        (self.progress.read.load(Ordering::Relaxed), self.progress.total.load(Ordering::Relaxed))
    }

    /// Whether a flow has begun that is wanted, as far as its first packet tells. From any thread.
    fn is_promising(&self) -> bool {
        self.progress.promising.load(Ordering::Relaxed)
    }

    /// Ends the scan where it is. From any thread.
    fn cancel(&self) {
        self.progress.cancelled.store(true, Ordering::Relaxed);
    }

    /// One dictionary a capture, in order of reading.
    #[getter]
    fn captures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let scan = self.lock();
        let captures =
            scan.captures().iter().map(|report| reports::capture(py, report)).collect::<PyResult<Vec<_>>>()?;
        PyList::new(py, captures)
    }

    /// Sums over the scan.
    #[getter]
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        reports::totals(py, &reports::Sums::of(&self.lock()))
    }

    /// (initiator, responder) pairs of which many ports were tried.
    #[getter]
    fn port_scans(&self) -> Vec<(u128, u128)> {
        self.lock().port_scans()
    }

    /// Names of processes by the code in the column `process`; code 0 is the empty name.
    #[getter]
    fn processes(&self) -> Vec<String> {
        let scan = self.lock();
        std::iter::once(String::new()).chain(scan.processes().iter().cloned()).collect()
    }

    /// What was read of payloads, as columns.
    #[getter]
    fn events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        events::events(py, self.lock().events())
    }

    /// What samples of payload look like, as columns; one row a flow.
    #[getter]
    fn samples<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        events::samples(py, self.lock().samples())
    }

    /// What ICMP errors quoted, as columns.
    #[getter]
    fn quotes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let quotes = self.lock().quotes();
        reports::quotes(py, &quotes)
    }
}

/// Flows that have ended, sorted by capture and first frame.
#[pyclass(frozen, module = "auditor._engine")]
pub struct Batch {
    inner: engine::Batch,
}

#[pymethods]
impl Batch {
    /// Flows.
    #[getter]
    fn rows(&self) -> usize {
        self.inner.order.len()
    }

    /// Flows that are handed out as columns.
    #[getter]
    fn wanted(&self) -> usize {
        self.inner.wanted.len()
    }

    /// The wanted flows as columns of little-endian numbers; with `fingerprints`, those of a scan that takes them too.
    #[pyo3(signature = (*, fingerprints = false))]
    fn columns<'py>(&self, py: Python<'py>, fingerprints: bool) -> PyResult<Bound<'py, PyDict>> {
        let Batch { inner } = self;
        let columns = py.detach(|| {
            let mut columns = output::columns(&inner.flows, &inner.wanted);
            if fingerprints {
                columns.extend(output::fingerprint_columns(&inner.flows, &inner.wanted));
            }
            columns
        });
        let fields = PyDict::new(py);
        for (name, bytes) in columns {
            fields.set_item(name, PyBytes::new(py, &bytes))?;
        }
        Ok(fields)
    }

    /// Appends all rows as CSV to a file, or writes them to standard output; `header` first where asked for.
    #[pyo3(signature = (path, *, captures, labels, header = false))]
    fn write_csv(
        &self,
        py: Python<'_>,
        path: Option<PathBuf>,
        captures: Vec<String>,
        labels: &Labels,
        header: bool,
    ) -> PyResult<()> {
        py.detach(|| {
            let mut out: Box<dyn Write> = match path {
                Some(path) => Box::new(OpenOptions::new().append(true).create(true).open(path)?),
                None => Box::new(std::io::stdout()),
            };
            if header {
                out.write_all(CSV_HEADER.as_bytes())?;
            }
            output::write_rows(&mut out, &self.inner, &captures, &labels.inner)?;
            out.flush()
        })
        .map_err(|error| write_failed(&error))
    }
}
