//! The IPv4 header (RFC 791, 3.1).

use super::Address;
use super::checksum;
use super::decoder::Context;
use super::fragment::{Key, Piece};
use super::walk::{Ip, Next, Step, Stop, Walk, be16, saturated};

const SMALLEST: usize = 20;
const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// An IP header of the version its first nibble says, whatever announced it.
pub(super) fn any(cx: &mut Context, walk: &mut Walk) -> Step {
    match walk.peek::<1>().map(|[first]| first >> 4) {
        Some(4) => header(cx, walk),
        Some(6) => super::ipv6::header(cx, walk),
        Some(_) => Err(walk.malformed("IP", SMALLEST, "version, which is neither 4 nor 6")),
        None => Err(walk.malformed("IP", SMALLEST, "fixed header")),
    }
}

fn header(cx: &mut Context, walk: &mut Walk) -> Step {
    let Some(header) = walk.peek::<SMALLEST>() else {
        return Err(walk.malformed("IPv4", SMALLEST, "fixed header"));
    };
    let header_len = usize::from(header[0] & 0x0f) * 4;
    if header_len < SMALLEST {
        return Err(walk.malformed("IPv4", SMALLEST, "header length, which is too small"));
    }
    let said = usize::from(be16(header, 2));
    if said > walk.on_wire() && !header_holds(walk, header_len) {
        return Err(walk.malformed("IPv4", said, "total length, which the header's checksum contradicts"));
    }
    let total = length(cx, walk, said, "IPv4")?;
    if total < header_len {
        return Err(walk.malformed("IPv4", header_len, "total length, which is smaller than the header"));
    }
    if cx.validate_checksums {
        let whole = walk.captured().get(..header_len);
        if whole.is_some_and(|bytes| !checksum::fits(checksum::sum(bytes))) {
            return Err(Stop::BadHeaderChecksum);
        }
    }
    let ip = Ip {
        source: Address::from_v4([header[12], header[13], header[14], header[15]]),
        destination: Address::from_v4([header[16], header[17], header[18], header[19]]),
        version: 4,
        protocol: header[9],
        length: saturated(total),
        id: be16(header, 4),
        hop_limit: header[8],
    };
    let flags = be16(header, 6);
    let id = u32::from(ip.id);
    walk.end = walk.at + total;
    walk.at += header_len;
    if flags & (MORE_FRAGMENTS | FRAGMENT_OFFSET) == 0 {
        return Ok(Next::Payload(ip));
    }
    let piece = Piece {
        key: Key { source: ip.source, destination: ip.destination, id, version: 4, protocol: ip.protocol },
        ip,
        header_len: saturated(header_len),
        offset: u32::from(flags & FRAGMENT_OFFSET) * 8,
        last: flags & MORE_FRAGMENTS == 0,
    };
    Err(cx.fragment(walk, &piece))
}

/// Whether the header checksum allows to believe the header: it fits, was left to the network card (0), or cannot be
/// looked at because the header is cut.
fn header_holds(walk: &Walk, header_len: usize) -> bool {
    walk.captured()
        .get(..header_len)
        .is_none_or(|bytes| bytes[10..12] == [0, 0] || checksum::fits(checksum::sum(bytes)))
}

/// The length of an IP packet whose header says `said`, 0 meaning that the sender left it to the network card.
///
/// More than the frame had on the wire is believed (some writers set the frame's length to what they kept), but not
/// where only a port number says that this is IP at all.
pub(super) fn length(cx: &mut Context, walk: &Walk, said: usize, layer: &'static str) -> Result<usize, Stop> {
    if said > walk.on_wire() {
        if walk.guessed {
            return Err(walk.malformed(layer, said, "total length"));
        }
        cx.counts.longer_than_frame += 1;
        return Ok(said);
    }
    if said == 0 {
        if walk.guessed {
            return Err(walk.malformed(layer, SMALLEST, "total length of 0"));
        }
        cx.counts.zero_length += 1;
        return Ok(walk.on_wire());
    }
    Ok(said)
}
