//! Which protocol a connection speaks, and the parser for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dns::Stream as DnsTcp;
use super::event::{Event, Side};
use super::ftp::Control;
use super::gather::Gather;
use super::host::Target;
use super::http::HttpConnect;
use super::sample::Sample;
use super::socks::Socks;
use super::tls::{Follow, Tls, is_record_type, is_ssl2_hello, may_be_ssl2};
use super::tunnel::Tunnel;
use crate::interest::Interest;

/// Tunnels within tunnels that are followed (`APP_DEPTH`).
pub const APP_DEPTH: u8 = 4;

/// Bytes that tell every protocol that is sniffed.
const SNIFFED: usize = 11;

/// Methods that a SOCKS 5 client may offer before it is taken for something else.
const SOCKS_METHODS: u8 = 16;

/// What to expect on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// An FTP control connection.
    Ftp,
    /// A SOCKS proxy.
    Socks,
    /// An HTTP proxy.
    HttpConnect,
    /// TLS from the first byte.
    Tls,
    /// DNS over TCP.
    DnsTcp,
    /// The first bytes tell: TLS, SOCKS, CONNECT, or nothing that is looked for.
    #[default]
    Unknown,
}

/// Which server ports stand for what, and whose payload to sample in tunnels.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    kinds: BTreeMap<u16, Kind>,
    networks: Option<Interest>,
    names: Vec<String>,
}

impl Expected {
    /// These ports; all others are [`Kind::Unknown`], and nothing is sampled.
    pub fn new(kinds: &[(u16, Kind)]) -> Expected {
        Expected { kinds: kinds.iter().copied().collect(), ..Expected::default() }
    }

    /// What tunnels to these networks, and to hosts with these names, lower case, carry is sampled as well.
    #[must_use]
    pub fn sampling(self, networks: Option<Interest>, names: &[String]) -> Expected {
        let names = if networks.is_some() { names.to_vec() } else { Vec::new() };
        Expected { networks, names, ..self }
    }

    /// What a port stands for.
    pub fn kind(&self, port: u16) -> Kind {
        self.kinds.get(&port).copied().unwrap_or_default()
    }

    fn samples(&self, target: &Target) -> bool {
        match target {
            Target::Address(address) => self.networks.as_ref().is_some_and(|networks| networks.has_address(*address)),
            Target::Name(name) => self.names.contains(name),
        }
    }
}

/// What a tunnel needs to know to read what runs through it.
#[derive(Clone, Debug)]
pub(super) struct Nesting {
    expected: Arc<Expected>,
    /// How many tunnels may still be entered.
    left: u8,
}

impl Nesting {
    /// A tunnel to that target. A conversation that is parsed is no bulk data: what comes of no known port is sampled.
    pub(super) fn tunnel(&self, target: &Target, port: u16) -> Tunnel {
        let kind = self.expected.kind(port);
        match self.left.checked_sub(1) {
            Some(left) => Tunnel::new(
                Conversation::new(kind, Nesting { left, ..self.clone() }),
                kind == Kind::Unknown && self.expected.samples(target),
            ),
            None => Tunnel::new(Conversation(State::TooDeep), false),
        }
    }
}

/// Reads both directions of one connection.
#[derive(Debug)]
pub struct Conversation(State);

#[derive(Debug)]
enum State {
    Ftp(Box<Control>),
    Socks(Box<Socks>),
    HttpConnect(Box<HttpConnect>),
    Tls(Box<Tls>),
    DnsTcp(Box<DnsTcp>),
    /// Not enough bytes to tell, those of one side.
    Undecided(Box<Undecided>),
    /// A tunnel in too many others, not told yet.
    TooDeep,
    Done,
}

/// The first bytes of one side.
#[derive(Debug)]
struct Undecided {
    nesting: Nesting,
    from: Option<Side>,
    start: Gather,
}

/// What the first bytes of a side say.
enum Sniffed {
    Kind(Kind),
    More,
    Nothing,
}

impl Conversation {
    /// For a connection whose server port stands for `kind`; `expected` tells the same of targets within tunnels.
    pub fn for_port_kind(kind: Kind, expected: &Arc<Expected>) -> Conversation {
        Conversation::new(kind, Nesting { expected: Arc::clone(expected), left: APP_DEPTH })
    }

    fn new(kind: Kind, nesting: Nesting) -> Conversation {
        Conversation(match kind {
            Kind::Ftp => State::Ftp(Box::new(Control::new())),
            Kind::Socks => State::Socks(Box::new(Socks::new(nesting))),
            Kind::HttpConnect => State::HttpConnect(Box::new(HttpConnect::new(nesting))),
            Kind::Tls => State::Tls(Box::default()),
            Kind::DnsTcp => State::DnsTcp(Box::default()),
            Kind::Unknown => State::Undecided(Box::new(Undecided { nesting, from: None, start: Gather::NEW })),
        })
    }

