//! Tunnels over UDP, known by a port number only: what follows has to fit, or it is no tunnel.

use super::walk::{Next, Step, Walk, be16};
use super::{Encapsulation, dot11, ethernet, gre};

const GTP_U: u16 = 2152;
const TEREDO: u16 = 3544;
const GRE_IN_UDP: u16 = 4754;
const VXLAN: u16 = 4789;
const AYIYA: u16 = 5072;
const CAPWAP_DATA: u16 = 5247;
const GENEVE: u16 = 6081;
/// Where Linux sent VXLAN before a number was assigned.
const VXLAN_OLD: u16 = 8472;
const TZSP: u16 = 37008;

/// Ports at which a tunnel may be.
pub const PORTS: [u16; 9] = [GTP_U, TEREDO, GRE_IN_UDP, VXLAN, AYIYA, CAPWAP_DATA, GENEVE, VXLAN_OLD, TZSP];

/// Whether a tunnel may be at this port.
#[inline]
pub(super) fn is_port(port: u16) -> bool {
    PORTS.contains(&port)
}

/// How to begin reading the tunnel at this port.
pub(super) fn at(port: u16) -> Option<fn(&mut Walk) -> Step> {
    Some(match port {
        GTP_U => gtp_u,
        TEREDO => teredo,
        GRE_IN_UDP => gre_in_udp,
        VXLAN | VXLAN_OLD => vxlan,
        AYIYA => ayiya,
        CAPWAP_DATA => capwap,
        GENEVE => geneve,
        TZSP => tzsp,
        _ => return None,
    })
}

/// 3GPP TS 29.281, 5.1: version 1, GTP and not GTP', message type 255.
fn gtp_u(walk: &mut Walk) -> Step {
    const VERSION_AND_TYPE: u8 = 0xf0;
    const GTP_VERSION_1: u8 = 0x30;
    const OPTIONAL: u8 = 0x07;
    const MORE_EXTENSIONS: u8 = 0x04;
    const USER_DATA: u8 = 0xff;
    let header = walk.take::<8>("GTP-U")?;
    if header[0] & VERSION_AND_TYPE != GTP_VERSION_1 || header[1] != USER_DATA {
        return Err(walk.malformed("GTP-U", 8, "version and message type"));
    }
    let flags = header[0];
    walk.end = walk.end.min(walk.at + usize::from(be16(header, 2)));
    if flags & OPTIONAL != 0 {
        let mut extension = walk.take::<4>("GTP-U options")?[3];
        while flags & MORE_EXTENSIONS != 0 && extension != 0 {
            let length = usize::from(walk.peek::<1>().map_or(0, |[units]| *units)) * 4;
            let last = length.checked_sub(1).and_then(|last| walk.captured().get(last).copied());
            let Some(next) = last else {
                return Err(walk.malformed("GTP-U extension", length.max(4), "extension length"));
            };
            walk.at += length;
            extension = next;
        }
    }
    filled(walk, Encapsulation::GtpU)
}

/// Whether an IPv6 packet of a Teredo client or to one begins here. Clients speak with each other and with relays from
/// any port, so beside the servers' port only the content tells: one address has their prefix (RFC 4380, 2.6).
#[inline]
pub(super) fn is_teredo(payload: &[u8]) -> bool {
    matches!(payload, [0x60..=0x6f, ..]) && has_teredo_address(payload)
}

#[cold]
fn has_teredo_address(payload: &[u8]) -> bool {
    const PREFIX: [u8; 4] = [0x20, 0x01, 0, 0];
    let address = |at: usize| payload.get(at..at + 4) == Some(&PREFIX);
    address(8) || address(24)
}

/// RFC 4380, 5.1.1: authentication and origin may come before the IPv6 packet, which fills the rest exactly.
pub(super) fn teredo(walk: &mut Walk) -> Step {
    if let Some(&[0, 1, id, authentication]) = walk.peek::<4>() {
        walk.skip("Teredo authentication", 13 + usize::from(id) + usize::from(authentication), "its lengths")?;
    }
    if walk.peek::<2>() == Some(&[0, 0]) {
        walk.take::<8>("Teredo origin")?;
    }
    filled(walk, Encapsulation::Teredo)
}

/// An IP packet that fills the tunnel to its end, as it does in every tunnel that has nothing behind it.
fn filled(walk: &mut Walk, name: Encapsulation) -> Step {
    let length = match walk.peek::<6>() {
        Some(header) if header[0] >> 4 == 4 => usize::from(be16(header, 2)),
        Some(header) if header[0] >> 4 == 6 => usize::from(be16(header, 4)) + 40,
        _ => return Err(walk.malformed("IP in UDP", 20, "fixed header")),
    };
    if length != walk.on_wire() {
        return Err(walk.malformed("IP in UDP", length, "total length"));
    }
    walk.inside(name);
    Ok(Next::Ip)
}

