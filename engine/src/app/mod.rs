//! Payload bytes to typed events: what application protocols say that an audit needs to know.
//!
//! [`Reassembler`] puts one direction of a TCP flow in order; a [`Conversation`] reads both directions and appends
//! [`Event`]s; [`dns::message`] and [`relay::datagram`] read a datagram; [`Sample`] measures payload that nobody parses. All of it is pure: no
//! flow table, no clock, no input or output. The bytes are hostile: nothing panics, every buffer has a named limit, time
//! is linear in the bytes. No secret is stored: passwords are skipped byte by byte, never gathered.

pub mod conversation;
pub mod dns;
mod event;
mod ftp;
mod gather;
mod host;
mod http;
mod line;
mod reader;
mod reassembly;
pub mod relay;
mod sample;
mod secret;
mod socks;
#[cfg(test)]
mod tests;
mod tls;
mod tunnel;

pub use conversation::{APP_DEPTH, Conversation, Expected, Kind};
pub use event::{Event, Mechanism, Side, SocksCommand, Verb};
pub use ftp::{FTP_BAD_LINES, FTP_PENDING, FTP_REPLY_LINES};
pub use host::Target;
pub use http::HTTP_HEADERS;
pub use line::LINE_BYTES;
pub use reassembly::{Piece, REASSEMBLY_BYTES, REASSEMBLY_SEGMENTS, Reassembler};
pub use sample::{SAMPLE_BYTES, Sample};
pub use tls::TLS_HELLO;
