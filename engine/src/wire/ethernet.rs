//! Ethernet II and IEEE 802.3 frames, tags, and everything reached by an Ethernet type.
//!
//! Sources: IEEE 802.3 (3.2), 802.1Q (VLAN), 802.1ah (PBB), 802.1BR (E-tag), 802.1AE (`MACsec`), 802.2 (LLC),
//! RFC 1042 (SNAP).

use super::outcome::NotIp;
use super::packet::push_vlan;
use super::walk::{Next, Step, Stop, Walk, be16};
use super::{Encapsulation, ppp};

pub(super) const IPV4: u16 = 0x0800;
pub(super) const IPV6: u16 = 0x86dd;
pub(super) const TRANSPARENT_ETHERNET: u16 = 0x6558;
pub(super) const MPLS: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
const PPPOE_SESSION: u16 = 0x8864;
const PBB: u16 = 0x88e7;
const MACSEC: u16 = 0x88e5;
const VN_TAG: u16 = 0x8926;
const E_TAG: u16 = 0x893f;
const FABRIC_PATH: u16 = 0x8903;
const CISCO_METADATA: u16 = 0x8909;
/// Values up to here are a length, and LLC follows.
const LARGEST_LENGTH: u16 = 1500;
/// The type for jumbo frames whose length does not fit into the length field.
const JUMBO_LLC: u16 = 0x8870;
/// `MACsec` TAG control information: encrypted, and changed text.
const MACSEC_OPAQUE: u8 = 0x0c;
/// `MACsec` TAG control information: an 8-byte channel identifier follows.
const MACSEC_CHANNEL: u8 = 0x20;

/// Whether this type says that a VLAN tag follows: C-tag, S-tag, and the two older S-tag types.
#[inline]
pub(super) const fn is_vlan(ethertype: u16) -> bool {
    matches!(ethertype, 0x8100 | 0x88a8 | 0x9100 | 0x9200)
}

/// A frame with both addresses and a type or length.
pub(super) fn frame(walk: &mut Walk) -> Step {
    let header = walk.take::<14>("Ethernet")?;
    Ok(Next::EtherType(be16(header, 12)))
}

/// What follows an Ethernet type.
pub(super) fn payload(walk: &mut Walk, ethertype: u16) -> Step {
    match ethertype {
        IPV4 | IPV6 => Ok(Next::Ip),
        _ if is_vlan(ethertype) => {
            let tag = walk.take::<4>("VLAN tag")?;
            walk.vlan = push_vlan(walk.vlan, be16(tag, 0));
            Ok(Next::EtherType(be16(tag, 2)))
        }
        MPLS | MPLS_MULTICAST => Ok(Next::Mpls),
        PPPOE_SESSION => ppp::pppoe(walk),
        TRANSPARENT_ETHERNET => Ok(Next::Ethernet),
        PBB => {
            walk.take::<4>("PBB tag")?;
            walk.inside(Encapsulation::Pbb);
            Ok(Next::Ethernet)
        }
        VN_TAG => {
            let tag = walk.take::<6>("VN-Tag")?;
            walk.inside(Encapsulation::VnTag);
            Ok(Next::EtherType(be16(tag, 4)))
        }
        E_TAG => {
            let tag = walk.take::<8>("E-tag")?;
            walk.inside(Encapsulation::ETag);
            Ok(Next::EtherType(be16(tag, 6)))
        }
        FABRIC_PATH => {
            walk.take::<2>("FabricPath tag")?;
            walk.inside(Encapsulation::FabricPath);
            Ok(Next::Ethernet)
        }
        CISCO_METADATA => {
            let tag = walk.take::<8>("Cisco metadata")?;
            Ok(Next::EtherType(be16(tag, 6)))
        }
        MACSEC => macsec(walk),
        JUMBO_LLC => Ok(Next::Llc),
        _ if ethertype <= LARGEST_LENGTH => Ok(Next::Llc),
        _ => Err(Stop::NotIp(NotIp::of_ethertype(ethertype), ethertype)),
    }
}

/// Readable only when the link protects integrity but does not encrypt.
fn macsec(walk: &mut Walk) -> Step {
    let tag = walk.take::<6>("MACsec")?;
    if tag[0] & MACSEC_OPAQUE != 0 {
        return Err(Stop::NotIp(NotIp::Macsec, MACSEC));
    }
    if tag[0] & MACSEC_CHANNEL != 0 {
        walk.take::<8>("MACsec channel")?;
    }
    let ethertype = walk.take::<2>("MACsec")?;
    walk.inside(Encapsulation::Macsec);
    Ok(Next::EtherType(be16(ethertype, 0)))
}

/// LLC, with SNAP or with IP's own service access point.
pub(super) fn llc(walk: &mut Walk) -> Step {
    match walk.take::<3>("LLC")? {
        [0xaa, 0xaa, 0x03] => {
            let snap = walk.take::<5>("SNAP")?;
            match snap {
                // Plain encapsulation, and 802.1H bridge tunnels.
                [0, 0, 0 | 0xf8, ..] => Ok(Next::EtherType(be16(snap, 3))),
                // RFC 2684, 5.2: a bridged Ethernet frame, with (1) and without (7) checksum, after two bytes of padding.
                [0x00, 0x80, 0xc2, 0x00, 0x01 | 0x07] => {
                    walk.take::<2>("bridged Ethernet")?;
                    Ok(Next::Ethernet)
                }
                _ => Err(Stop::NotIp(NotIp::Llc, 0)),
            }
        }
        [0x06, 0x06, 0x03] => Ok(Next::Ip),
        _ => Err(Stop::NotIp(NotIp::Llc, 0)),
    }
}
