//! A capture that is written while we read it: by another program, `dumpcap -w - | …`, or by ours; or a file.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::wait;
use crate::capture::{self, Capture};
use crate::scan::CaptureReport;

/// Milliseconds between two looks at whether to go on, while a capture's first bytes are waited for.
const LOOK_MS: i32 = 100;

/// A capture on a descriptor.
pub struct Stream {
    fd: RawFd,
    source: Option<Patient>,
    impatient: Arc<AtomicBool>,
    capture: Option<Capture>,
}

/// Reads that wait for the first bytes, and later only take what is there.
struct Patient {
    file: File,
    impatient: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
}

impl Read for Patient {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(0);
            }
            let impatient = self.impatient.load(Ordering::Relaxed);
            if wait::for_one(self.file.as_raw_fd(), if impatient { 0 } else { LOOK_MS }) {
                return self.file.read(bytes);
            }
            if impatient {
                return Err(ErrorKind::TimedOut.into());
            }
        }
    }
}

impl Stream {
    /// A file, or `-` for standard input. Nothing is read yet. `stop` ends it where it is.
    pub fn open(path: &str, stop: &Arc<AtomicBool>) -> io::Result<Stream> {
        Ok(Stream::new(if path == "-" { standard_input()? } else { open_at_once(path)? }, stop))
    }

    /// What comes from that descriptor.
    pub fn new(file: File, stop: &Arc<AtomicBool>) -> Stream {
        let impatient = Arc::new(AtomicBool::new(false));
        Stream {
            fd: file.as_raw_fd(),
            source: Some(Patient { file, impatient: Arc::clone(&impatient), stop: Arc::clone(stop) }),
            impatient,
            capture: None,
        }
    }

    /// Whether anything of it has come: its first bytes are waited for, and nothing else goes on meanwhile.
    pub fn has_begun(&self) -> bool {
        self.source.is_none() || wait::for_one(self.fd, 0)
    }

    /// What to wait for.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// Tells what kind of capture it is, as far as that is known.
    pub fn describe(&self, report: &mut CaptureReport) {
        if let Some(capture) = &self.capture {
            report.describe(capture.info());
        }
    }

    /// The capture; its first bytes are waited for when this is asked for the first time.
    pub fn capture(&mut self) -> Result<&mut Capture, capture::OpenError> {
        if let Some(source) = self.source.take() {
            self.capture = Some(Capture::from_reader(Box::new(source))?);
            self.impatient.store(true, Ordering::Relaxed);
        }
        self.capture.as_mut().ok_or_else(|| capture::OpenError::Io(ErrorKind::UnexpectedEof.into()))
    }
}

/// Opens a file, or a pipe that nobody may write to yet: plain opening would wait for that without end.
fn open_at_once(path: &str) -> io::Result<File> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    // SAFETY: a plain system call on a descriptor that is open; the result is checked.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(file)
}

/// Standard input under a descriptor of our own.
fn standard_input() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}
