//! Why a capture could not be opened at all.

use std::fmt;
use std::io;

/// The user can act on each of these; [`fmt::Display`] gives the sentence, without the path.
#[derive(Debug)]
pub enum OpenError {
    /// The operating system refused.
    Io(io::Error),
    /// There is not one byte in the file (or in the compressed file).
    Empty,
    /// The compressed file gave nothing that could be looked at.
    Compression(io::Error),
    /// A format that is known by name, but not read.
    Unsupported {
        /// What it is.
        format: &'static str,
        /// What to do about it.
        help: &'static str,
    },
    /// A compressed file within a compressed file.
    Nested {
        /// Compression of the file itself.
        outer: &'static str,
        /// Compression of what it holds.
        inner: &'static str,
    },
    /// None of the known beginnings.
    Unknown {
        /// The first bytes, at most eight.
        start: Vec<u8>,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Io(error) => write!(f, "cannot be read: {error}"),
            OpenError::Empty => write!(f, "is empty (0 bytes); expected a pcap or pcapng capture"),
            OpenError::Compression(error) => write!(f, "cannot be decompressed: {error}"),
            OpenError::Unsupported { format, help } => write!(f, "is {format}, which is not read; {help}"),
            OpenError::Nested { outer, inner } => {
                write!(
                    f,
                    "is {inner} data within {outer} data; only one layer of compression is read: decompress it once"
                )
            }
            OpenError::Unknown { start } => {
                write!(
                    f,
                    "is no capture: expected the start of a pcap or pcapng file, plain or in gzip, zstd, lz4, xz or bzip2; \
                     it starts with"
                )?;
                start.iter().try_for_each(|byte| write!(f, " {byte:02x}"))
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenError::Io(error) | OpenError::Compression(error) => Some(error),
            _ => None,
        }
    }
}
