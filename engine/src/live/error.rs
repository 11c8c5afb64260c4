//! Why an interface cannot be watched.

use std::fmt;
use std::io;

/// What could not be done with which interface, and why.
#[derive(Debug)]
pub struct OpenError {
    /// The interface.
    pub interface: String,
    /// What was tried, and what came of it.
    pub message: String,
    /// The operating system forbids it to this process.
    pub forbidden: bool,
    /// There is no interface of that name.
    pub missing: bool,
}

impl OpenError {
    pub(super) fn new(interface: &str, what: &str, error: &io::Error) -> OpenError {
        let number = error.raw_os_error().unwrap_or(0);
        OpenError {
            interface: interface.to_owned(),
            message: format!("cannot {what} the interface: {error}"),
            forbidden: matches!(number, libc::EPERM | libc::EACCES),
            missing: what == "find",
        }
    }

    pub(super) fn thread(name: &str, error: &io::Error) -> OpenError {
        OpenError {
            interface: name.to_owned(),
            message: format!("its thread cannot start: {error}"),
            forbidden: false,
            missing: false,
        }
    }

    pub(super) fn folder(folder: &str, error: &io::Error) -> OpenError {
        OpenError {
            interface: folder.to_owned(),
            message: format!("cannot keep evidence there: {error}"),
            forbidden: false,
            missing: false,
        }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn hardware(interface: &str, hardware: u16) -> OpenError {
        OpenError {
            interface: interface.to_owned(),
            message: format!("is hardware of type {hardware} (ARPHRD); expected Ethernet, loopback or plain IP"),
            forbidden: false,
            missing: false,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.interface, self.message)
    }
}

impl std::error::Error for OpenError {}
