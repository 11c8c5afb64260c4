//! The IPv6 header and its extension headers (RFC 8200).

use super::decoder::Context;
use super::fragment::{Key, Piece};
use super::walk::{Ip, Next, Step, Stop, Walk, be16, be32, saturated};
use super::{Address, ipv4, transport};

const HEADER: usize = 40;
/// Most extension headers of one packet; real ones have up to four, those of scanners dozens.
const EXTENSIONS: usize = 256;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;
/// RFC 6275, 6.3.
const HOME_ADDRESS: u8 = 201;

/// The fixed header.
pub(super) fn header(cx: &mut Context, walk: &mut Walk) -> Step {
    let Some((header, source, destination)) = fields(walk.captured()) else {
        return Err(walk.malformed("IPv6", HEADER, "fixed header"));
    };
    let protocol = header[6];
    let total = match usize::from(be16(header, 4)) {
        // Jumbograms have it in a hop-by-hop option (RFC 2675, 3); network cards fill it in for the segments they cut.
        0 if !matches!(protocol, HOP_BY_HOP | transport::TCP | transport::UDP) => HEADER,
        0 => ipv4::length(cx, walk, 0, "IPv6")?,
        payload => ipv4::length(cx, walk, payload + HEADER, "IPv6")?,
    };
    let ip = Ip {
        source: Address::from_v6(*source),
        destination: Address::from_v6(*destination),
        version: 6,
        protocol,
        length: saturated(total),
        id: 0,
        hop_limit: header[7],
    };
    walk.end = walk.at + total;
    walk.at += HEADER;
    Ok(Next::Payload(ip))
}

fn fields(bytes: &[u8]) -> Option<(&[u8; 8], &[u8; 16], &[u8; 16])> {
    let (header, rest) = bytes.split_first_chunk::<8>()?;
    let (source, rest) = rest.split_first_chunk::<16>()?;
    Some((header, source, rest.first_chunk::<16>()?))
}

/// Walks the extension headers; IPv4 knows only AH of them. A header that is cut ends the way: the packet is handed
/// out with that header's number as its protocol.
pub(super) fn extensions(cx: &mut Context, walk: &mut Walk, mut ip: Ip) -> Stop {
    for _ in 0..EXTENSIONS {
        let known = match ip.protocol {
            AUTHENTICATION => true,
            HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION | MOBILITY | HIP | SHIM6 => ip.version == 6,
            _ => false,
        };
        if !known {
            return transport::packet(cx, walk, &ip);
        }
        let Some(&[next, units]) = walk.peek::<2>() else {
            return transport::cut(cx, walk, &ip, 8);
        };
        let length = match ip.protocol {
            FRAGMENT => 8,
            // RFC 4302, 2.2: in units of four bytes, less two.
            AUTHENTICATION => (usize::from(units) + 2) * 4,
            _ => (usize::from(units) + 1) * 8,
        };
        let Some(extension) = walk.captured().get(..length) else {
            return transport::cut(cx, walk, &ip, length);
        };
        match ip.protocol {
            FRAGMENT => {
                let Some(header) = extension.first_chunk::<8>() else { return transport::cut(cx, walk, &ip, length) };
                let flags = be16(header, 2);
                // Atomic fragments (RFC 6946) are whole packets: no offset, no more.
                if flags & 0xfff9 != 0 {
                    return fragment(cx, walk, ip, next, flags, be32(header, 4));
                }
            }
            ROUTING => ip.destination = last_stop(extension).unwrap_or(ip.destination),
            DESTINATION => ip.source = home_address(extension).unwrap_or(ip.source),
            MOBILITY | HIP | SHIM6 if next == NO_NEXT_HEADER => return transport::packet(cx, walk, &ip),
            _ => {}
        }
        walk.at += length;
        ip.protocol = next;
    }
    walk.malformed("IPv6 extension headers", 8, "chain, which is too long")
}

fn fragment(cx: &mut Context, walk: &mut Walk, mut ip: Ip, next: u8, flags: u16, id: u32) -> Stop {
    let unfragmentable = ip.length.saturating_sub(saturated(walk.on_wire()));
    walk.at += 8;
    ip.protocol = next;
    let piece = Piece {
        // RFC 8200, 4.5: the next header may differ between fragments, so it is no part of the key.
        key: Key { source: ip.source, destination: ip.destination, id, version: 6, protocol: 0 },
        ip,
        header_len: unfragmentable,
        offset: u32::from(flags & 0xfff8),
        last: flags & 1 == 0,
    };
    cx.fragment(walk, &piece)
}

/// The last address of a source route that is not used up: types 0 (RFC 2460, 4.4), 2 (RFC 6275, 6.4) and 4 (RFC 8754),
/// whose list runs backwards.
fn last_stop(extension: &[u8]) -> Option<Address> {
    let &[_, units, kind, left, ..] = extension else { return None };
    if left == 0 {
        return None;
    }
    let addresses = usize::from(units) / 2;
    let place = match kind {
        0 | 2 => addresses.checked_sub(1)?,
        4 => 0,
        _ => return None,
    };
    let address = extension.get(8 + place * 16..)?.first_chunk::<16>()?;
    Some(Address::from_v6(*address))
}

/// The address a mobile node is known by.
fn home_address(extension: &[u8]) -> Option<Address> {
    let mut options = extension.get(2..)?;
    loop {
        match *options {
            [0, ref rest @ ..] => options = rest,
            [HOME_ADDRESS, 16, ref rest @ ..] => return rest.first_chunk().map(|bytes| Address::from_v6(*bytes)),
            [_, length, ref rest @ ..] => options = rest.get(usize::from(length)..)?,
            _ => return None,
        }
    }
}
