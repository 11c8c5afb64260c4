//! HTTP proxies: CONNECT and what runs through the tunnel (RFC 9110, 9.3.6; RFC 9112).

use super::conversation::Nesting;
use super::event::{Event, Side};
use super::host::Target;
use super::line::Lines;
use super::sample::Sample;
use super::tunnel::Tunnel;

/// Header lines of one message (`HTTP_HEADERS`); past it nothing more is read.
pub const HTTP_HEADERS: u32 = 256;

/// The header whose value holds credentials.
const PROXY_AUTHORIZATION: &[u8] = b"proxy-authorization:";

/// A connection to an HTTP proxy.
#[derive(Debug)]
pub(super) struct HttpConnect {
    nesting: Nesting,
    request: Request,
    request_lines: Lines,
    response: Response,
    response_lines: Lines,
    /// Header lines of the current request and response.
    headers: [u32; 2],
    tunnel: Option<Tunnel>,
    /// Where the tunnel leads that was asked for last; none before the first request.
    place: Option<(Target, u16)>,
    ended: bool,
}

/// What the client's next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Line,
    Headers {
        connect: bool,
    },
    /// The tunnel's, unless the proxy has refused it.
    Tunnel,
}

/// What the proxy's next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Response {
    Line,
    Headers {
        status: u16,
        body: Body,
    },
    /// So many bytes of a body.
    Bytes(u64),
    ChunkSize,
    /// So many bytes of a chunk and the end of line after it.
    Chunk(u64),
    Trailers,
    /// A body that only the end of the connection ends.
    Rest,
    Tunnel,
}

/// How a response's body ends (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Length(u64),
    Chunked,
    Close,
}

impl HttpConnect {
    /// From the first byte of a connection.
    pub(super) fn new(nesting: Nesting) -> HttpConnect {
        HttpConnect {
            nesting,
            request: Request::Line,
            request_lines: Lines::header(secret),
            response: Response::Line,
            response_lines: Lines::header(|_| false),
            headers: [0; 2],
            tunnel: None,
            place: None,
            ended: false,
        }
    }

    /// Takes the next bytes of one direction.
    pub(super) fn feed(&mut self, from: Side, mut bytes: &[u8], events: &mut Vec<Event>) {
        while !bytes.is_empty() && !self.done() {
            match from {
                Side::Client => self.client(&mut bytes, events),
                Side::Server => self.server(&mut bytes, events),
            }
        }
    }

    /// Bytes of one direction are missing.
    pub(super) fn gap(&mut self, from: Side, events: &mut Vec<Event>) {
        match (&mut self.tunnel, from, self.request, self.response) {
            (Some(tunnel), Side::Client, Request::Tunnel, _) | (Some(tunnel), Side::Server, _, Response::Tunnel) => {
                tunnel.gap(from, events);
            }
            (_, Side::Server, _, Response::Rest) => {}
            _ if self.ended => {}
            _ => {
                self.ended = true;
                events.push(Event::Lost { protocol: "http" });
            }
        }
    }

    /// Nothing more can come.
    pub(super) fn done(&self) -> bool {
        self.ended || self.response == Response::Tunnel && self.tunnel.as_ref().is_some_and(Tunnel::done)
    }

    /// As [`Tunnel::held_memory`].
    pub(super) fn held_memory(&self) -> usize {
        self.tunnel.as_ref().map_or(0, Tunnel::held_memory)
    }

    /// As [`Tunnel::samples`].
    pub(super) fn samples(&self) -> Option<&[Sample; 2]> {
        self.tunnel.as_ref()?.samples()
    }

    fn tunnel(&mut self) -> &mut Tunnel {
        let HttpConnect { place, nesting, tunnel, .. } = self;
        tunnel.get_or_insert_with(|| match place {
            Some((target, port)) => nesting.tunnel(target, *port),
            None => nesting.tunnel(&Target::Name(String::new()), 0),
        })
    }

    fn fail(&mut self, what: &'static str, events: &mut Vec<Event>) {
        self.ended = true;
        events.push(Event::ProtocolError { protocol: "http", what });
    }

    fn client(&mut self, bytes: &mut &[u8], events: &mut Vec<Event>) {
        if self.request == Request::Tunnel {
            // No protocol that is looked for in a tunnel begins with a C: another try after a refusal that
            // was captured late, or not at all.
            if self.response == Response::Tunnel || self.tunnel.is_some() || bytes.first() != Some(&b'C') {
                self.tunnel().feed(Side::Client, bytes, events);
                *bytes = &[];
                return;
            }
            self.request = Request::Line;
        }
        if !self.request_lines.take(bytes) {
            return;
        }
        match self.request {
            Request::Line => self.request_line(events),
            Request::Headers { connect } => self.request_header(connect, events),
            Request::Tunnel => {}
        }
        self.request_lines.next();
    }

    fn request_line(&mut self, events: &mut Vec<Event>) {
        let line = self.request_lines.line();
        // Empty lines before a request are to be ignored (RFC 9112, 2.2).
        if line.is_empty() {
            return;
        }
        let mut words = line.split(|&byte| byte == b' ');
        let (method, place, version) = (words.next(), words.next().unwrap_or_default(), words.next());
        if !version.is_some_and(|version| version.starts_with(b"HTTP/")) {
            self.fail("the first line is no request", events);
            return;
        }
        let connect = method == Some(b"CONNECT");
        if connect {
            let Some((target, port)) = authority(place) else {
                self.fail("CONNECT without host and port", events);
                return;
            };
            self.place = Some((target.clone(), port));
            events.push(Event::HttpConnect { target, port });
        } else {
            events.push(Event::HttpOther);
        }
        self.request = Request::Headers { connect };
        self.headers[0] = 0;
    }

