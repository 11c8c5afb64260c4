//! The one place where the core's failures become Python exceptions.

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

/// Writing a table failed.
pub fn write_failed(error: &std::io::Error) -> PyErr {
    // The operating system's number makes it BrokenPipeError and its kin again.
    match error.raw_os_error() {
        Some(number) => PyOSError::new_err((number, error.to_string())),
        None => PyOSError::new_err(error.to_string()),
    }
}

/// An argument is out of its range.
pub fn bad_argument(message: String) -> PyErr {
    PyValueError::new_err(message)
}
