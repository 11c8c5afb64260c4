//! Blocks of pcapng files to frames (draft-ietf-opsawg-pcapng).

use super::block::{self, FRAME, PACKET_FRAME, SECTION_FRAME};
use super::buffer::{Buffer, Paused, Window};
use super::chain::{self, Stop};
use super::info::Info;
use super::limits::{COMMON_SNAPLEN, MAX_BLOCK, RESYNC_BLOCKS};
use super::order::Order;
use super::sections::Section;
use super::{Frame, Step};

/// Sound blocks in a row that tell where blocks begin.
const PART_BLOCKS: usize = 2;

/// Reading state of one pcapng file.
#[derive(Clone, Default)]
pub(super) struct Pcapng {
    section: Section,
    /// Time of the last packet that had one.
    last_ns: i64,
}

/// Where a packet lies in its block, and what the block says of it.
struct Packet {
    interface: u32,
    /// Ticks of the interface's clock; `None` in blocks without time.
    ticks: Option<u64>,
    at: usize,
    len: u32,
    wire_len: u32,
    drops: u64,
}

impl Pcapng {
    /// Hands out the frames at hand, or else deals with one block.
    pub fn step(
        &mut self,
        buffer: &mut Buffer,
        info: &mut Info,
        frames: &mut Vec<Frame>,
        max: usize,
    ) -> Result<Step, Paused> {
        let before = frames.len();
        let consumed = self.walk(buffer.window(), info.number, frames, max);
        if let Some(last) = frames[before..].last() {
            self.note(last);
            info.number = last.number;
            info.tally(&frames[before..]);
            buffer.advance(consumed);
            return Ok(Step::Next);
        }
        self.block(buffer, info, frames)
    }

    /// Takes it that blocks have been read up to that frame.
    #[inline]
    pub fn note(&mut self, last: &Frame) {
        self.last_ns = last.time_ns;
    }

    /// The fast path: sound packet blocks without options that lie in the window whole. Returns the bytes they take.
    #[inline]
    pub fn walk(&self, window: Window<'_>, number: u64, frames: &mut Vec<Frame>, max: usize) -> usize {
        match self.section.order {
            Order::Little => self.walk_in::<false>(window, number, frames, max),
            Order::Big => self.walk_in::<true>(window, number, frames, max),
        }
    }

    #[inline]
    fn walk_in<const BIG: bool>(&self, window: Window<'_>, number: u64, frames: &mut Vec<Frame>, max: usize) -> usize {
        let order = if BIG { Order::Big } else { Order::Little };
        let Window { bytes, position, offset } = window;
        let mut at = 0;
        let number = number + 1 - frames.len() as u64;
        frames.reserve(max.min(1024));
        while frames.len() < max {
            let Some(head) = bytes.get(at..).and_then(<[u8]>::first_chunk::<28>) else { break };
            let Some(source) = self.section.sources.get(order.u32(head, 8) as usize) else { break };
            let (total, len, wire_len) = (order.u32(head, 4) as usize, order.u32(head, 20), order.u32(head, 24));
            let end = at + total;
            let sound = order.u32(head, 0) == block::PACKET
                && len <= MAX_BLOCK
                && len <= wire_len
                && total == PACKET_FRAME + (len as usize).next_multiple_of(4)
                && total <= MAX_BLOCK as usize
                && end <= bytes.len();
            if !sound || order.u32(bytes, end - 4) as usize != total {
                break;
            }
            let ticks = u64::from(order.u32(head, 12)) << 32 | u64::from(order.u32(head, 16));
            let Ok(time_ns) = source.clock.nanoseconds(ticks) else { break };
            frames.push(Frame {
                time_ns,
                number: number + frames.len() as u64,
                file_offset: offset + at as u64,
                at: position + at + 28,
                len,
                wire_len,
                link_type: source.link_type,
                interface: source.index,
                process: 0,
            });
            at = end;
        }
        at
    }