fn gre_in_udp(walk: &mut Walk) -> Step {
    walk.inside(Encapsulation::GreInUdp);
    gre::header(walk)
}

/// RFC 7348, 5: the flag that a network identifier is there has to be set.
fn vxlan(walk: &mut Walk) -> Step {
    const IDENTIFIED: u8 = 0x08;
    if walk.take::<8>("VXLAN")?[0] & IDENTIFIED == 0 {
        return Err(walk.malformed("VXLAN", 8, "flags"));
    }
    walk.inside(Encapsulation::Vxlan);
    Ok(Next::Ethernet)
}

/// draft-massar-v6ops-ayiya-02, 3: lengths of identity, signature, and the next header.
fn ayiya(walk: &mut Walk) -> Step {
    const FORWARD: u8 = 1;
    let &[identity, signature, operation, next, ..] = walk.take::<8>("AYIYA")?;
    let identity = 1_usize << (identity >> 4);
    let signature = usize::from(signature >> 4) * 4;
    if operation & 0x0f != FORWARD || !matches!(next, 4 | 41) {
        return Err(walk.malformed("AYIYA", 8, "operation and next header"));
    }
    walk.skip("AYIYA", identity + signature, "identity and signature lengths")?;
    filled(walk, Encapsulation::Ayiya)
}

/// RFC 8926, 3.4: options in units of four bytes, then an Ethernet type.
fn geneve(walk: &mut Walk) -> Step {
    let header = walk.take::<8>("Geneve")?;
    if header[0] >> 6 != 0 {
        return Err(walk.malformed("Geneve", 8, "version"));
    }
    walk.skip("Geneve", usize::from(header[0] & 0x3f) * 4, "option length")?;
    walk.inside(Encapsulation::Geneve);
    match be16(header, 2) {
        protocol if protocol <= 1500 => Err(walk.malformed("Geneve", 8, "protocol, which is no Ethernet type")),
        protocol => ethernet::payload(walk, protocol),
    }
}

/// `TaZmen`: version 1, type, the protocol of the copied frame, tags up to an end tag.
fn tzsp(walk: &mut Walk) -> Step {
    const PADDING: u8 = 0;
    const END: u8 = 1;
    let &[version, kind, high, low] = walk.take::<4>("TZSP")?;
    if version != 1 || kind > 1 {
        return Err(walk.malformed("TZSP", 4, "version and type"));
    }
    loop {
        match walk.take::<1>("TZSP tag")? {
            [PADDING] => {}
            [END] => break,
            _ => {
                let [length] = *walk.take::<1>("TZSP tag")?;
                walk.skip("TZSP tag", usize::from(length), "tag length")?;
            }
        }
    }
    walk.inside(Encapsulation::Tzsp);
    match u16::from_be_bytes([high, low]) {
        1 => Ok(Next::Ethernet),
        0x12 => Ok(Next::Dot11),
        radio @ (119 | 127) => Ok(Next::LinkType(radio)),
        _ => Err(walk.malformed("TZSP", 4, "protocol")),
    }
}

/// RFC 5415, 4.3: plain text (type 0), not fragmented; an 802.3 frame or one of 802.11.
fn capwap(walk: &mut Walk) -> Step {
    const FRAGMENT: u8 = 0x80;
    const NATIVE: u8 = 0x01;
    const WIFI: u8 = 1;
    let header = *walk.peek::<8>().unwrap_or(&[0xff; 8]);
    let length = usize::from(header[1] >> 3) * 4;
    if header[0] != 0 || length < 8 || header[3] & FRAGMENT != 0 {
        return Err(walk.malformed("CAPWAP", 8, "preamble and header length"));
    }
    walk.skip("CAPWAP", length, "header length")?;
    walk.inside(Encapsulation::Capwap);
    if header[2] & NATIVE == 0 {
        return Ok(Next::Ethernet);
    }
    if header[2] >> 1 & 0x1f != WIFI {
        return Err(walk.malformed("CAPWAP", 8, "binding, which is not 802.11"));
    }
    // Some access points swap bytes: a data frame's first byte then comes second.
    match walk.peek::<2>() {
        Some([first, second]) if first & 0x0f != 0x08 && second & 0x0f == 0x08 => dot11::swapped(walk),
        _ => dot11::frame(walk),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tunnel_is_read_at_each_of_the_ports_and_nowhere_else() {
        assert!((0..=u16::MAX).all(|port| at(port).is_some() == is_port(port)));
    }
}
