//! PPP (RFC 1661, 1662), `PPPoE` (RFC 2516), multilink (RFC 1990) and Cisco HDLC.

use super::Encapsulation;
use super::outcome::NotIp;
use super::walk::{Next, Step, Stop, Walk, be16};

const ADDRESS_AND_CONTROL: [u8; 2] = [0xff, 0x03];
const IPV4: u16 = 0x0021;
const IPV6: u16 = 0x0057;
const MULTILINK: u16 = 0x003d;
const MPLS: u16 = 0x0281;
/// Begin and end: a packet in one piece.
const MULTILINK_WHOLE: u8 = 0xc0;
/// Cisco HDLC's unicast and broadcast addresses.
const CISCO: [u8; 2] = [0x0f, 0x8f];

/// A PPP frame; address and control, and the upper byte of the protocol, may be left out.
pub(super) fn frame(walk: &mut Walk) -> Step {
    if walk.peek::<2>() == Some(&ADDRESS_AND_CONTROL) {
        walk.take::<2>("PPP")?;
    }
    let [first] = *walk.take::<1>("PPP")?;
    let protocol = if first & 1 == 1 {
        u16::from(first)
    } else {
        u16::from(first) << 8 | u16::from(walk.take::<1>("PPP protocol")?[0])
    };
    match protocol {
        IPV4 | IPV6 => Ok(Next::Ip),
        MPLS => Ok(Next::Mpls),
        MULTILINK => match walk.take::<4>("PPP multilink")?[0] & MULTILINK_WHOLE {
            MULTILINK_WHOLE => Ok(Next::Ppp),
            _ => Err(Stop::NotIp(NotIp::PppControl, 0)),
        },
        _ => Err(Stop::NotIp(NotIp::PppControl, 0)),
    }
}

/// The session stage after its Ethernet type.
pub(super) fn pppoe(walk: &mut Walk) -> Step {
    walk.take::<6>("PPPoE")?;
    walk.inside(Encapsulation::Pppoe);
    Ok(Next::Ppp)
}

/// Whether this first byte is an address of Cisco's framing.
pub(super) fn is_cisco(address: u8) -> bool {
    CISCO.contains(&address)
}

/// A synchronous line: Cisco's framing or PPP, told apart by the address.
pub(super) fn hdlc(walk: &mut Walk) -> Step {
    match walk.peek::<1>() {
        Some([address]) if is_cisco(*address) => cisco(walk),
        _ => frame(walk),
    }
}

/// Address, control, Ethernet type.
pub(super) fn cisco(walk: &mut Walk) -> Step {
    let header = walk.take::<4>("Cisco HDLC")?;
    match be16(header, 2) {
        0xfefe => Err(Stop::NotIp(NotIp::Llc, 0)),
        ethertype => Ok(Next::EtherType(ethertype)),
    }
}
