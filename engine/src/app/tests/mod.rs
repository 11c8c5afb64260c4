//! Tests of the parsers as users meet them, and of the laws that hold for any bytes.

mod conversations;
mod proxies;
mod reassembly;
mod tls;

use std::sync::Arc;

use super::{Conversation, Event, Expected, Kind, Side};

/// Numbers that look random and are the same in every run (xorshift).
pub(super) struct Random(pub u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}

pub(super) fn ports() -> Arc<Expected> {
    Arc::new(Expected::new(&[(21, Kind::Ftp), (1080, Kind::Socks), (8080, Kind::HttpConnect), (443, Kind::Tls)]))
}

/// The client.
pub(super) const C: Side = Side::Client;
/// The server.
pub(super) const S: Side = Side::Server;

/// What a conversation tells of these bytes.
pub(super) fn talk(kind: Kind, turns: &[(Side, &[u8])]) -> Vec<Event> {
    let mut conversation = Conversation::for_port_kind(kind, &ports());
    let mut events = Vec::new();
    for (from, bytes) in turns {
        conversation.feed(*from, bytes, &mut events);
    }
    let mut bytewise = Conversation::for_port_kind(kind, &ports());
    let mut same = Vec::new();
    for (from, bytes) in turns {
        bytes.chunks(1).for_each(|byte| bytewise.feed(*from, byte, &mut same));
    }
    assert_eq!(events, same, "segments of one byte must tell the same");
    events
}

/// Bytes from hexadecimal digits; blanks are ignored.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}
