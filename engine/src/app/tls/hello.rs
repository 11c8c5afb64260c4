//! The hellos: names and versions (RFC 8446, 4.1; RFC 6066, 3; SSL 2 in RFC 6101, E).

use crate::app::event::Event;
use crate::app::host;
use crate::app::reader::Reader;

pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;

/// Bytes of an SSL 2 client hello up to and with its three lengths.
pub(super) const SSL2_START: usize = 11;

const SERVER_NAME: u16 = 0;
const SUPPORTED_VERSIONS: u16 = 43;
const TLS_1_3: u16 = 0x0304;

/// Longest host name (RFC 1035, 2.3.4).
const LONGEST_NAME: usize = 255;

/// The event of a client hello's body; `None` when it cannot be read.
pub(super) fn client(body: &[u8]) -> Option<Event> {
    let mut reader = Reader(body);
    let mut version = reader.u16()?;
    reader.take(32)?;
    reader.block8()?;
    reader.block16()?;
    reader.block8()?;
    let mut sni = None;
    for (kind, content) in extensions(reader) {
        match kind {
            SERVER_NAME => sni = sni.or_else(|| server_name(content)),
            SUPPORTED_VERSIONS => version = highest(content).unwrap_or(version),
            _ => {}
        }
    }
    Some(Event::TlsClientHello { sni, version, ssl2: false })
}

/// The event of a server hello's body.
pub(super) fn server(body: &[u8]) -> Option<Event> {
    let mut reader = Reader(body);
    let mut version = reader.u16()?;
    reader.take(32)?;
    reader.block8()?;
    reader.take(3)?;
    for (kind, mut content) in extensions(reader) {
        if kind == SUPPORTED_VERSIONS {
            version = content.u16().map_or(version, known);
        }
    }
    Some(Event::TlsServerHello { version })
}

/// The extensions behind a hello's fixed part; older hellos have none.
fn extensions(mut reader: Reader<'_>) -> impl Iterator<Item = (u16, Reader<'_>)> {
    let mut all = reader.block16().unwrap_or(Reader(&[]));
    std::iter::from_fn(move || Some((all.u16()?, all.block16()?)))
}

fn server_name(mut content: Reader<'_>) -> Option<String> {
    let mut list = content.block16()?;
    loop {
        let (kind, name) = (list.u8()?, list.block16()?);
        if kind == 0 && !name.0.is_empty() && name.0.len() <= LONGEST_NAME {
            return Some(host::host_name(name.0));
        }
    }
}

/// The highest version on the list; values without meaning (RFC 8701) are left out.
fn highest(mut content: Reader<'_>) -> Option<u16> {
    let mut list = content.block8()?;
    std::iter::from_fn(|| list.u16()).map(known).filter(|version| version >> 8 == 3).max()
}

/// Drafts of TLS 1.3 count as TLS 1.3.
fn known(version: u16) -> u16 {
    if matches!(version >> 8, 0x7e | 0x7f) { TLS_1_3 } else { version }
}

/// Whether an SSL 2 hello can begin with that byte: two-byte framing and less than 1,024 bytes.
pub(in crate::app) const fn may_be_ssl2(first: u8) -> bool {
    first & 0xfc == 0x80
}

/// Whether a stream that begins so is an SSL 2 client hello, in two-byte framing.
pub(in crate::app) fn is_ssl2_hello(start: &[u8]) -> bool {
    ssl2_version(start).is_some()
}

/// The version that the start of an SSL 2 client hello asks for; `None` when it is none.
pub(super) fn ssl2_version(start: &[u8]) -> Option<u16> {
    let mut reader = Reader(start);
    let length = reader.u16()?;
    let (kind, version) = (reader.u8()?, reader.u16()?);
    let (ciphers, session, challenge) = (reader.u16()?, reader.u16()?, reader.u16()?);
    let right = length & 0x8000 != 0
        && kind == CLIENT_HELLO
        && matches!(version, 2 | 0x0300..=TLS_1_3)
        && ciphers > 0
        && ciphers % 3 == 0
        && matches!(session, 0 | 16)
        && (16..=32).contains(&challenge)
        && u32::from(length & 0x7fff) == 9 + u32::from(ciphers) + u32::from(session) + u32::from(challenge);
    right.then_some(version)
}
