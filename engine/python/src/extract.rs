//! Copying frames, for Python. The interpreter lock is released while it reads and writes.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use auditor_engine::extract::{self as engine, Anonymiser, Editor, Kept, Order, Wanted, Window};
use auditor_engine::flow::FlowKey;
use auditor_engine::wire::{Address, Packet};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{bad_argument, write_failed};

/// Frames between two looks at pending signals.
const FRAMES_PER_STEP: u64 = 1 << 18;

/// Bytes that are collected before they are written.
const WRITE_BUFFER: usize = 1 << 20;

/// Protocol, IP version, initiator, its port, responder, its port, first and last time, packets at most.
type Flow = (u8, u8, u128, u16, u128, u16, i64, i64, u64);
/// Key, ranges that stay, prefixes that stay.
type Anonymise = (Vec<u8>, Vec<(u128, u128)>, Vec<(u128, u128)>);

/// Copies frames into a new pcapng.
#[pyfunction]
#[pyo3(signature = (paths, output, *, flows = vec![], frames = vec![], anchor = None, end_anchor = None, headers_only = false, anonymise = None, numbered = false, comment = String::new(), program = String::new()))]
#[allow(clippy::too_many_arguments)] // Python gives them by name
pub fn extract(
    py: Python<'_>,
    paths: Vec<String>,
    output: PathBuf,
    flows: Vec<Flow>,
    frames: Vec<(String, u64, Vec<String>)>,
    anchor: Option<String>,
    end_anchor: Option<String>,
    headers_only: bool,
    anonymise: Option<Anonymise>,
    numbered: bool,
    comment: String,
    program: String,
) -> PyResult<Bound<'_, PyDict>> {
    let nameless = anonymise.is_some();
    let editor = match anonymise {
        Some((key, whole, prefixes)) => {
            let key: [u8; 32] =
                key.try_into().map_err(|_| bad_argument("anonymise: expected a key of 32 bytes".into()))?;
            Some(Editor::anonymising(Anonymiser::new(key, Kept { whole, prefixes }), headers_only))
        }
        None => headers_only.then(Editor::headers_only),
    };
    let order = Order {
        wanted: Wanted::new(flows.into_iter().map(window)),
        frames: frames.into_iter().map(|(path, number, comments)| ((path, number), comments)).collect(),
        anchor,
        end_anchor,
        editor,
        nameless,
        numbered,
        comment,
        program,
    };
    let file = File::create(output).map_err(|error| write_failed(&error))?;
    let out = BufWriter::with_capacity(WRITE_BUFFER, file);
    let mut copy = engine::Extract::new(paths, order, out).map_err(|error| write_failed(&error))?;
    while py.detach(|| copy.step(FRAMES_PER_STEP)).map_err(|error| write_failed(&error))? {
        py.check_signals()?;
    }
    let copied = copy.copied();
    let facts = PyDict::new(py);
    for (name, number) in [
        ("read", copied.read),
        ("frames", copied.frames),
        ("bytes", copied.bytes),
        ("comments", copied.comments),
        ("blanked", copied.blanked),
    ] {
        facts.set_item(name, number)?;
    }
    Ok(facts)
}

/// The key that packets of such a flow have: it is made from one of them.
fn window(flow: Flow) -> Window {
    let (protocol, version, source, source_port, destination, destination_port, first_ns, last_ns, packets) = flow;
    let packet = Packet {
        source: Address(source),
        destination: Address(destination),
        source_port,
        destination_port,
        protocol,
        version,
        ..Packet::default()
    };
    Window { key: FlowKey::of(&packet).0, first_ns, last_ns, packets }
}
