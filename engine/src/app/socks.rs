//! SOCKS 4, 4a and 5 (RFC 1928, RFC 1929) and what runs through the tunnel.
//!
//! The directions are read apart, since a client need not wait for answers and captures may reverse the order.

use super::conversation::Nesting;
use super::event::{Event, Side, SocksCommand};
use super::gather::Gather;
use super::host::Target;
use super::reader::Reader;
use super::sample::Sample;
use super::tunnel::Tunnel;

/// Bytes of a user id or name in SOCKS 4 (`SOCKS_NAME`).
const SOCKS_NAME: u16 = 255;

const PASSWORD: u8 = 2;

/// A connection to a SOCKS proxy.
#[derive(Debug)]
pub(super) struct Socks {
    nesting: Nesting,
    client: Client,
    server: Server,
    gathered: [Gather; 2],
    command: SocksCommand,
    /// The proxy listens for the connection that a BIND asked for.
    listens: bool,
    tunnel: Option<Tunnel>,
    failed: bool,
}

/// What the client's next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Version,
    /// Version 4: command, port and address.
    Request4,
    /// The user id up to its NUL, with what the request said before.
    User {
        port: u16,
        address: [u8; 4],
        read: u16,
    },
    /// The name of version 4a up to its NUL.
    Name {
        port: u16,
    },
    /// Version 5: the methods it offers.
    Methods,
    /// Version 5: credentials or the request, as their first byte tells.
    Message,
    /// Length and bytes of the user name, then of the password.
    Credentials {
        password: bool,
        left: Option<u8>,
    },
    Request5,
    Tunnel,
}

/// What the server's next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Version,
    Reply4,
    Method,
    Login,
    Reply5,
    Tunnel,
}

impl Socks {
    /// From the first byte of a connection.
    pub(super) fn new(nesting: Nesting) -> Socks {
        Socks {
            nesting,
            client: Client::Version,
            server: Server::Version,
            gathered: [Gather::NEW, Gather::NEW],
            command: SocksCommand::Connect,
            listens: false,
            tunnel: None,
            failed: false,
        }
    }

    /// Takes the next bytes of one direction.
    pub(super) fn feed(&mut self, from: Side, mut bytes: &[u8], events: &mut Vec<Event>) {
        while !bytes.is_empty() && !self.done() {
            let read = match from {
                Side::Client => self.client(&mut bytes, events),
                Side::Server => self.server(&mut bytes, events),
            };
            if let Err(what) = read {
                self.failed = true;
                events.push(Event::ProtocolError { protocol: "socks", what });
            }
        }
    }

    /// Bytes of one direction are missing.
    pub(super) fn gap(&mut self, from: Side, events: &mut Vec<Event>) {
        let tunnelled = match from {
            Side::Client => self.client == Client::Tunnel,
            Side::Server => self.server == Server::Tunnel,
        };
        if tunnelled {
            if let Some(tunnel) = &mut self.tunnel {
                tunnel.gap(from, events);
            }
        } else if !self.failed {
            self.failed = true;
            events.push(Event::Lost { protocol: "socks" });
        }
    }

    /// Nothing more can come.
    pub(super) fn done(&self) -> bool {
        let through = self.client == Client::Tunnel && self.server == Server::Tunnel;
        self.failed || through && self.tunnel.as_ref().is_none_or(Tunnel::done)
    }

    /// As [`Tunnel::held_memory`].
    pub(super) fn held_memory(&self) -> usize {
        self.tunnel.as_ref().map_or(0, Tunnel::held_memory)
    }

    /// As [`Tunnel::samples`].
    pub(super) fn samples(&self) -> Option<&[Sample; 2]> {
        self.tunnel.as_ref()?.samples()
    }

