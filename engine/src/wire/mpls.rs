//! MPLS label stacks (RFC 3032) and what can be told of their content.

use super::Encapsulation;
use super::ethernet::{IPV4, IPV6, is_vlan};
use super::walk::{LAYERS, Next, Step, Walk};

/// Last label of the stack.
const BOTTOM: u8 = 0x01;

/// The stack, and the step to what it seems to carry.
pub(super) fn stack(walk: &mut Walk) -> Step {
    walk.inside(Encapsulation::Mpls);
    for _ in 0..LAYERS {
        if walk.take::<4>("MPLS label")?[2] & BOTTOM != 0 {
            return content(walk);
        }
    }
    Err(walk.malformed("MPLS label stack", 4, "missing bottom mark"))
}

/// No field says what a stack carries; the first nibble is the customary hint (RFC 4928): 4 and 6 are IP, 0 is a
/// pseudowire's control word before an Ethernet frame (RFC 4448). An Ethernet address may begin with any of them, so a
/// known Ethernet type where only a frame has one decides against the hint.
fn content(walk: &mut Walk) -> Step {
    let frame = has_type(walk, 12);
    match walk.peek::<4>() {
        Some(&[first, _, high, low]) if first >> 4 == 4 && frame => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            if first & 0x0f >= 5 && length <= walk.on_wire() { Ok(Next::Ip) } else { Ok(Next::Ethernet) }
        }
        Some(&[first, ..]) if matches!(first >> 4, 4 | 6) && !frame => Ok(Next::Ip),
        Some(&[first, ..]) if first >> 4 == 0 && (has_type(walk, 16) || !frame) => {
            walk.take::<4>("pseudowire control word")?;
            Ok(Next::Ethernet)
        }
        _ => Ok(Next::Ethernet),
    }
}

/// Whether the Ethernet type of IP or of a VLAN tag stands here.
fn has_type(walk: &Walk, at: usize) -> bool {
    let bytes = walk.captured().get(at..).and_then(<[u8]>::first_chunk).copied();
    bytes.map(u16::from_be_bytes).is_some_and(|ethertype| matches!(ethertype, IPV4 | IPV6) || is_vlan(ethertype))
}