    /// Whether a row of sound blocks begins there.
    pub fn begins(&self, bytes: &[u8]) -> bool {
        let found = chain::follow(bytes, PART_BLOCKS, |rest| {
            match block::sound(rest, self.section.order, self.section.sources.len()) {
                Ok(total) => Some(total),
                Err(cut) => cut.then_some(usize::MAX),
            }
        });
        found.stop == Stop::Enough
    }

    /// Bytes of the block that begins there, by its own word.
    pub fn length(&self, bytes: &[u8]) -> Option<usize> {
        let total = bytes.get(..FRAME).map(|head| self.section.order.u32(head, 4))?;
        block::is_length(total, FRAME).then_some(total as usize)
    }

    /// The slow path: one block, whatever it is like.
    #[cold]
    fn block(&mut self, buffer: &mut Buffer, info: &mut Info, frames: &mut Vec<Frame>) -> Result<Step, Paused> {
        if !buffer.ensure(FRAME)? {
            let (there, offset) = (buffer.unread().len(), buffer.offset());
            if there > 0 {
                info.problems.note("cut-short", true, info.number, offset, || {
                    format!("a block takes {FRAME} bytes at least, {there} were there; read up to the block before")
                });
            }
            return Ok(Step::End);
        }
        let bytes = buffer.unread();
        let is_section = self.section.order.u32(bytes, 0) == block::SECTION;
        let order = if is_section { block::section_order(bytes) } else { Some(self.section.order) };
        let Some(order) = order else { return self.unordered(buffer, info) };
        let kind = order.u32(bytes, 0);
        let total = order.u32(bytes, 4);
        let least = if is_section { SECTION_FRAME } else { FRAME };
        if !block::is_length(total, least) {
            let expected =
                format!("a block length of {least} to {MAX_BLOCK} in steps of 4 was expected, {total} was there");
            return self.lost(buffer, info, (kind, order), &expected);
        }
        if !buffer.ensure(total as usize)? {
            return self.past_the_end(buffer, info, (kind, order), total);
        }
        let repeated = order.u32(buffer.unread(), total as usize - 4);
        if repeated != total {
            buffer.free()?;
            // A stream may be quiet for long: of one, only bytes already at hand are asked.
            if buffer.is_file() && buffer.ensure(total as usize + FRAME)? {
                let next = order.u32(&buffer.unread()[total as usize..], 4);
                if next <= MAX_BLOCK {
                    buffer.ensure((total + next) as usize)?;
                }
            }
            let next = &buffer.unread()[total as usize..];
            if block::sound(next, order, self.section.sources.len()).is_err() {
                let expected = format!("the block length {total} was expected at its end, {repeated} was there");
                return self.lost(buffer, info, (kind, order), &expected);
            }
            info.problems.note("odd-length", false, info.number, buffer.offset(), || {
                format!("a block says {total} bytes at its start and {repeated} at its end; a sound block follows after {total}, taken so")
            });
        }
        self.take(buffer, info, frames, kind, order, total as usize);
        buffer.advance(total as usize);
        Ok(Step::Next)
    }

