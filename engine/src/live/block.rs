//! A block of packets in the ring. They are read where they lie; only a VLAN tag that the network card or the kernel took
//! off is put back before the packet, into room that was reserved for it.

use super::ring::{BLOCK_BYTES, ETHERNET, Ring, TAG_BYTES};
use crate::capture::Frame;

/// Where a tag stands in an Ethernet frame: behind both addresses.
const TAG_AT: usize = 12;

/// Where a block's status word stands in it.
pub const STATUS_AT: usize = 8;

/// Fields of the headers of blocks (`tpacket_block_desc`) and packets (`tpacket3_hdr`, behind it a `sockaddr_ll`): their
/// offsets. All are in the machine's byte order.
mod field {
    pub const BLOCK_PACKETS: usize = 12;
    pub const BLOCK_FIRST: usize = 16;
    pub const NEXT: usize = 0;
    pub const SECONDS: usize = 4;
    pub const NANOSECONDS: usize = 8;
    pub const CAPTURED: usize = 12;
    pub const LENGTH: usize = 16;
    pub const STATUS: usize = 20;
    pub const MAC: usize = 24;
    pub const TAG: usize = 32;
    pub const TAG_TYPE: usize = 36;
    pub const PACKET_TYPE: usize = 58;
}

/// Where the lines of cache stand, from a packet's header on, that hold the packet's own headers. They are asked for
/// together with the packet's header, so that one wait is enough for all.
const LINES: [usize; 2] = [64, 128];

/// A block of packets that is ours until it is dropped; then the kernel may write it again.
pub struct Block<'r> {
    ring: &'r mut Ring,
    left: u32,
    at: usize,
}

/// What stands next in a block.
enum Next {
    Frame(Frame),
    /// A packet that comes twice: loopback shows what goes out once more as what comes in.
    Again,
    /// A header that leads out of its block: nothing behind it can be found.
    Astray,
}

impl Block<'_> {
    /// The ring's current block, which is ours.
    pub(super) fn begin(ring: &mut Ring) -> Block<'_> {
        let (start, memory) = (ring.block_start(), ring.memory());
        let first = u32_at(memory, start + field::BLOCK_FIRST) as usize;
        Block { left: u32_at(memory, start + field::BLOCK_PACKETS), at: start + first, ring }
    }

    /// Clears `frames` and fills it with up to `max` next frames; false when the block has no more.
    pub fn next_frames(&mut self, frames: &mut Vec<Frame>, max: usize) -> bool {
        frames.clear();
        while self.left > 0 && frames.len() < max {
            self.left -= 1;
            match self.frame() {
                Next::Frame(frame) => frames.push(frame),
                Next::Again => {}
                Next::Astray => self.left = 0,
            }
        }
        !frames.is_empty()
    }

    /// Where the frames lie.
    pub fn memory(&self) -> &[u8] {
        self.ring.memory()
    }

    /// The next packet.
    fn frame(&mut self) -> Next {
        let start = self.ring.block_start();
        let end = start + BLOCK_BYTES;
        let at = self.at;
        let header = self.ring.memory().get(at..end).unwrap_or_default();
        if header.len() <= field::PACKET_TYPE {
            return Next::Astray;
        }
        std::hint::black_box(LINES.map(|line| header.get(line).copied()));
        let packet_type = header[field::PACKET_TYPE];
        let word = |offset: usize| u32_at(header, offset);
        let status = word(field::STATUS);
        let (mut len, mut wire_len) = (word(field::CAPTURED), word(field::LENGTH));
        let mut from = at + usize::from(u16_at(header, field::MAC));
        let time_ns = i64::from(word(field::SECONDS)) * 1_000_000_000 + i64::from(word(field::NANOSECONDS));
        let (tag, tag_type) = (word(field::TAG) as u16, u16_at(header, field::TAG_TYPE));
        let next = word(field::NEXT) as usize;
        if from + len as usize > end {
            return Next::Astray;
        }
        self.at = if next == 0 { end } else { at + next };
        if self.ring.is_loopback && packet_type == libc::PACKET_OUTGOING {
            return Next::Again;
        }
        if status & libc::TP_STATUS_VLAN_VALID != 0 && len as usize >= TAG_AT && self.ring.link_type == ETHERNET {
            let tag_type = if status & libc::TP_STATUS_VLAN_TPID_VALID == 0 { 0x8100 } else { tag_type };
            let block = self.ring.block();
            let old = from - start;
            block.copy_within(old..old + TAG_AT, old - TAG_BYTES);
            block[old + TAG_AT - TAG_BYTES..old + TAG_AT - 2].copy_from_slice(&tag_type.to_be_bytes());
            block[old + TAG_AT - 2..old + TAG_AT].copy_from_slice(&tag.to_be_bytes());
            from -= TAG_BYTES;
            len += TAG_BYTES as u32;
            wire_len += TAG_BYTES as u32;
        }
        self.ring.number += 1;
        Next::Frame(Frame {
            time_ns,
            number: self.ring.number,
            file_offset: 0,
            at: from,
            len,
            wire_len: wire_len.max(len),
            link_type: self.ring.link_type,
            interface: self.ring.interface,
            process: 0,
        })
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        self.ring.release();
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |four| u32::from_ne_bytes([four[0], four[1], four[2], four[3]]))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |two| u16::from_ne_bytes([two[0], two[1]]))
}
