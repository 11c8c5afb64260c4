//! Apple's packet tap (LINKTYPE_PKTAP): a header before the link type's own, with the process that a packet belongs to.
//!
//! All fields are in the host's byte order, which is little-endian on every Mac that writes it. The layout is that of
//! `struct pktap_header` in Darwin's bsd/net/pktap.h.

use super::outcome::NotIp;
use super::walk::{Next, Step, Stop, Walk};

/// LINKTYPE_PKTAP, and LINKTYPE_USER2, under which older systems write it.
const LINK_TYPES: [u16; 2] = [258, 149];
/// Own length, record type, link type of what follows.
const SMALLEST: usize = 12;
const PACKET: u32 = 1;

/// Where the names stand: of the process, and of the one it acts for. Each is ended by a zero byte.
const COMMAND: usize = 56;
const EFFECTIVE_COMMAND: usize = 88;
const NAME: usize = 17;

/// Whether frames of that link type begin with the header.
#[must_use]
pub fn is_packet_tap(link_type: u16) -> bool {
    LINK_TYPES.contains(&link_type)
}

/// The name of the process that a frame belongs to: the one that another acts for, where there is one. Empty: not told.
#[must_use]
pub fn packet_tap_process(bytes: &[u8]) -> &[u8] {
    let Some(header) = bytes.first_chunk() else { return &[] };
    let [length, record, _] = fields(header);
    let header = bytes.get(..length as usize).unwrap_or_default();
    let name = |at: usize| {
        let field = header.get(at..at + NAME).unwrap_or_default();
        field.split(|&byte| byte == 0).next().unwrap_or_default()
    };
    match (record, name(EFFECTIVE_COMMAND)) {
        (PACKET, []) => name(COMMAND),
        (PACKET, effective) => effective,
        _ => &[],
    }
}

/// Passes the header; the link type of what follows.
pub(super) fn step(walk: &mut Walk) -> Step {
    let Some(header) = walk.peek::<SMALLEST>() else {
        return Err(walk.malformed("packet tap", SMALLEST, "fixed header"));
    };
    let [length, record, link_type] = fields(header);
    if record != PACKET {
        return Err(Stop::NotIp(NotIp::Other, 0));
    }
    walk.skip("packet tap", SMALLEST.max(length as usize), "header length")?;
    inner_link_type(link_type)
}

fn fields(header: &[u8; SMALLEST]) -> [u32; 3] {
    [0, 4, 8].map(|at| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]))
}

/// Headers that name a link type again are followed only into types that cannot do the same.
pub(super) fn inner_link_type(link_type: u32) -> Step {
    match u16::try_from(link_type) {
        Ok(number) if !matches!(number, 149 | 192 | 258) => Ok(Next::LinkType(number)),
        _ => Err(Stop::UnsupportedLinkType(link_type.min(u32::from(u16::MAX)) as u16)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(length: u32, record: u32, command: &[u8], effective: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 108];
        for (at, value) in [(0, length), (4, record), (8, 1)] {
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        bytes[COMMAND..COMMAND + command.len()].copy_from_slice(command);
        bytes[EFFECTIVE_COMMAND..EFFECTIVE_COMMAND + effective.len()].copy_from_slice(effective);
        bytes
    }

    #[test]
    fn the_process_that_another_acts_for_is_named() {
        assert_eq!(packet_tap_process(&header(108, 1, b"curl", b"")), b"curl");
        assert_eq!(packet_tap_process(&header(108, 1, b"nsurlsessiond", b"rbclient")), b"rbclient");
        assert_eq!(packet_tap_process(&header(108, 1, b"abcdefghijklmnopqrstuvw", b"")), b"abcdefghijklmnopq");
    }

    #[test]
    fn short_headers_and_other_records_name_nobody() {
        assert_eq!(packet_tap_process(&header(40, 1, b"curl", b"")), b"");
        assert_eq!(packet_tap_process(&header(u32::MAX, 1, b"curl", b"")), b"");
        assert_eq!(packet_tap_process(&header(108, 2, b"curl", b"")), b"");
        assert_eq!(packet_tap_process(&header(108, 1, b"curl", b"")[..60]), b"");
        assert_eq!(packet_tap_process(b""), b"");
    }
}
