//! IEEE 802.11 data frames and the radio headers that capture drivers put before them.
//!
//! Sources: IEEE 802.11-2020, 9.2 and 9.3.2; radiotap.org; the AVS and Prism headers of the Linux drivers.

use super::outcome::NotIp;
use super::walk::{Next, Step, Stop, Walk};

/// Bit 4 of the first radiotap presence words: another word follows.
const RADIOTAP_MORE: u32 = 1 << 31;
const RADIOTAP_TIMESTAMP: u32 = 1 << 0;
const RADIOTAP_FLAGS: u32 = 1 << 1;
/// The 802.11 header is padded to a multiple of four bytes.
const RADIOTAP_PADDED: u8 = 0x20;

/// AVS headers say their length big-endian, Prism headers in the host's order.
const AVS_MAGIC: u32 = 0x8021_1000;
const AVS_MAGIC_MASK: u32 = 0xffff_f000;

const DATA: u8 = 2;
/// Subtype bits of a data frame.
const NO_DATA: u8 = 0x4;
const QOS: u8 = 0x8;
/// Second byte of the frame control.
const TO_SYSTEM: u8 = 0x01;
const FROM_SYSTEM: u8 = 0x02;
const PROTECTED: u8 = 0x40;
const HT_CONTROL: u8 = 0x80;
/// `QoS` control: the body is several frames, each with addresses and a length.
const AGGREGATE: u8 = 0x80;

/// The radiotap header: only its length and whether the 802.11 header is padded matter.
pub(super) fn radiotap(walk: &mut Walk) -> Step {
    let header = *walk.take::<8>("radiotap")?;
    let length = usize::from(u16::from_le_bytes([header[2], header[3]]));
    let present = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    let Some(rest) = length.checked_sub(8) else {
        return Err(walk.malformed("radiotap", 8, "header length"));
    };
    let fields = walk.captured();
    walk.skip("radiotap", rest, "header length")?;
    let padded = radiotap_flags(fields.get(..rest).unwrap_or_default(), present) & RADIOTAP_PADDED != 0;
    data_frame(walk, padded, false)
}

/// The flags field, 0 if there is none. `fields` begins 8 bytes into the header.
fn radiotap_flags(fields: &[u8], present: u32) -> u8 {
    let mut at = 0;
    let mut word = present;
    while word & RADIOTAP_MORE != 0 {
        let Some(&[a, b, c, d]) = fields.get(at..).and_then(<[u8]>::first_chunk) else { return 0 };
        word = u32::from_le_bytes([a, b, c, d]);
        at += 4;
    }
    if present & RADIOTAP_FLAGS == 0 {
        return 0;
    }
    if present & RADIOTAP_TIMESTAMP != 0 {
        // Aligned to eight bytes; the fixed part before `fields` is eight bytes long.
        at = at.next_multiple_of(8) + 8;
    }
    fields.get(at).copied().unwrap_or(0)
}

/// A Prism or an AVS header, told apart by AVS's magic number.
pub(super) fn prism(walk: &mut Walk) -> Step {
    let Some(header) = walk.peek::<8>() else {
        return Err(walk.malformed("Prism", 8, "fixed header"));
    };
    let magic = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
    let length = [header[4], header[5], header[6], header[7]];
    let length = if magic & AVS_MAGIC_MASK == AVS_MAGIC {
        u32::from_be_bytes(length)
    } else {
        u32::from_le_bytes(length).min(u32::from_be_bytes(length))
    };
    walk.skip("Prism", (length as usize).max(8), "header length")?;
    data_frame(walk, false, false)
}

/// An 802.11 frame without a radio header.
pub(super) fn frame(walk: &mut Walk) -> Step {
    data_frame(walk, false, false)
}

/// As some access points send it over CAPWAP: the bytes of the frame control and of the sequence control swapped.
pub(super) fn swapped(walk: &mut Walk) -> Step {
    data_frame(walk, false, true)
}

fn data_frame(walk: &mut Walk, padded: bool, swapped: bool) -> Step {
    let begin = walk.at;
    let header = walk.take::<2>("802.11")?;
    let (first, second) = if swapped { (header[1], header[0]) } else { (header[0], header[1]) };
    let (kind, subtype) = (first >> 2 & 3, first >> 4);
    if first & 3 != 0 || kind != DATA || subtype & NO_DATA != 0 {
        return Err(Stop::NotIp(NotIp::WifiControl, 0));
    }
    let addresses = walk.take::<22>("802.11 data")?;
    if second & (TO_SYSTEM | FROM_SYSTEM) == TO_SYSTEM | FROM_SYSTEM {
        walk.take::<6>("802.11 fourth address")?;
    }
    let mut aggregate = false;
    if subtype & QOS != 0 {
        aggregate = walk.take::<2>("802.11 QoS control")?[0] & AGGREGATE != 0;
        if second & HT_CONTROL != 0 {
            walk.take::<4>("802.11 HT control")?;
        }
    }
    let fragment_number = addresses[if swapped { 21 } else { 20 }] & 0x0f;
    if second & PROTECTED != 0 || fragment_number != 0 {
        return Err(Stop::NotIp(NotIp::WifiOpaque, 0));
    }
    if padded {
        walk.skip("802.11 padding", (walk.at - begin).next_multiple_of(4) - (walk.at - begin), "radiotap flags")?;
    }
    if aggregate { Ok(Next::Aggregate) } else { Ok(Next::Llc) }
}
