//! Reports of a scan as plain dictionaries.

#[cfg(unix)]
use auditor_engine::live;
use auditor_engine::quote::{ICMP_QUOTES, Quote};
use auditor_engine::scan::{self, CaptureReport, PORT_SCAN_PAIRS, PORT_SCAN_PORTS};
use auditor_engine::{app, capture, fingerprint, flow, wire};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

/// Every limit of the engine by its name.
pub fn limits(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let limits = PyDict::new(py);
    for (name, value) in [
        ("ACTIVE_FLOWS", flow::ACTIVE_FLOWS as u64),
        ("APP_CONVERSATIONS", scan::APP_CONVERSATIONS as u64),
        ("APP_EVENT_BYTES", scan::APP_EVENT_BYTES as u64),
        ("APP_EVENTS", scan::APP_EVENTS as u64),
        ("APP_HELD_BYTES", scan::APP_HELD_BYTES as u64),
        ("APP_RELAYED", scan::APP_RELAYED as u64),
        ("APP_SAMPLES", scan::APP_SAMPLES as u64),
        #[cfg(unix)]
        ("ASIDE_ROUND", live::ASIDE_ROUND as u64),
        ("ASIDE_TUPLES", scan::ASIDE_TUPLES as u64),
        ("BATCH_ROWS", scan::BATCH_ROWS as u64),
        ("CAPTURE_POINTS", scan::CAPTURE_POINTS as u64),
        ("CHECKSUM_SENDERS", scan::CHECKSUM_SENDERS as u64),
        ("COPY_INSTANT_NS", flow::COPY_INSTANT_NS as u64),
        ("COPY_PAIRS", scan::COPY_PAIRS as u64),
        ("COPY_WINDOW_NS", flow::COPY_WINDOW_NS as u64),
        ("COPY_WINDOW_PACKETS", flow::COPY_WINDOW_PACKETS as u64),
        ("DECODE_DEPTH", u64::from(wire::DECODE_DEPTH)),
        #[cfg(unix)]
        ("EVIDENCE_BUFFERS", live::EVIDENCE_BUFFERS as u64),
        ("FINGERPRINT_BYTES", u64::from(fingerprint::FINGERPRINT_BYTES)),
        ("FLOW_MEMORY", flow::FLOW_MEMORY as u64),
        ("FRAGMENT_BYTES", wire::FRAGMENT_BYTES as u64),
        ("FRAGMENT_TABLE", wire::FRAGMENT_TABLE as u64),
        ("HISTORY_LETTERS", flow::HISTORY_LETTERS as u64),
        ("ICMP_QUOTES", ICMP_QUOTES as u64),
        ("MAX_PROCESSES", capture::MAX_PROCESSES as u64),
        ("MAX_RECORD", u64::from(capture::MAX_RECORD)),
        #[cfg(unix)]
        ("PENDING_FLOWS", live::PENDING_FLOWS as u64),
        ("PORT_SCAN_PAIRS", PORT_SCAN_PAIRS as u64),
        ("PORT_SCAN_PORTS", PORT_SCAN_PORTS as u64),
        ("REASSEMBLY_BYTES", app::REASSEMBLY_BYTES as u64),
        ("REASSEMBLY_SEGMENTS", app::REASSEMBLY_SEGMENTS as u64),
        ("STREAM_HOLES", flow::STREAM_HOLES as u64),
    ] {
        limits.set_item(name, value)?;
    }
    Ok(limits)
}

/// One capture.
pub fn capture<'py>(py: Python<'py>, report: &CaptureReport) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    fields.set_item("path", &report.path)?;
    fields.set_item("error", report.error.as_deref())?;
    fields.set_item("format", report.format)?;
    fields.set_item("compression", report.compression)?;
    fields.set_item("link_types", &report.link_types)?;
    fields.set_item("packets", report.packets)?;
    fields.set_item("bytes", report.bytes)?;
    fields.set_item("captured_bytes", report.captured_bytes)?;
    fields.set_item("snapped", report.snapped)?;
    fields.set_item("drops", report.drops)?;
    fields.set_item("first_ns", report.first_ns)?;
    fields.set_item("last_ns", report.last_ns)?;
    fields.set_item("complete", report.complete)?;
    let problems = PyList::empty(py);
    for problem in report.problems.as_slice() {
        let one = PyDict::new(py);
        one.set_item("name", problem.name)?;
        one.set_item("count", problem.count)?;
        one.set_item("frame", problem.frame)?;
        one.set_item("offset", problem.offset)?;
        one.set_item("message", &problem.message)?;
        one.set_item("hides_traffic", problem.hides_traffic)?;
        problems.append(one)?;
    }
    fields.set_item("problems", problems)?;
    Ok(fields)
}

