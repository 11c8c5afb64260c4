//! A Python object with `read(size)` as a source of captures, for what the engine cannot open by a path.

use std::io::{self, ErrorKind, Read};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Bytes asked for at once: Python is called once for each, so that it costs nothing beside the reading.
const AT_ONCE: usize = 1 << 20;

/// The object. An exception that it raises ends the capture with its text.
pub struct PythonReader {
    object: Py<PyAny>,
}

impl PythonReader {
    pub fn new(object: Py<PyAny>) -> PythonReader {
        PythonReader { object }
    }
}

impl Read for PythonReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // Not `InvalidData`, nor `UnexpectedEof`: those are said of a capture's own bytes.
        let failed = |text: String| io::Error::new(ErrorKind::ConnectionAborted, text);
        Python::attach(|py| {
            let asked = out.len().min(AT_ONCE);
            let answer = self.object.bind(py).call_method1("read", (asked,));
            let answer = answer.map_err(|error| failed(error.value(py).to_string()))?;
            let bytes = answer.cast::<PyBytes>().map_err(|error| failed(error.to_string()))?.as_bytes();
            let target = out.get_mut(..bytes.len());
            let target = target.ok_or_else(|| failed(format!("{asked} bytes asked for, {} given", bytes.len())))?;
            target.copy_from_slice(bytes);
            Ok(bytes.len())
        })
    }
}
