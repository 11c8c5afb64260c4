//! Blocks and options of pcapng (draft-ietf-opsawg-pcapng).

use super::limits::MAX_BLOCK;
use super::order::Order;

pub(super) const SECTION: u32 = 0x0a0d_0d0a;
pub(super) const INTERFACE: u32 = 1;
pub(super) const OLD_PACKET: u32 = 2;
pub(super) const SIMPLE_PACKET: u32 = 3;
pub(super) const NAMES: u32 = 4;
pub(super) const STATISTICS: u32 = 5;
pub(super) const PACKET: u32 = 6;
pub(super) const JOURNAL: u32 = 9;
pub(super) const SECRETS: u32 = 10;
/// Process information; written by Apple's tcpdump, no part of the draft.
pub(super) const PROCESS: u32 = 0x8000_0001;
pub(super) const CUSTOM: u32 = 0x0bad;
pub(super) const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;
/// Events of system calls, three versions; written by Sysdig and Falco.
pub(super) const EVENTS: [u32; 3] = [0x204, 0x216, 0x221];

/// Type, two lengths: what every block has.
pub(super) const FRAME: usize = 12;
/// A packet block without its packet.
pub(super) const PACKET_FRAME: usize = 32;
/// A section block without options.
pub(super) const SECTION_FRAME: usize = 28;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// Byte order by the magic number of the section block at the start of `bytes`.
pub(super) fn section_order(bytes: &[u8]) -> Option<Order> {
    [Order::Little, Order::Big].into_iter().find(|order| order.u32(bytes, 8) == BYTE_ORDER_MAGIC)
}

/// Fewest bytes of a block of a type that is known; `None` for the other types.
pub(super) fn least(kind: u32) -> Option<usize> {
    Some(match kind {
        SECTION => SECTION_FRAME,
        INTERFACE | SECRETS => 20,
        OLD_PACKET | PACKET => PACKET_FRAME,
        SIMPLE_PACKET | NAMES | JOURNAL | PROCESS | CUSTOM | CUSTOM_NOT_COPIED => 16,
        STATISTICS => 24,
        _ if EVENTS.contains(&kind) => 16,
        _ => return None,
    })
}

/// Whether Wireshark gives a number to this block, which holds no packet. `body` lies behind the lengths.
pub(super) fn is_numbered(kind: u32, body: &[u8]) -> bool {
    // The smallest journal entry holds its time: `__REALTIME_TIMESTAMP=0` and a line end.
    let entry = kind == JOURNAL && body.len() >= 23;
    entry || matches!(kind, CUSTOM | CUSTOM_NOT_COPIED) || EVENTS.contains(&kind)
}

/// Whether a length can be one of a block.
pub(super) fn is_length(total: u32, least: usize) -> bool {
    total as usize >= least && total.is_multiple_of(4) && total <= MAX_BLOCK
}

/// Length of the sound block at the start of `bytes`: a known type, a possible length that is repeated
/// at its end, a packet that fits. `Err(true)`: it may be one, but runs past the end of `bytes`.
pub(super) fn sound(bytes: &[u8], order: Order, interfaces: usize) -> Result<usize, bool> {
    if bytes.len() < FRAME {
        return Err(true);
    }
    let (kind, order) = match section_order(bytes) {
        Some(order) if order.u32(bytes, 0) == SECTION => (SECTION, order),
        _ => (order.u32(bytes, 0), order),
    };
    let total = order.u32(bytes, 4);
    let least = least(kind).ok_or(false)?;
    if !is_length(total, least) || kind == SECTION && section_order(bytes).is_none() {
        return Err(false);
    }
    let total = total as usize;
    if kind == PACKET && bytes.len() >= PACKET_FRAME {
        let known = interfaces == 0 || (order.u32(bytes, 8) as usize) < interfaces;
        if !known || order.u32(bytes, 20) as usize > total - PACKET_FRAME {
            return Err(false);
        }
    }
    if bytes.len() < total {
        return Err(true);
    }
    if order.u32(bytes, total - 4) as usize == total { Ok(total) } else { Err(false) }
}

/// Calls `each` with code and value of every option. `false`: one runs past the end.
pub(super) fn options(mut bytes: &[u8], order: Order, mut each: impl FnMut(u16, &[u8])) -> bool {
    while bytes.len() >= 4 {
        let (code, length) = (order.u16(bytes, 0), order.u16(bytes, 2) as usize);
        if code == 0 {
            return true;
        }
        let Some(value) = bytes.get(4..4 + length) else { return false };
        each(code, value);
        bytes = bytes.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
    }
    bytes.is_empty()
}
