//! The way through one frame, header by header.

use super::outcome::{LayerError, NotIp};
use super::{Address, Encapsulation, encapsulation};

/// Most headers looked at in one frame. A frame that has more is nobody's traffic.
pub(super) const LAYERS: usize = 64;

/// Where the decoder stands in a frame, and what it passed.
#[derive(Clone, Copy, Default)]
pub(super) struct Walk<'a> {
    /// The captured bytes: of the frame, or of rebuilt datagrams.
    pub data: &'a [u8],
    /// Where the next header begins; never beyond `end`.
    pub at: usize,
    /// Where the current layer ends on the wire, by the lengths seen so far; may lie beyond `data`.
    pub end: usize,
    pub vlan: u64,
    pub tunnel: u64,
    /// Tunnels passed.
    pub depth: u8,
    /// Whether a port number alone said that this is a tunnel: then every length has to fit.
    pub guessed: bool,
    pub time_ns: i64,
    pub reassembled: bool,
    /// Whether parts of a datagram were never seen, so that no checksum can be right.
    pub incomplete: bool,
}

/// The header that comes next.
#[derive(Clone, Copy)]
pub(super) enum Next {
    LinkType(u16),
    Ethernet,
    EtherType(u16),
    Llc,
    Ppp,
    Mpls,
    Dot11,
    /// An 802.11 body of several frames.
    Aggregate,
    Ip,
    /// Whatever follows an IP header: extension headers, then the transport.
    Payload(Ip),
}

/// What an IP header said.
#[derive(Clone, Copy, Default)]
pub(super) struct Ip {
    pub source: Address,
    pub destination: Address,
    pub version: u8,
    /// Of the header that comes next.
    pub protocol: u8,
    /// Of the whole packet.
    pub length: u32,
    /// IPv4 identification, 0 for IPv6.
    pub id: u16,
    pub hop_limit: u8,
}

/// Why the way ends.
pub(super) enum Stop {
    /// Packets were handed out, or a fragment was taken; where it made its datagram whole, that is now ready.
    Done,
    NotIp(NotIp, u16),
    UnsupportedLinkType(u16),
    BadHeaderChecksum,
    Malformed(LayerError),
}

pub(super) type Step = Result<Next, Stop>;

impl<'a> Walk<'a> {
    /// The captured bytes of the current layer.
    pub fn captured(&self) -> &'a [u8] {
        let end = self.end.min(self.data.len());
        self.data.get(self.at..end).unwrap_or_default()
    }

    /// Bytes of the current layer on the wire.
    pub fn on_wire(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// The next `N` bytes, without passing them.
    pub fn peek<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.captured().first_chunk()
    }

    /// The next `N` bytes, and passes them.
    pub fn take<const N: usize>(&mut self, layer: &'static str) -> Result<&'a [u8; N], Stop> {
        match self.peek() {
            Some(bytes) => {
                self.at += N;
                Ok(bytes)
            }
            None => Err(self.malformed(layer, N, "fixed header")),
        }
    }

    /// Passes `count` bytes, which have to be captured.
    pub fn skip(&mut self, layer: &'static str, count: usize, claimed_by: &'static str) -> Result<(), Stop> {
        if self.captured().len() < count {
            return Err(self.malformed(layer, count, claimed_by));
        }
        self.at += count;
        Ok(())
    }

    /// The error that `layer`, which begins here, does not fit.
    pub fn malformed(&self, layer: &'static str, needed: usize, claimed_by: &'static str) -> Stop {
        let available = self.captured().len();
        Stop::Malformed(LayerError {
            layer,
            needed: saturated(needed),
            available: saturated(available),
            claimed_by,
            offset: saturated(self.at),
        })
    }

    /// The way here, without the bytes.
    pub fn without_data(&self) -> Walk<'static> {
        let Walk { data: _, at, end, vlan, tunnel, depth, guessed, time_ns, reassembled, incomplete } = *self;
        Walk { data: &[], at, end, vlan, tunnel, depth, guessed, time_ns, reassembled, incomplete }
    }

    /// Notes an encapsulation in the path.
    pub fn inside(&mut self, encapsulation: Encapsulation) {
        self.tunnel = encapsulation::push(self.tunnel, encapsulation);
    }
}

/// A length or position as 32 bits; frames are far smaller.
pub(super) fn saturated(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Two bytes of a header, which the caller knows to be there.
#[inline]
pub(super) const fn be16<const N: usize>(header: &[u8; N], at: usize) -> u16 {
    u16::from_be_bytes([header[at], header[at + 1]])
}

/// Four bytes of a header, which the caller knows to be there.
#[inline]
pub(super) const fn be32<const N: usize>(header: &[u8; N], at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}
