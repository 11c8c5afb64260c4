//! Records of Endace's capture cards (LINKTYPE_ERF): a header, extension headers, then what the card's port carries.

use super::outcome::NotIp;
use super::walk::{Next, Step, Stop, Walk};

/// In the type byte, and in the first byte of each extension header: another extension header follows.
const MORE: u8 = 0x80;

/// Types whose frames are Ethernet, behind two bytes that align them.
const ETHERNET: [u8; 6] = [2, 11, 16, 20, 25, 26];
const HDLC: [u8; 4] = [1, 10, 15, 17];
const IPV4: u8 = 22;
const IPV6: u8 = 23;

/// The header and the step to what it carries.
pub(super) fn record(walk: &mut Walk) -> Step {
    let header = *walk.take::<16>("ERF")?;
    let mut more = header[8] & MORE != 0;
    while more {
        more = walk.take::<8>("ERF extension")?[0] & MORE != 0;
    }
    match header[8] & !MORE {
        kind if ETHERNET.contains(&kind) => {
            walk.take::<2>("ERF Ethernet")?;
            Ok(Next::Ethernet)
        }
        // Cisco's framing or PPP, as on any synchronous line.
        kind if HDLC.contains(&kind) => Ok(Next::LinkType(50)),
        IPV4 | IPV6 => Ok(Next::Ip),
        _ => Err(Stop::NotIp(NotIp::Other, 0)),
    }
}
