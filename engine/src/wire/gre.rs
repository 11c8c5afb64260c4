//! GRE (RFC 2784, 2890), its version 1 for PPTP (RFC 2637), and ERSPAN within it.

use super::ethernet;
use super::walk::{Next, Step, Walk, be16};
use super::{Encapsulation, ppp};

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
/// Version 1 only.
const ACKNOWLEDGEMENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;

const ERSPAN: u16 = 0x88be;
const ERSPAN_III: u16 = 0x22eb;
const PPP: u16 = 0x880b;
const WCCP: u16 = 0x883e;
/// Aruba's access points: 802.11 frames, the tunnel's number in the lower byte.
const ARUBA_FIRST: u16 = 0x8200;
const ARUBA_LAST: u16 = 0x82ff;
/// ERSPAN III: last byte of its header, an 8-byte subheader follows.
const ERSPAN_SUBHEADER: u8 = 0x01;
/// ERSPAN III: frame type in the byte before the last; 2 is IP without Ethernet.
const ERSPAN_FRAME_TYPE: u8 = 0x7c;
const ERSPAN_IP: u8 = 2;

/// The header and the step to what it carries.
pub(super) fn header(walk: &mut Walk) -> Step {
    let begin = *walk;
    let header = walk.take::<4>("GRE")?;
    let (flags, protocol) = (be16(header, 0), be16(header, 2));
    let version = flags & VERSION;
    if flags & ROUTING != 0 || version > 1 {
        return Err(begin.malformed("GRE", 4, "version or routing flag, which nobody uses"));
    }
    // Version 0 has the checksum and a reserved half-word here.
    let words = [CHECKSUM, KEY, SEQUENCE].into_iter().filter(|flag| flags & flag != 0).count();
    let words = words + usize::from(version == 1 && flags & ACKNOWLEDGEMENT != 0);
    walk.skip("GRE", words * 4, "flags")?;
    walk.inside(Encapsulation::Gre);
    match protocol {
        ERSPAN => erspan(walk, flags & SEQUENCE != 0),
        ERSPAN_III => erspan_3(walk),
        PPP => {
            walk.inside(Encapsulation::Ppp);
            ppp::frame(walk)
        }
        WCCP => {
            // Version 2 of the redirect protocol has four bytes before the IP header.
            if walk.peek::<1>().is_none_or(|[first]| first >> 4 != 4) {
                walk.take::<4>("WCCP redirect")?;
            }
            Ok(Next::Ip)
        }
        ARUBA_FIRST..=ARUBA_LAST => Ok(Next::Dot11),
        _ if protocol <= 1500 => Err(begin.malformed("GRE", 4, "protocol, which is no Ethernet type")),
        _ => ethernet::payload(walk, protocol),
    }
}

/// Type I has no header of its own and no GRE sequence number; type II has both.
fn erspan(walk: &mut Walk, second: bool) -> Step {
    if second {
        walk.take::<8>("ERSPAN II")?;
    }
    walk.inside(Encapsulation::Erspan);
    Ok(Next::Ethernet)
}

fn erspan_3(walk: &mut Walk) -> Step {
    let header = walk.take::<12>("ERSPAN III")?;
    if header[11] & ERSPAN_SUBHEADER != 0 {
        walk.take::<8>("ERSPAN III subheader")?;
    }
    walk.inside(Encapsulation::Erspan);
    match (header[10] & ERSPAN_FRAME_TYPE) >> 2 {
        ERSPAN_IP => Ok(Next::Ip),
        _ => Ok(Next::Ethernet),
    }
}