    fn request_header(&mut self, connect: bool, events: &mut Vec<Event>) {
        let line = self.request_lines.line();
        if line.is_empty() {
            if connect {
                self.request = Request::Tunnel;
            } else {
                self.ended = true;
            }
            return;
        }
        if let Some(scheme) = value_of(line, PROXY_AUTHORIZATION) {
            let word = scheme.split(|&byte| byte == b' ').next().unwrap_or_default();
            events.push(Event::ProxyAuthorization { basic: word.eq_ignore_ascii_case(b"basic") });
        }
        self.count_header(0, events);
    }

    fn count_header(&mut self, side: usize, events: &mut Vec<Event>) {
        self.headers[side] += 1;
        if self.headers[side] > HTTP_HEADERS {
            self.ended = true;
            events.push(Event::Limit { name: "HTTP_HEADERS" });
        }
    }

    fn server(&mut self, bytes: &mut &[u8], events: &mut Vec<Event>) {
        match self.response {
            Response::Tunnel => {
                self.tunnel().feed(Side::Server, bytes, events);
                *bytes = &[];
            }
            Response::Rest => *bytes = &[],
            Response::Bytes(left) => {
                let left = skip(bytes, left);
                self.response = if left == 0 { Response::Line } else { Response::Bytes(left) };
            }
            Response::Chunk(left) => {
                let left = skip(bytes, left);
                self.response = if left == 0 { Response::ChunkSize } else { Response::Chunk(left) };
            }
            Response::Line | Response::Headers { .. } | Response::ChunkSize | Response::Trailers => {
                if self.response_lines.take(bytes) {
                    self.response_line(events);
                    self.response_lines.next();
                }
            }
        }
    }

    fn response_line(&mut self, events: &mut Vec<Event>) {
        let line = self.response_lines.line();
        match self.response {
            Response::Line if line.is_empty() => {}
            Response::Line => match status(line) {
                Some(status) => {
                    self.headers[1] = 0;
                    self.response = Response::Headers { status, body: Body::Close };
                }
                None => self.fail("the answer is no HTTP response", events),
            },
            Response::Headers { status, body } if line.is_empty() => self.response_begins(status, body, events),
            Response::Headers { status, body } => {
                // Chunks win over a length (RFC 9112, 6.3).
                let body = if body == Body::Chunked { body } else { body_said(line).unwrap_or(body) };
                self.response = Response::Headers { status, body };
                self.count_header(1, events);
            }
            Response::ChunkSize => match chunk_size(line) {
                Some(0) => self.response = Response::Trailers,
                // The chunk is followed by an end of line.
                Some(size) => self.response = Response::Chunk(size.saturating_add(2)),
                None => self.fail("a chunk without length", events),
            },
            Response::Trailers if line.is_empty() => self.response = Response::Line,
            _ => self.count_header(1, events),
        }
    }

    /// The header of a response is whole.
    fn response_begins(&mut self, status: u16, body: Body, events: &mut Vec<Event>) {
        if status < 200 {
            self.response = Response::Line;
            return;
        }
        events.push(Event::HttpConnectReply { status });
        if status < 300 {
            self.response = Response::Tunnel;
            self.tunnel();
            return;
        }
        self.tunnel = None;
        if self.request == Request::Tunnel {
            self.request = Request::Line;
        }
        self.response = match body {
            Body::Length(0) => Response::Line,
            Body::Length(length) => Response::Bytes(length),
            Body::Chunked => Response::ChunkSize,
            Body::Close => Response::Rest,
        };
    }
}

/// Whether the rest of a header line behind these words is a secret: the credentials after their scheme.
fn secret(line: &[u8]) -> bool {
    value_of(line, PROXY_AUTHORIZATION).is_some_and(|value| !value.is_empty())
}

/// The value of a header line when it has that name (lower case, with its colon).
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// Host and port of a CONNECT request.
fn authority(text: &[u8]) -> Option<(Target, u16)> {
    let colon = text.iter().rposition(|&byte| byte == b':')?;
    let (host, port) = (&text[..colon], &text[colon + 1..]);
    let port = std::str::from_utf8(port).ok().filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))?;
    if host.is_empty() { None } else { Some((Target::of_text(host), port.parse().ok().filter(|&port| port != 0)?)) }
}

/// The status code of a response's first line.
fn status(line: &[u8]) -> Option<u16> {
    let code = line.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(1..5))?;
    let code = std::str::from_utf8(code.strip_prefix(b" ")?).ok()?.parse().ok()?;
    (100..600).contains(&code).then_some(code)
}

/// What a header line of a response says of its body.
fn body_said(line: &[u8]) -> Option<Body> {
    if let Some(value) = value_of(line, b"content-length:") {
        return std::str::from_utf8(value).ok()?.parse().ok().map(Body::Length);
    }
    let coding = value_of(line, b"transfer-encoding:")?;
    coding.to_ascii_lowercase().ends_with(b"chunked").then_some(Body::Chunked)
}

/// The length in front of a chunk, without its extensions.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|&byte| byte == b';').next()?.trim_ascii();
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Drops up to `count` bytes; returns how many are left to drop.
fn skip(bytes: &mut &[u8], count: u64) -> u64 {
    let here = count.min(bytes.len() as u64);
    *bytes = &bytes[here as usize..];
    count - here
}
