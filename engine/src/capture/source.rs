//! What kind of file it is, by its first bytes; decompression on the way in.

use std::io::{self, BufReader, Cursor, ErrorKind, Read};

use bzip2::bufread::MultiBzDecoder;
use lzma_rust2::XzReader;

use super::buffer::Buffer;
use super::error::OpenError;
use super::gzip::Gzip;
use super::info::{Compression, Format, Info};
use super::limits::MAX_XZ_MEMORY;
use super::lz4::Lz4;
use super::order::Order;
use super::pcap;
use super::steps::Steps;
use super::zstandard::Zstandard;

/// Compressed bytes asked of the source at once.
const COMPRESSED: usize = 256 << 10;
/// Bytes that tell every known format.
const START: usize = 8;
/// Bytes of frames to be skipped that are looked past.
const SKIPPED: usize = 1 << 20;

/// Compressions by their first bytes.
const COMPRESSIONS: &[(&[u8], Compression)] = &[
    (b"\x1f\x8b", Compression::Gzip),
    (b"\x28\xb5\x2f\xfd", Compression::Zstandard),
    (b"\x04\x22\x4d\x18", Compression::Lz4),
    (b"\x02\x21\x4c\x18", Compression::Lz4),
    (b"\xfd7zXZ\0", Compression::Xz),
    (b"BZh", Compression::Bzip2),
];

/// Formats known by name, with what to do about them.
const OTHERS: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (b"snoop\0\0\0", "a snoop capture", "convert it first: editcap -F pcapng FILE OUT.pcapng"),
    (b"GMBU", "a Network Monitor capture", "convert it first: editcap -F pcapng FILE OUT.pcapng"),
    (b"RTSS", "a Network Monitor capture", "convert it first: editcap -F pcapng FILE OUT.pcapng"),
    (b"TRSNIFF ", "a Sniffer capture", "convert it first: editcap -F pcapng FILE OUT.pcapng"),
    (b"XCP\0", "a NetXRay capture", "convert it first: editcap -F pcapng FILE OUT.pcapng"),
];

enum Start {
    Capture(Format),
    Compressed(Compression),
    Other(OpenError),
}

/// The capture's bytes, how they were compressed, and the container format.
pub(super) fn sniff(source: Box<dyn Read + Send>) -> Result<(Buffer, Compression, Format), OpenError> {
    let mut buffer = Buffer::new(source);
    let compression = match start(&mut buffer, OpenError::Io)? {
        Start::Capture(format) => return Ok((buffer, Compression::None, format)),
        Start::Other(error) => return Err(error),
        Start::Compressed(compression) => compression,
    };
    let (read, rest) = buffer.into_parts();
    let rest = BufReader::with_capacity(COMPRESSED, Cursor::new(read).chain(Ending { source: rest, ended: false }));
    let mut buffer = Buffer::new(match compression {
        Compression::Gzip => Box::new(Steps::new(Gzip::new(rest), "gzip", "member")),
        Compression::Lz4 => Box::new(Steps::new(Lz4::new(rest), "lz4", "frame")),
        Compression::Xz => Box::new(Steps::new(XzReader::new_mem_limit(rest, true, MAX_XZ_MEMORY), "xz", "stream")),
        Compression::Bzip2 => Box::new(Steps::new(MultiBzDecoder::new(rest), "bzip2", "stream")),
        Compression::Zstandard | Compression::None => Box::new(Zstandard::new(rest)),
    });
    match start(&mut buffer, OpenError::Compression)? {
        Start::Capture(format) => Ok((buffer, compression, format)),
        Start::Other(error) => Err(error),
        Start::Compressed(inner) => Err(OpenError::Nested { outer: compression.name(), inner: inner.name() }),
    }
}

/// A source that has ended where it ended first. A file that is written meanwhile goes on there, and decoders ask twice:
/// what is cut would look damaged to them.
struct Ending<R> {
    source: R,
    ended: bool,
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let count = self.source.read(out)?;
        self.ended = count == 0 && !out.is_empty();
        Ok(count)
    }
}

fn start(buffer: &mut Buffer, failed: impl FnOnce(io::Error) -> OpenError) -> Result<Start, OpenError> {
    // Nothing is pinned yet, so this cannot pause; a short file is seen by its length.
    let _ = buffer.ensure(START);
    if skippable(buffer.unread()).is_some() {
        return Ok(Start::Compressed(behind_skippable(buffer)));
    }
    let bytes = &buffer.unread()[..buffer.unread().len().min(START)];
    let known = if let Some(&(_, format, help)) = OTHERS.iter().find(|(magic, ..)| bytes.starts_with(magic)) {
        Some(Start::Other(OpenError::Unsupported { format, help }))
    } else if let Some(&(_, compression)) = COMPRESSIONS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        Some(Start::Compressed(compression))
    } else if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        Some(Start::Capture(Format::Pcapng))
    } else if bytes.len() >= 4 && pcap::magic(Order::Little.u32(bytes, 0)).is_some() {
        Some(Start::Capture(Format::Pcap))
    } else {
        None
    };
    if let Some(known) = known {
        return Ok(known);
    }
    let (empty, start) = (bytes.is_empty(), bytes.to_vec());
    match buffer.take_failure() {
        Some(error) => Err(failed(error)),
        None if empty => Err(OpenError::Empty),
        None => Ok(Start::Other(OpenError::Unknown { start })),
    }
}

/// Length of a frame that decoders pass over, with its header, if one begins here.
fn skippable(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] => Some(8 + u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        _ => None,
    }
}

/// Whose file it is that begins with such frames: zstd and lz4 have them alike (RFC 8878, 3.1.2). What comes behind tells.
fn behind_skippable(buffer: &mut Buffer) -> Compression {
    let mut at = 0;
    while at < SKIPPED && buffer.ensure(at + START) == Ok(true) {
        let bytes = &buffer.unread()[at..];
        let Some(length) = skippable(bytes) else {
            let known = COMPRESSIONS.iter().find(|(magic, _)| bytes.starts_with(magic));
            return known.map_or(Compression::Zstandard, |&(_, compression)| compression);
        };
        at += length;
    }
    Compression::Zstandard
}

/// Reports why the source ended before its time.
pub(super) fn note_failure(failure: &io::Error, info: &mut Info, offset: u64) {
    let name = match failure.kind() {
        ErrorKind::UnexpectedEof => "cut-short",
        ErrorKind::InvalidData => "bad-compression",
        _ => "read-error",
    };
    info.problems.note(name, true, info.number, offset, || {
        format!("expected more of the capture after {offset} bytes of it; {failure}; read up to there")
    });
}