    /// Uses a block that is whole.
    fn take(
        &mut self,
        buffer: &Buffer,
        info: &mut Info,
        frames: &mut Vec<Frame>,
        kind: u32,
        order: Order,
        total: usize,
    ) {
        let (block, offset) = (&buffer.unread()[..total], buffer.offset());
        let packet = match kind {
            block::SECTION => return self.section.begin(order, block, info, offset),
            block::INTERFACE if total >= 20 => return self.section.interface(block, info, offset),
            block::STATISTICS if total >= 24 => return self.section.statistics(block, info, offset),
            block::PROCESS => return self.section.process(block, info, offset),
            block::PACKET | block::OLD_PACKET if total >= PACKET_FRAME => {
                let (interface, drops) = if kind == block::PACKET {
                    (order.u32(block, 8), 0)
                } else {
                    // All ones: the writer does not know.
                    (
                        order.u16(block, 8).into(),
                        Some(order.u16(block, 10)).filter(|&drops| drops != u16::MAX).unwrap_or(0),
                    )
                };
                let ticks = u64::from(order.u32(block, 12)) << 32 | u64::from(order.u32(block, 16));
                let (len, wire_len) = (order.u32(block, 20), order.u32(block, 24));
                Packet { interface, ticks: Some(ticks), at: 28, len, wire_len, drops: drops.into() }
            }
            block::SIMPLE_PACKET if total >= 16 => {
                let wire_len = order.u32(block, 8);
                let snaplen = self.section.sources.first().map_or(0, |source| source.snaplen);
                let len = if snaplen == 0 { wire_len } else { wire_len.min(snaplen) };
                Packet { interface: 0, ticks: None, at: 12, len, wire_len, drops: 0 }
            }
            block::INTERFACE | block::STATISTICS | block::PACKET | block::OLD_PACKET | block::SIMPLE_PACKET => {
                info.problems.note("bad-block", true, info.number, offset, || {
                    let least = block::least(kind).unwrap_or(FRAME);
                    format!("a block of type {kind} takes {least} bytes at least, {total} were there; passed over")
                });
                return;
            }
            _ => {
                info.number += u64::from(block::is_numbered(kind, &block[8..total - 4]));
                return;
            }
        };
        self.packet(buffer, info, frames, &packet, total);
    }

    /// Hands out the packet of a block, and reports what is odd about it.
    fn packet(&mut self, buffer: &Buffer, info: &mut Info, frames: &mut Vec<Frame>, packet: &Packet, total: usize) {
        let (block, offset) = (&buffer.unread()[..total], buffer.offset());
        let Packet { interface, ticks, at, mut len, mut wire_len, mut drops } = *packet;
        info.number += 1;
        let Some(&source) = self.section.sources.get(interface as usize) else {
            info.problems.note("unknown-interface", true, info.number, offset, || {
                let count = self.section.sources.len();
                format!("{count} interfaces were described, one {interface} was used; its link type is unknown and its packets were not read")
            });
            return;
        };
        let room = (total - at - 4) as u32;
        if len > room {
            info.problems.note("bad-packet-length", true, info.number, offset, || {
                format!("the block has room for {room} captured bytes, {len} were claimed; at most {room} taken")
            });
            len = room.min(wire_len);
        }
        if wire_len < len {
            info.problems.note("odd-length", false, info.number, offset, || {
                format!("the block says {len} bytes captured of {wire_len} on the wire; {len} taken for both")
            });
            wire_len = len;
        }
        let options = at + (len as usize).next_multiple_of(4);
        let mut process = 0;
        if ticks.is_some() {
            let options = block.get(options..total - 4).unwrap_or_default();
            let (before, code) = self.section.packet_options(options, info, offset);
            drops = drops.saturating_add(before);
            process = code;
        }
        if let Some(known) = info.interfaces.get_mut(usize::from(source.index)) {
            known.dropped_between_packets = known.dropped_between_packets.saturating_add(drops);
        }
        let time_ns = match ticks.map(|ticks| source.clock.nanoseconds(ticks)) {
            Some(Ok(time)) => time,
            Some(Err(nearest)) => {
                info.problems.note("odd-timestamp", false, info.number, offset, || {
                    format!("a time between 1677 and 2262 was expected, the block's is beyond; {nearest} ns taken")
                });
                nearest
            }
            None => {
                info.problems.note("no-timestamp", false, info.number, offset, || {
                    "a simple packet block has no time; the time of the packet before it was taken".to_string()
                });
                self.last_ns
            }
        };
        self.last_ns = time_ns;
        frames.push(Frame {
            time_ns,
            number: info.number,
            file_offset: offset,
            at: buffer.position() + at,
            len,
            wire_len,
            link_type: source.link_type,
            interface: source.index,
            process,
        });
        info.tally(&frames[frames.len() - 1..]);
    }