/// What is counted on the way.
pub struct Sums {
    pub totals: scan::Totals,
    pub table: flow::Counts,
    pub decoder: wire::Counts,
    pub aside_is_full: bool,
    pub quotes_dropped: u64,
    pub events_dropped: u64,
    pub stream_limits_reached: u64,
}

impl Sums {
    /// Those of a scan.
    pub fn of(scan: &scan::Scan) -> Sums {
        Sums {
            totals: scan.totals(),
            table: scan.table().counts(),
            decoder: scan.decoder_counts(),
            aside_is_full: scan.aside_is_full(),
            quotes_dropped: scan.quotes_dropped(),
            events_dropped: scan.listener().dropped(),
            stream_limits_reached: scan.listener().limits_reached(),
        }
    }
}

/// Sums over the scan.
pub fn totals<'py>(py: Python<'py>, sums: &Sums) -> PyResult<Bound<'py, PyDict>> {
    let Sums { totals, table, decoder, .. } = sums;
    let fields = PyDict::new(py);
    for (name, value) in [
        ("packets", decoder.frames),
        ("non_ip", decoder.not_ip.iter().sum()),
        ("flows_not_told_apart", u64::from(sums.aside_is_full)),
        ("undecoded", decoder.malformed + decoder.unsupported.values().sum::<u64>()),
        ("flows", totals.flows),
        ("flow_packets", totals.flow_packets),
        ("unwanted_flows", totals.unwanted[0]),
        ("unwanted_packets", totals.unwanted[1]),
        ("unwanted_bytes", totals.unwanted[2]),
        ("two_way_flows", totals.two_way_flows),
        ("half_seen_flows", totals.half_seen_flows),
        ("copies", totals.copies),
        ("out_of_order", table.out_of_order),
        ("most_active_flows", table.most_active as u64),
        ("evicted_flows", table.evicted),
        ("quotes_dropped", sums.quotes_dropped),
        ("events_dropped", sums.events_dropped),
        ("stream_limits_reached", sums.stream_limits_reached),
        ("fragments", decoder.fragments),
        ("fragments_rebuilt", decoder.datagrams_rebuilt),
        ("fragments_incomplete", decoder.datagrams_incomplete),
        ("fragments_without_start", decoder.fragments_without_start),
        ("fragment_limit_reached", decoder.fragment_limit_reached),
        ("depth_reached", decoder.depth_reached),
        ("zero_length", decoder.zero_length),
        ("bad_checksums", decoder.bad_checksums + decoder.bad_header_checksums),
    ] {
        fields.set_item(name, value)?;
    }
    Ok(fields)
}

/// The quoted packets as columns.
pub fn quotes<'py>(py: Python<'py>, quotes: &[Quote]) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    let column = |name: &str, bytes: Vec<u8>| fields.set_item(name, PyBytes::new(py, &bytes));
    let u64s =
        |value: &dyn Fn(&Quote) -> u64| quotes.iter().flat_map(|quote| value(quote).to_le_bytes()).collect::<Vec<u8>>();
    let u16s =
        |value: &dyn Fn(&Quote) -> u16| quotes.iter().flat_map(|quote| value(quote).to_le_bytes()).collect::<Vec<u8>>();
    let u32s =
        |value: &dyn Fn(&Quote) -> u32| quotes.iter().flat_map(|quote| value(quote).to_le_bytes()).collect::<Vec<u8>>();
    let u8s = |value: &dyn Fn(&Quote) -> u8| quotes.iter().map(value).collect::<Vec<u8>>();
    column("flow_id", u64s(&|quote| quote.flow_id))?;
    column("version", u8s(&|quote| quote.quoted.version))?;
    column("protocol", u8s(&|quote| quote.quoted.protocol))?;
    column("source_hi", u64s(&|quote| (quote.quoted.source.0 >> 64) as u64))?;
    column("source_lo", u64s(&|quote| quote.quoted.source.0 as u64))?;
    column("destination_hi", u64s(&|quote| (quote.quoted.destination.0 >> 64) as u64))?;
    column("destination_lo", u64s(&|quote| quote.quoted.destination.0 as u64))?;
    column("source_port", u16s(&|quote| quote.quoted.source_port))?;
    column("destination_port", u16s(&|quote| quote.quoted.destination_port))?;
    column("count", u32s(&|quote| quote.count))?;
    column("first_ns", u64s(&|quote| quote.first_ns as u64))?;
    column("first_frame", u64s(&|quote| quote.first_frame))?;
    column("capture", u32s(&|quote| quote.capture))?;
    Ok(fields)
}
