//! Link types (LINKTYPE_ numbers of the tcpdump group) to the first header after them.

use super::outcome::NotIp;
use super::packet_tap::inner_link_type;
use super::walk::{Next, Step, Stop, Walk, be16};
use super::{dot11, erf, packet_tap, ppp};

/// LINKTYPE_ETHERNET.
pub const ETHERNET: u16 = 1;
const PRISM: u16 = 119;
const AVS: u16 = 163;

/// Linux' protocol number of a frame that begins with LLC.
const COOKED_LLC: u16 = 4;

/// The first step into a frame of this link type.
pub(super) fn start(walk: &mut Walk, link_type: u16) -> Step {
    match link_type {
        ETHERNET => Ok(Next::Ethernet),
        0 | 108 => family(walk),
        6 => token_ring(walk),
        12 | 14 | 101 | 228 | 229 => Ok(Next::Ip),
        8 => skip_to_ip(walk, 16, "SLIP"),
        10 => fddi(walk),
        9 | 50 => ppp::hdlc(walk),
        51 => {
            walk.take::<6>("PPPoE")?;
            Ok(Next::Ppp)
        }
        // The older number is what some systems call it themselves.
        11 | 100 => Ok(Next::Llc),
        104 => ppp::cisco(walk),
        105 => Ok(Next::Dot11),
        106 => Ok(classical_atm(walk)),
        107 => frame_relay(walk),
        109 => skip_to_ip(walk, 12, "encrypted interface header"),
        113 => cooked(walk),
        117 => packet_filter_log(walk),
        123 => sun_atm(walk),
        138 => typed(walk, "IEEE 1394", 16),
        166 => {
            walk.take::<2>("PPP direction and control")?;
            Ok(Next::Ppp)
        }
        197 => erf::record(walk),
        226 => skip_to_ip(walk, 24, "Solaris ipnet"),
        240 => {
            walk.take::<4>("netANALYZER")?;
            Ok(Next::Ethernet)
        }
        281 => typed(walk, "Broadcom tag", 16),
        282 => {
            walk.take::<4>("Broadcom tag")?;
            Ok(Next::Ethernet)
        }
        284 => typed(walk, "DSA tag", 16),
        285 => typed(walk, "DSA tag with Ethernet type", 20),
        276 => cooked2(walk),
        PRISM | AVS => dot11::prism(walk),
        127 => dot11::radiotap(walk),
        149 | 258 => packet_tap::step(walk),
        192 => per_packet_information(walk),
        204 => {
            walk.take::<1>("PPP direction")?;
            Ok(Next::Ppp)
        }
        239 => netfilter_log(walk),
        _ => Err(Stop::UnsupportedLinkType(link_type)),
    }
}

fn skip_to_ip(walk: &mut Walk, count: usize, layer: &'static str) -> Step {
    walk.skip(layer, count, "fixed header")?;
    Ok(Next::Ip)
}

/// An Ethernet type behind `count` bytes.
fn typed(walk: &mut Walk, layer: &'static str, count: usize) -> Step {
    walk.skip(layer, count, "fixed header")?;
    Ok(Next::EtherType(be16(walk.take::<2>(layer)?, 0)))
}

/// Token ring (IEEE 802.5): LLC in frames of type 01; the source's highest bit says that a route follows.
fn token_ring(walk: &mut Walk) -> Step {
    const ROUTED: u8 = 0x80;
    const ROUTE_LENGTH: u8 = 0x1f;
    let header = *walk.take::<14>("token ring")?;
    if header[1] & 0xc0 != 0x40 {
        return Err(Stop::NotIp(NotIp::LinkControl, 0));
    }
    if header[8] & ROUTED != 0 {
        let length = walk.peek::<1>().map_or(0, |[control]| usize::from(control & ROUTE_LENGTH));
        walk.skip("token ring route", length.max(2), "route length")?;
    }
    Ok(Next::Llc)
}

/// Classical IP over ATM (RFC 2225): behind LLC, or on Linux without.
fn classical_atm(walk: &Walk) -> Next {
    match walk.peek::<1>() {
        Some([0xaa]) => Next::Llc,
        _ => Next::Ip,
    }
}

/// SunATM: flags with the traffic's kind, and the circuit.
fn sun_atm(walk: &mut Walk) -> Step {
    const KIND: u8 = 0x0f;
    const LLC: u8 = 2;
    match walk.take::<4>("SunATM")?[0] & KIND {
        LLC => Ok(Next::Llc),
        _ => Err(Stop::NotIp(NotIp::Other, 0)),
    }
}

/// The log of BSD's packet filter: its own length, without the padding to four bytes, comes first.
fn packet_filter_log(walk: &mut Walk) -> Step {
    const SMALLEST: usize = 4;
    let length = walk.peek::<1>().map_or(0, |[length]| usize::from(*length));
    walk.skip("packet filter log", length.next_multiple_of(4).max(SMALLEST), "header length")?;
    Ok(Next::Ip)
}