    fn client(&mut self, bytes: &mut &[u8], events: &mut Vec<Event>) -> Result<(), &'static str> {
        let gathered = &mut self.gathered[0];
        match self.client {
            Client::Version => {
                self.client = match bytes[0] {
                    4 => Client::Request4,
                    5 => Client::Methods,
                    _ => return Err("a version that is neither 4 nor 5"),
                };
            }
            Client::Request4 => {
                if gathered.fill(bytes, 8)
                    && let &[_, command, high, low, a, b, c, d] = gathered.bytes()
                {
                    gathered.clear();
                    self.command = match command {
                        1 => SocksCommand::Connect,
                        2 => SocksCommand::Bind,
                        _ => return Err("a command that version 4 does not have"),
                    };
                    let port = u16::from_be_bytes([high, low]);
                    self.client = Client::User { port, address: [a, b, c, d], read: 0 };
                }
            }
            Client::User { port, address, read } => {
                // Who asks is nobody's business here: skipped.
                if until_nul(bytes, read, |read| self.client = Client::User { port, address, read })? {
                    self.client = Client::Name { port };
                    // 0.0.0.x announces a name (version 4a).
                    if address[..3] != [0; 3] || address[3] == 0 {
                        self.requested(4, Target::of_v4(&address).ok_or("no address")?, port, events);
                    }
                }
            }
            Client::Name { port } => {
                let end = bytes.iter().position(|&byte| byte == 0);
                let wanted = gathered.bytes().len() + end.unwrap_or(bytes.len());
                gathered.fill(bytes, wanted.min(usize::from(SOCKS_NAME) + 1));
                if gathered.bytes().len() > usize::from(SOCKS_NAME) {
                    return Err("a name without end");
                }
                if end.is_some() {
                    *bytes = &bytes[1..];
                    let target = Target::of_text(gathered.bytes());
                    gathered.clear();
                    self.requested(4, target, port, events);
                }
            }
            Client::Methods => {
                let count = gathered.bytes().get(1).map_or(0, |&count| usize::from(count));
                if gathered.fill(bytes, 2 + count) && gathered.bytes().len() == 2 + usize::from(gathered.bytes()[1]) {
                    gathered.clear();
                    self.client = Client::Message;
                }
            }
            Client::Message => {
                self.client = match bytes[0] {
                    1 => {
                        *bytes = &bytes[1..];
                        Client::Credentials { password: false, left: None }
                    }
                    5 => Client::Request5,
                    _ => return Err("neither credentials nor a request"),
                };
            }
            Client::Credentials { password, left } => self.credentials(bytes, password, left, events),
            Client::Request5 => {
                if let Some((command, target, port)) = message5(gathered, bytes)? {
                    self.command = match command {
                        1 => SocksCommand::Connect,
                        2 => SocksCommand::Bind,
                        3 => SocksCommand::UdpAssociate,
                        _ => return Err("a command that version 5 does not have"),
                    };
                    self.requested(5, target, port, events);
                }
            }
            Client::Tunnel => {
                if let Some(tunnel) = &mut self.tunnel {
                    tunnel.feed(Side::Client, bytes, events);
                }
                *bytes = &[];
            }
        }
        Ok(())
    }

    /// Skips user name and password.
    fn credentials(&mut self, bytes: &mut &[u8], password: bool, left: Option<u8>, events: &mut Vec<Event>) {
        let left = match left {
            None => {
                let length = bytes[0];
                *bytes = &bytes[1..];
                length
            }
            Some(left) => {
                let skipped = bytes.len().min(left.into());
                *bytes = &bytes[skipped..];
                left - skipped as u8
            }
        };
        self.client = match (left, password) {
            (1.., _) => Client::Credentials { password, left: Some(left) },
            (0, false) => Client::Credentials { password: true, left: None },
            (0, true) => {
                events.push(Event::SocksCredentials);
                Client::Message
            }
        };
    }

    fn requested(&mut self, version: u8, target: Target, port: u16, events: &mut Vec<Event>) {
        self.client = Client::Tunnel;
        self.gathered[0].release();
        if self.command == SocksCommand::Connect {
            self.tunnel = Some(self.nesting.tunnel(&target, port));
        }
        events.push(Event::SocksRequest { version, command: self.command, target, port });
    }

    fn server(&mut self, bytes: &mut &[u8], events: &mut Vec<Event>) -> Result<(), &'static str> {
        let gathered = &mut self.gathered[1];
        match self.server {
            Server::Version => {
                self.server = match bytes[0] {
                    // Some proxies repeat the version where there should be 0.
                    0 | 4 => Server::Reply4,
                    5 => Server::Method,
                    _ => return Err("an answer that no version has"),
                };
            }
            Server::Reply4 => {
                if gathered.fill(bytes, 8)
                    && let &[_, code, high, low, a, b, c, d] = gathered.bytes()
                {
                    gathered.clear();
                    let bound = Target::of_v4(&[a, b, c, d]);
                    match code {
                        90 => self.replied(true, bound, u16::from_be_bytes([high, low]), events),
                        91..=93 => self.replied(false, None, 0, events),
                        _ => return Err("a reply code that version 4 does not have"),
                    }
                }
            }
            Server::Method => {
                if gathered.fill(bytes, 2) {
                    let method = gathered.bytes()[1];
                    gathered.clear();
                    match method {
                        0 => self.server = Server::Reply5,
                        PASSWORD => self.server = Server::Login,
                        0xff => self.replied(false, None, 0, events),
                        _ => return Err("an authentication method that is not known here"),
                    }
                }
            }
            Server::Login => {
                if gathered.fill(bytes, 2)
                    && let &[version, status] = gathered.bytes()
                {
                    gathered.clear();
                    if version != 1 && version != 5 {
                        return Err("no answer to credentials");
                    }
                    if status == 0 { self.server = Server::Reply5 } else { self.replied(false, None, 0, events) }
                }
            }
            Server::Reply5 => {
                if let Some((code, bound, port)) = message5(gathered, bytes)? {
                    let accepted = code == 0;
                    self.replied(accepted, accepted.then_some(bound), port, events);
                }
            }
            Server::Tunnel => {
                if let Some(tunnel) = &mut self.tunnel {
                    tunnel.feed(Side::Server, bytes, events);
                }
                *bytes = &[];
            }
        }
        Ok(())
    }

    fn replied(&mut self, accepted: bool, bound: Option<Target>, port: u16, events: &mut Vec<Event>) {
        events.push(Event::SocksReply { command: self.command, accepted, bound, port });
        if !accepted {
            // The proxy closes now (RFC 1928, 6); whatever the client sent ahead went nowhere.
            self.failed = true;
            return;
        }
        if self.command == SocksCommand::Bind && !self.listens {
            // It is answered again when the connection comes in. What runs over that is not read.
            self.listens = true;
            return;
        }
        self.server = Server::Tunnel;
        self.gathered[1].release();
    }
}