    /// Takes the next bytes of one direction and appends what they say.
    pub fn feed(&mut self, from: Side, bytes: &[u8], events: &mut Vec<Event>) {
        if bytes.is_empty() || self.done() {
            return;
        }
        match &mut self.0 {
            State::Ftp(control) => control.feed(from, bytes, events),
            State::Socks(socks) => socks.feed(from, bytes, events),
            State::HttpConnect(http) => http.feed(from, bytes, events),
            State::DnsTcp(stream) => stream.feed(from, bytes, events),
            State::Tls(tls) => {
                let mut rest = bytes;
                if tls.take(from, &mut rest, events) == Follow::Other && !tls.greeted() {
                    events.push(Event::ProtocolError { protocol: "tls", what: "bytes that are no record" });
                    self.0 = State::Done;
                }
            }
            State::Undecided(_) => self.decide(from, bytes, events),
            State::TooDeep => {
                events.push(Event::Limit { name: "APP_DEPTH" });
                self.0 = State::Done;
            }
            State::Done => {}
        }
    }

    /// Bytes of one direction are missing before those that come next.
    pub fn gap(&mut self, from: Side, events: &mut Vec<Event>) {
        if self.done() {
            return;
        }
        match &mut self.0 {
            State::Ftp(control) => control.gap(from, events),
            State::Socks(socks) => socks.gap(from, events),
            State::HttpConnect(http) => http.gap(from, events),
            State::DnsTcp(stream) => stream.gap(from, events),
            State::Tls(tls) => {
                if !tls.greeted() {
                    events.push(Event::Lost { protocol: "tls" });
                }
                self.0 = State::Done;
            }
            State::Undecided(_) | State::TooDeep => self.0 = State::Done,
            State::Done => {}
        }
    }

    /// Nothing more can come: the bytes need not be fed any more.
    pub fn done(&self) -> bool {
        match &self.0 {
            State::Ftp(control) => control.done(),
            State::Socks(socks) => socks.done(),
            State::HttpConnect(http) => http.done(),
            State::Tls(tls) => tls.greeted(),
            State::DnsTcp(stream) => stream.done(),
            State::Undecided(_) | State::TooDeep => false,
            State::Done => true,
        }
    }

    /// Memory that beginnings of long messages take, bytes: of hellos and of DNS over TCP.
    pub fn held_memory(&self) -> usize {
        match &self.0 {
            State::Ftp(control) => control.held_memory(),
            State::Socks(socks) => socks.held_memory(),
            State::HttpConnect(http) => http.held_memory(),
            State::Tls(tls) => tls.held_memory(),
            State::DnsTcp(stream) => stream.held_memory(),
            State::Undecided(_) | State::TooDeep | State::Done => 0,
        }
    }

    /// Samples of what client and server sent through a tunnel; none where there is no tunnel that is sampled.
    pub fn samples(&self) -> Option<&[Sample; 2]> {
        match &self.0 {
            State::Socks(socks) => socks.samples(),
            State::HttpConnect(http) => http.samples(),
            _ => None,
        }
    }

    fn decide(&mut self, from: Side, bytes: &[u8], events: &mut Vec<Event>) {
        let State::Undecided(undecided) = &mut self.0 else { return };
        if *undecided.from.get_or_insert(from) != from {
            // The other side does not wait for the rest of what was too little to tell.
            self.0 = State::Done;
            return;
        }
        let mut rest = bytes;
        let full = undecided.start.fill(&mut rest, SNIFFED);
        let kind = match sniff(from, undecided.start.bytes()) {
            Sniffed::Kind(kind) => kind,
            Sniffed::More if !full => return,
            Sniffed::More | Sniffed::Nothing => {
                self.0 = State::Done;
                return;
            }
        };
        let mut decided = Conversation::new(kind, undecided.nesting.clone());
        decided.feed(from, undecided.start.bytes(), events);
        decided.feed(from, rest, events);
        *self = decided;
    }
}

/// Tells a protocol by how a side begins.
fn sniff(from: Side, start: &[u8]) -> Sniffed {
    const CONNECT: &[u8] = b"CONNECT ";
    match (from, start) {
        (_, [first, 3, ..]) if is_record_type(*first) => Sniffed::Kind(Kind::Tls),
        (_, [first]) if is_record_type(*first) => Sniffed::More,
        (Side::Client, _) if is_ssl2_hello(start) => Sniffed::Kind(Kind::Tls),
        (Side::Client, [first, ..]) if may_be_ssl2(*first) && start.len() < SNIFFED => Sniffed::More,
        (Side::Client, [5, 1..=SOCKS_METHODS, ..] | [4, 1 | 2, ..]) => Sniffed::Kind(Kind::Socks),
        (Side::Client, [4 | 5]) => Sniffed::More,
        (Side::Client, _) if start.starts_with(CONNECT) => Sniffed::Kind(Kind::HttpConnect),
        (Side::Client, _) if CONNECT.starts_with(start) => Sniffed::More,
        _ => Sniffed::Nothing,
    }
}