    /// A section block without a known byte-order magic: the length that is repeated tells the order.
    fn unordered(&mut self, buffer: &mut Buffer, info: &mut Info) -> Result<Step, Paused> {
        buffer.free()?;
        let magic = Order::Big.u32(buffer.unread(), 8);
        for order in [Order::Little, Order::Big] {
            let total = order.u32(buffer.unread(), 4);
            let whole =
                block::is_length(total, SECTION_FRAME) && total <= COMMON_SNAPLEN && buffer.ensure(total as usize)?;
            if whole && order.u32(buffer.unread(), total as usize - 4) == total {
                let (offset, number) = (buffer.offset(), info.number);
                info.problems.note("bad-byte-order-magic", false, number, offset, || {
                    format!("1a2b3c4d was expected in either byte order, {magic:08x} was there; the order was taken from the block's lengths")
                });
                self.section.begin(order, &buffer.unread()[..total as usize], info, offset);
                buffer.advance(total as usize);
                return Ok(Step::Next);
            }
        }
        let expected = format!("1a2b3c4d was expected in either byte order, {magic:08x} was there");
        self.lost(buffer, info, (0, self.section.order), &expected)
    }

    /// A block with impossible lengths. What later blocks depend on is taken from it all the same.
    fn lost(
        &mut self,
        buffer: &mut Buffer,
        info: &mut Info,
        block: (u32, Order),
        expected: &str,
    ) -> Result<Step, Paused> {
        buffer.free()?;
        let offset = buffer.offset();
        self.salvage(buffer, info, block)?;
        let passed = self.resync(buffer, false);
        info.problems.note("bad-block", true, info.number, offset, || {
            format!("{expected}; {}", chain::outcome(passed, "block"))
        });
        Ok(if passed.1 { Step::Next } else { Step::End })
    }

    /// The block runs past the end of the file: cut, unless its length lies and blocks follow.
    fn past_the_end(
        &mut self,
        buffer: &mut Buffer,
        info: &mut Info,
        block: (u32, Order),
        total: u32,
    ) -> Result<Step, Paused> {
        buffer.free()?;
        let (offset, there) = (buffer.offset(), buffer.unread().len());
        self.salvage(buffer, info, block)?;
        let passed = self.resync(buffer, true);
        info.problems.note(if passed.1 { "bad-block" } else { "cut-short" }, true, info.number, offset, || {
            let done = if passed.1 { chain::outcome(passed, "block") } else { "read up to the block before".into() };
            format!("the block takes {total} bytes, {there} were there; {done}")
        });
        Ok(if passed.1 { Step::Next } else { Step::End })
    }

    /// Byte order and interfaces keep their places even when their blocks end wrongly.
    fn salvage(&mut self, buffer: &mut Buffer, info: &mut Info, (kind, order): (u32, Order)) -> Result<(), Paused> {
        let offset = buffer.offset();
        self.section.torn = true;
        if kind == block::SECTION && buffer.ensure(16)? {
            self.section.begin(order, buffer.unread(), info, offset);
        } else if kind == block::INTERFACE && buffer.ensure(16)? {
            self.section.interface(&buffer.unread()[..16], info, offset);
        }
        Ok(())
    }

    /// Moves to the next sound block. `strict`: the block may simply be cut, and what it carries may look
    /// like blocks, so there has to be a long row of them, or one that ends with the file.
    fn resync(&self, buffer: &mut Buffer, strict: bool) -> (u64, bool) {
        let (order, interfaces) = (self.section.order, self.section.sources.len());
        chain::search(buffer, |bytes, _| {
            let Ok(first) = block::sound(bytes, order, interfaces) else { return false };
            if !strict {
                return true;
            }
            // A section begins anew, so what follows is judged by its own order and interfaces.
            let (order, interfaces) = match block::section_order(bytes) {
                Some(own) if own.u32(bytes, 0) == block::SECTION => (own, 0),
                _ => (order, interfaces),
            };
            let found =
                chain::follow(&bytes[first..], RESYNC_BLOCKS, |rest| match block::sound(rest, order, interfaces) {
                    Ok(total) => Some(total),
                    Err(cut) => cut.then_some(usize::MAX),
                });
            matches!(found.stop, Stop::Enough | Stop::Exact)
        })
    }
}