/// A request or reply of version 5: its code, address and port.
fn message5(gathered: &mut Gather, bytes: &mut &[u8]) -> Result<Option<(u8, Target, u16)>, &'static str> {
    // The fifth byte is the first of an address, or a name's length.
    if !gathered.fill(bytes, 5) {
        return Ok(None);
    }
    let (kind, name) = (gathered.bytes()[3], usize::from(gathered.bytes()[4]));
    if gathered.bytes()[0] != 5 || gathered.bytes()[2] != 0 {
        return Err("a message that is not of version 5");
    }
    let (start, length) = match kind {
        1 => (4, 4),
        3 => (5, name),
        4 => (4, 16),
        _ => return Err("an address of a kind that does not exist"),
    };
    if !gathered.fill(bytes, start + length + 2) {
        return Ok(None);
    }
    let code = gathered.bytes()[1];
    let mut reader = Reader(&gathered.bytes()[start..]);
    let (address, port) = (reader.take(length).unwrap_or_default(), reader.u16().unwrap_or_default());
    let target = match kind {
        1 => Target::of_v4(address),
        4 => Target::of_v6(address),
        _ => Some(Target::of_text(address)),
    };
    gathered.clear();
    Ok(target.map(|target| (code, target, port)))
}

/// Skips text up to and with its NUL, of which `read` bytes came before; whether it has ended.
fn until_nul(bytes: &mut &[u8], read: u16, go_on: impl FnOnce(u16)) -> Result<bool, &'static str> {
    let end = bytes.iter().position(|&byte| byte == 0);
    let length = usize::from(read) + end.unwrap_or(bytes.len());
    if length > usize::from(SOCKS_NAME) {
        return Err("a user id without end");
    }
    *bytes = &bytes[end.map_or(bytes.len(), |end| end + 1)..];
    if end.is_none() {
        go_on(length as u16);
    }
    Ok(end.is_some())
}
