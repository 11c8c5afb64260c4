//! The one place where the core's failures become Python exceptions.

#[cfg(unix)]
use pyo3::exceptions::{PyFileNotFoundError, PyPermissionError};
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

/// An interface or a capture cannot be watched: PermissionError where that is forbidden, FileNotFoundError where it is
/// not there, else OSError.
#[cfg(unix)]
pub fn cannot_watch(error: &auditor_engine::live::OpenError) -> PyErr {
    let arguments = (error.interface.clone(), error.message.clone());
    if error.forbidden {
        PyPermissionError::new_err(arguments)
    } else if error.missing {
        PyFileNotFoundError::new_err(arguments)
    } else {
        PyOSError::new_err(arguments)
    }
}

/// An argument is out of its range.
pub fn bad_argument(message: String) -> PyErr {
    PyValueError::new_err(message)
}