/// BSD loopback: an address family in the byte order of the machine that captured, whose numbers for IPv6 differ.
fn family(walk: &mut Walk) -> Step {
    let bytes = *walk.take::<4>("loopback")?;
    match (u32::from_be_bytes(bytes), u32::from_le_bytes(bytes)) {
        (2 | 10 | 23 | 24 | 28 | 30, _) | (_, 2 | 10 | 23 | 24 | 28 | 30) => Ok(Next::Ip),
        // Not by any standard, but written: Cisco HDLC under this link type.
        _ if ppp::is_cisco(bytes[0]) => Ok(Next::EtherType(u16::from_be_bytes([bytes[2], bytes[3]]))),
        _ => Err(Stop::NotIp(NotIp::Other, 0)),
    }
}

/// FDDI: only LLC frames (frame control 0101 0xxx) carry protocols.
fn fddi(walk: &mut Walk) -> Step {
    let header = walk.take::<13>("FDDI")?;
    if header[0] & 0xf0 == 0x50 { Ok(Next::Llc) } else { Err(Stop::NotIp(NotIp::LinkControl, 0)) }
}

/// Linux cooked capture, version 1: the protocol is an Ethernet type or one of Linux' small numbers.
fn cooked(walk: &mut Walk) -> Step {
    let header = walk.take::<16>("Linux cooked v1")?;
    cooked_protocol(be16(header, 2), be16(header, 14))
}

/// Linux cooked capture, version 2.
fn cooked2(walk: &mut Walk) -> Step {
    let header = walk.take::<20>("Linux cooked v2")?;
    cooked_protocol(be16(header, 8), be16(header, 0))
}

fn cooked_protocol(hardware: u16, protocol: u16) -> Step {
    const NETLINK: u16 = 824;
    const RADIOTAP: u16 = 803;
    match (hardware, protocol) {
        (NETLINK, _) => Err(Stop::NotIp(NotIp::Other, 0)),
        (RADIOTAP, _) => Ok(Next::LinkType(127)),
        (_, COOKED_LLC) => Ok(Next::Llc),
        (_, 0..=0x05ff) => Err(Stop::NotIp(NotIp::Other, protocol)),
        (_, ethertype) => Ok(Next::EtherType(ethertype)),
    }
}

/// Frame relay's control field of unnumbered information.
const UNNUMBERED: u8 = 0x03;

/// Frame relay (RFC 2427): an address of 2 to 4 bytes whose last has its lowest bit set, then a protocol identifier.
fn frame_relay(walk: &mut Walk) -> Step {
    let address = *walk.take::<2>("frame relay")?;
    if address[1] & 1 == 0 {
        let [third] = *walk.take::<1>("frame relay")?;
        if third & 1 == 0 {
            walk.take::<1>("frame relay")?;
        }
    }
    match *walk.take::<2>("frame relay")? {
        [UNNUMBERED, 0xcc | 0x8e] => Ok(Next::Ip),
        [UNNUMBERED, identifier] => {
            // A zero pads the header to an even length.
            let identifier = if identifier == 0 { walk.take::<1>("frame relay")?[0] } else { identifier };
            if identifier != 0x80 {
                return Err(Stop::NotIp(NotIp::Llc, 0));
            }
            let snap = walk.take::<5>("SNAP")?;
            match snap {
                [0, 0, 0, ..] => Ok(Next::EtherType(be16(snap, 3))),
                [0x00, 0x80, 0xc2, 0x00, 0x01 | 0x07] => Ok(Next::Ethernet),
                _ => Err(Stop::NotIp(NotIp::Llc, 0)),
            }
        }
        // Cisco's own framing: an Ethernet type at once.
        ethertype => Ok(Next::EtherType(u16::from_be_bytes(ethertype))),
    }
}

/// Per-Packet Information: version, flags, length, link type of what follows, all little-endian.
fn per_packet_information(walk: &mut Walk) -> Step {
    const SMALLEST: usize = 8;
    let Some(header) = walk.peek::<SMALLEST>() else {
        return Err(walk.malformed("PPI", SMALLEST, "fixed header"));
    };
    let length = usize::from(u16::from_le_bytes([header[2], header[3]]));
    let link_type = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    walk.skip("PPI", SMALLEST.max(length), "header length")?;
    inner_link_type(link_type)
}

/// Linux netfilter log: attributes in the byte order of the machine that captured; one of them is the packet.
fn netfilter_log(walk: &mut Walk) -> Step {
    const PACKET: u16 = 9;
    walk.take::<4>("netfilter log")?;
    while let Some(&[l0, l1, t0, t1]) = walk.peek::<4>() {
        // Attribute types are small, so the zero byte tells the order.
        let (length, kind) = if t1 == 0 {
            (u16::from_le_bytes([l0, l1]), u16::from(t0))
        } else {
            (u16::from_be_bytes([l0, l1]), u16::from_be_bytes([t0, t1]))
        };
        let length = usize::from(length);
        if length < 4 {
            return Err(walk.malformed("netfilter log attribute", 4, "attribute length"));
        }
        if kind == PACKET {
            walk.take::<4>("netfilter log attribute")?;
            return Ok(Next::Ip);
        }
        walk.skip("netfilter log attribute", length.next_multiple_of(4), "attribute length")?;
    }
    Err(Stop::NotIp(NotIp::Other, 0))
}
