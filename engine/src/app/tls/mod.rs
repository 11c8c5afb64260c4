//! TLS as far as it stands in clear: records and the two hellos (RFC 8446, RFC 5246).

mod hello;
mod record;

use super::event::{Event, Side};
use super::gather::Gather;
pub(super) use hello::{is_ssl2_hello, may_be_ssl2};
pub(super) use record::{Records, is_record_type};

/// Bytes of a hello message that are gathered (`TLS_HELLO`).
pub const TLS_HELLO: usize = 32 << 10;

/// Content type of handshake records.
const HANDSHAKE: u8 = 22;

/// Bytes in front of every handshake message: type and length.
const MESSAGE_HEADER: usize = 4;

/// Both directions of a TLS connection.
#[derive(Debug, Default)]
pub(super) struct Tls {
    client: Direction,
    server: Direction,
}

/// One direction: its records, and its hello until that is read.
#[derive(Debug, Default)]
struct Direction {
    records: Records,
    hello: Gather,
    /// The hello was read, or none can come.
    greeted: bool,
    /// The records cannot be followed any more.
    blind: bool,
    begun: bool,
}

/// How far a direction can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    /// All bytes were records.
    Records,
    /// Behind a whole record comes something else.
    Other,
}

impl Tls {
    /// Takes bytes until they are no records any more: then the rest stays in `bytes`.
    pub(super) fn take(&mut self, from: Side, bytes: &mut &[u8], events: &mut Vec<Event>) -> Follow {
        let direction = self.direction(from);
        if direction.blind {
            *bytes = &[];
            return Follow::Records;
        }
        let half_read = !direction.hello.bytes().is_empty();
        if !direction.begun && (half_read || bytes.first().is_some_and(|&first| may_be_ssl2(first))) {
            direction.ssl2(from, bytes, events);
            return Follow::Records;
        }
        direction.begun |= !bytes.is_empty();
        let Direction { records, hello, greeted, .. } = direction;
        let followed = records.take(bytes, |content, fragment| {
            if *greeted {
                return;
            }
            match content {
                HANDSHAKE => *greeted = gather_hello(from, hello, fragment, events),
                // An alert may stand before the hello; anything else says that the hello was missed.
                21 => {}
                _ => *greeted = true,
            }
        });
        if *greeted {
            hello.release();
        }
        if followed { Follow::Records } else { Follow::Other }
    }

    /// Bytes of a direction are missing: where its records begin is not known any more.
    pub(super) fn gap(&mut self, from: Side) {
        *self.direction(from) = Direction::BLIND;
    }

    /// A direction went back to something else; records may begin again later.
    pub(super) fn restart(&mut self, from: Side) {
        *self.direction(from) = Direction::default();
    }

    /// Both hellos were read or cannot come.
    pub(super) fn greeted(&self) -> bool {
        self.client.greeted && self.server.greeted
    }

    /// Memory that the beginnings of hellos take, bytes.
    pub(super) fn held_memory(&self) -> usize {
        self.client.hello.held_memory() + self.server.hello.held_memory()
    }

    /// Neither direction can be followed.
    pub(super) fn blind(&self) -> bool {
        self.client.blind && self.server.blind
    }

    /// Whether a direction has shown a record, or is taken for TLS without being followed.
    pub(super) fn seen(&mut self, from: Side) -> bool {
        let direction = self.direction(from);
        direction.blind || direction.records.begun() > 0
    }

    fn direction(&mut self, from: Side) -> &mut Direction {
        match from {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

impl Direction {
    const BLIND: Direction =
        Direction { records: Records::NEW, hello: Gather::NEW, greeted: true, blind: true, begun: true };

    /// An SSL 2 hello: its length is all that is known of what follows, so that nothing more is followed.
    fn ssl2(&mut self, from: Side, bytes: &mut &[u8], events: &mut Vec<Event>) {
        if self.hello.fill(bytes, hello::SSL2_START) {
            if let (Side::Client, Some(version)) = (from, hello::ssl2_version(self.hello.bytes())) {
                events.push(Event::TlsClientHello { sni: None, version, ssl2: true });
            }
            *self = Direction::BLIND;
        }
        if self.blind {
            *bytes = &[];
        }
    }
}

/// Gathers a hello over any number of records; true when nothing more is to be gathered.
fn gather_hello(from: Side, hello: &mut Gather, mut fragment: &[u8], events: &mut Vec<Event>) -> bool {
    if !hello.fill(&mut fragment, MESSAGE_HEADER) {
        return false;
    }
    let (kind, length) = match *hello.bytes() {
        [kind, high, middle, low, ..] => (kind, u32::from_be_bytes([0, high, middle, low]) as usize),
        _ => return false,
    };
    let wanted = match from {
        Side::Client => hello::CLIENT_HELLO,
        Side::Server => hello::SERVER_HELLO,
    };
    if kind != wanted {
        return true;
    }
    if length > TLS_HELLO {
        events.push(Event::Limit { name: "TLS_HELLO" });
        return true;
    }
    if !hello.fill(&mut fragment, MESSAGE_HEADER + length) {
        return false;
    }
    let body = &hello.bytes()[MESSAGE_HEADER..];
    events.extend(match from {
        Side::Client => hello::client(body),
        Side::Server => hello::server(body),
    });
    true
}
