//! Records of pcap files (draft-ietf-opsawg-pcap).

use super::buffer::{Buffer, Paused, Window};
use super::chain::{self, Stop};
use super::info::{Info, Interface};
use super::limits::{COMMON_SNAPLEN, MAX_RECORD, RESYNC_RECORDS, RESYNC_SECONDS};
use super::order::Order;
use super::variant::{self, Layout};
use super::{Frame, Step};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
/// Bytes by which the layout of records is told.
const SETTLE_AHEAD: usize = 256 << 10;
/// Before this (January 1987) a record that no earlier one vouches for is no record.
const OLDEST: u32 = 1 << 29;

/// Byte order, nanoseconds, and whether the record headers are the longer ones, by the first four
/// bytes read as little-endian.
pub(super) fn magic(magic: u32) -> Option<(Order, bool, bool)> {
    [(Order::Little, magic), (Order::Big, magic.swap_bytes())].into_iter().find_map(|(order, magic)| match magic {
        0xa1b2_c3d4 => Some((order, false, false)),
        0xa1b2_3c4d => Some((order, true, false)),
        0xa1b2_cd34 => Some((order, false, true)),
        _ => None,
    })
}

/// Reading state of one pcap file.
#[derive(Clone, Default)]
pub(super) struct Pcap {
    layout: Layout,
    stage: Stage,
    /// Record headers may be of the longer kinds with the modified magic number.
    modified: bool,
    /// Nanoseconds of one unit of the fraction field.
    unit: u32,
    /// Captured length above which a record is damage.
    longest: u32,
    /// Old writers stored the two lengths in the other order.
    swapped_lengths: bool,
    link_type: u16,
    interface: u16,
    /// Seconds field of the last sound record.
    last_seconds: Option<u32>,
}

/// What comes next in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The file header.
    #[default]
    Header,
    /// The first record, with which `layout` is still to be compared.
    First,
    /// Records.
    Records,
}

/// The fields of a record header.
#[derive(Clone, Copy)]
struct Record {
    seconds: u32,
    fraction: u32,
    len: u32,
    wire_len: u32,
}

impl Record {
    #[inline]
    fn new(header: &[u8; RECORD_HEADER], order: Order) -> Record {
        Record {
            seconds: order.u32(header, 0),
            fraction: order.u32(header, 4),
            len: order.u32(header, 8),
            wire_len: order.u32(header, 12),
        }
    }
}

impl Pcap {
    /// Hands out the frames at hand, or else deals with one record.
    pub fn step(
        &mut self,
        buffer: &mut Buffer,
        info: &mut Info,
        frames: &mut Vec<Frame>,
        max: usize,
    ) -> Result<Step, Paused> {
        if self.stage == Stage::Header {
            return self.begin(buffer, info);
        }
        if self.walks() {
            let before = frames.len();
            let consumed = self.walk(buffer.window(), info.number, frames, max);
            if let Some(last) = frames[before..].last() {
                self.note(last);
                info.number = last.number;
                info.tally(&frames[before..]);
                buffer.advance(consumed);
                return Ok(Step::Next);
            }
        }
        self.record(buffer, info, frames)
    }

    /// Whether the layout of the records is known, and [`Pcap::walk`] can read them.
    pub fn walks(&self) -> bool {
        self.stage == Stage::Records && !self.swapped_lengths
    }

    /// Takes it that records have been read up to that frame.
    #[inline]
    pub fn note(&mut self, last: &Frame) {
        self.last_seconds = u32::try_from(last.time_ns / 1_000_000_000).ok();
    }

    /// The fast path: sound records that lie in the window whole. Returns the bytes they take.
    #[inline]
    pub fn walk(&self, window: Window<'_>, number: u64, frames: &mut Vec<Frame>, max: usize) -> usize {
        match self.layout.order {
            Order::Little => self.walk_in::<false>(window, number, frames, max),
            Order::Big => self.walk_in::<true>(window, number, frames, max),
        }
    }

    #[inline]
    fn walk_in<const BIG: bool>(&self, window: Window<'_>, number: u64, frames: &mut Vec<Frame>, max: usize) -> usize {
        let order = if BIG { Order::Big } else { Order::Little };
        let Window { bytes, position, offset } = window;
        let head = RECORD_HEADER + self.layout.extra;
        let (unit, most) = (self.unit, 1_000_000_000 / self.unit);
        let mut at = 0;
        let number = number + 1 - frames.len() as u64;
        frames.reserve(max.min(1024));
        while frames.len() < max {
            let Some(header) = bytes.get(at..).and_then(<[u8]>::first_chunk) else { break };
            let record = Record::new(header, order);
            let start = at + head;
            let end = start + record.len as usize;
            // A length of zero wraps round and is left to the slow path.
            let sound = record.len.wrapping_sub(1) < self.longest
                && record.len <= record.wire_len
                && record.wire_len <= COMMON_SNAPLEN
                && record.fraction < most
                && end <= bytes.len();
            if !sound {
                break;
            }
            frames.push(Frame {
                time_ns: i64::from(record.seconds) * 1_000_000_000 + i64::from(record.fraction) * i64::from(unit),
                number: number + frames.len() as u64,
                file_offset: offset + at as u64,
                at: position + start,
                len: record.len,
                wire_len: record.wire_len,
                link_type: self.link_type,
                interface: self.interface,
                process: 0,
            });
            at = end;
        }
        at
    }

    /// Reads the file header.
    fn begin(&mut self, buffer: &mut Buffer, info: &mut Info) -> Result<Step, Paused> {
        if !buffer.ensure(FILE_HEADER)? {
            let there = buffer.unread().len();
            info.problems.note("cut-short", true, info.number, buffer.offset(), || {
                format!("a pcap file header takes {FILE_HEADER} bytes, {there} were there; nothing could be read")
            });
            return Ok(Step::End);
        }
        let header = buffer.unread();
        let Some((order, nanoseconds, modified)) = magic(Order::Little.u32(header, 0)) else { return Ok(Step::End) };
        let (major, minor) = (order.u16(header, 4), order.u16(header, 6));
        let (snaplen, network) = (order.u32(header, 16), order.u32(header, 20));
        if major != 2 {
            info.problems.note("unknown-version", false, info.number, buffer.offset(), || {
                format!("pcap version 2.4 was expected, {major}.{minor} was there; read as 2.4")
            });
        }
        let longest = if snaplen == 0 { MAX_RECORD } else { snaplen.clamp(COMMON_SNAPLEN, MAX_RECORD) };
        // The upper half holds the length of the frame check sequence and its flag.
        let link_type = network as u16;
        let aix = variant::of_aix((major, minor), link_type);
        let (link_type, nanoseconds) = (aix.unwrap_or(link_type), nanoseconds || aix.is_some());
        let resolution = if nanoseconds { 9 } else { 6 };
        info.nanoseconds |= nanoseconds;
        // One capture behind another is mostly of the same interface.
        let same = info.interfaces.last().is_some_and(|last| last.link_type == link_type && last.snaplen == snaplen);
        if !same {
            info.add_interface(Interface { link_type, snaplen, resolution, ..Interface::default() });
        }
        let interface = info.interfaces.len().saturating_sub(1) as u16;
        *self = Pcap {
            layout: Layout { order, extra: if modified { 8 } else { 0 } },
            stage: Stage::First,
            modified,
            unit: if nanoseconds { 1 } else { 1000 },
            longest,
            swapped_lengths: major == 2 && minor < 3 && aix.is_none(),
            link_type,
            interface,
            last_seconds: None,
        };
        buffer.advance(FILE_HEADER);
        Ok(Step::Next)
    }

    /// The record header at the start of `bytes`.
    fn parse(&self, bytes: &[u8]) -> Option<Record> {
        let mut record = Record::new(bytes.first_chunk()?, self.layout.order);
        if self.swapped_lengths {
            (record.len, record.wire_len) = (record.wire_len, record.len);
        }
        Some(record)
    }

    /// The slow path: one record, whatever it is like.
    #[cold]
    fn record(&mut self, buffer: &mut Buffer, info: &mut Info, frames: &mut Vec<Frame>) -> Result<Step, Paused> {
        let head = RECORD_HEADER + self.layout.extra;
        if !buffer.ensure(head)? {
            return Ok(Self::tail(head, buffer, info));
        }
        if self.stage == Stage::First {
            // What follows the begin of a file is at hand with it; within one, as much is asked for.
            if buffer.is_file() && info.number > 0 {
                buffer.free()?;
                buffer.ensure(SETTLE_AHEAD)?;
            }
            self.settle(buffer, info);
            return Ok(Step::Next);
        }
        let Some(record) = self.parse(buffer.unread()) else { return Ok(Step::End) };
        if record.len == 0 {
            let begins = magic(Order::Little.u32(buffer.unread(), 0)).is_some();
            if begins && [[2, 0, 4, 0], [0, 2, 0, 4]].contains(&version(buffer.unread())) {
                return self.again(buffer, info);
            }
            if buffer.unread()[..RECORD_HEADER] == [0; RECORD_HEADER] {
                return self.zeros(buffer, info);
            }
        }
        if record.len > self.longest {
            let expected =
                format!("at most {} captured bytes were expected, {} were claimed", self.longest, record.len);
            return self.lost(buffer, info, &expected);
        }
        let jumps = self.last_seconds.is_some_and(|last| last.abs_diff(record.seconds) > RESYNC_SECONDS);
        if jumps && record.wire_len > COMMON_SNAPLEN {
            // Either alone may be true; together they are what a header looks like some bytes too late.
            let Record { seconds, wire_len, .. } = record;
            let expected = format!(
                "a time near the record before was expected, {seconds} s with {wire_len} bytes on the wire was there"
            );
            return self.lost(buffer, info, &expected);
        }
        if !buffer.ensure(head + record.len as usize)? {
            return self.past_the_end(buffer, info, record);
        }
        self.push(buffer, info, frames, record);
        Ok(Step::Next)
    }

    /// Hands out a record that is whole, and reports what is odd about it.
    fn push(&mut self, buffer: &mut Buffer, info: &mut Info, frames: &mut Vec<Frame>, record: Record) {
        let head = RECORD_HEADER + self.layout.extra;
        let (offset, Record { seconds, fraction, len, wire_len }) = (buffer.offset(), record);
        info.number += 1;
        if fraction >= 1_000_000_000 / self.unit {
            let most = 1_000_000_000 / self.unit;
            info.problems.note("odd-timestamp", false, info.number, offset, || {
                format!("the fraction of the second was expected below {most}, {fraction} was there; carried over")
            });
        }
        if wire_len < len {
            info.problems.note("odd-length", false, info.number, offset, || {
                format!("the record says {len} bytes captured of {wire_len} on the wire; {len} taken for both")
            });
        }
        frames.push(Frame {
            time_ns: i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * i64::from(self.unit),
            number: info.number,
            file_offset: offset,
            at: buffer.position() + head,
            len,
            wire_len: wire_len.max(len),
            link_type: self.link_type,
            interface: self.interface,
            process: 0,
        });
        info.tally(&frames[frames.len() - 1..]);
        self.last_seconds = Some(seconds);
        buffer.advance(head + len as usize);
    }

    /// Settles on a layout, by the records at hand (a live source may have sent only one yet).
    fn settle(&mut self, buffer: &Buffer, info: &mut Info) {
        let likely = self.layout;
        let other = likely.order.other();
        let order = likely.order;
        let others: &[Layout] = if self.modified {
            &[Layout { order, extra: 12 }, Layout { order, extra: 0 }, Layout { order: other, extra: 8 }]
        } else {
            &[Layout { order, extra: 8 }, Layout { order, extra: 4 }, Layout { order: other, extra: 0 }]
        };
        let most = 1_000_000_000 / self.unit;
        let ahead = &buffer.unread()[..buffer.unread().len().min(SETTLE_AHEAD)];
        self.layout = variant::choose(ahead, likely, others, |fraction, len| fraction < most && len <= self.longest);
        self.stage = Stage::Records;
        if self.layout != likely {
            let Layout { order, extra } = self.layout;
            info.problems.note("odd-record-layout", false, info.number, buffer.offset(), || {
                format!(
                    "{:?}-endian record headers of {} bytes were expected by the file header; the records have \
                     {order:?}-endian headers of {} bytes and are read so",
                    likely.order,
                    RECORD_HEADER + likely.extra,
                    RECORD_HEADER + extra
                )
            });
        }
    }

    /// Fewer bytes are left than a record header takes.
    fn tail(head: usize, buffer: &Buffer, info: &mut Info) -> Step {
        let left = buffer.unread();
        if !left.is_empty() {
            let (there, what) = (left.len(), if left.iter().all(|&byte| byte == 0) { "zero bytes" } else { "bytes" });
            info.problems.note("cut-short", true, info.number, buffer.offset(), || {
                format!("a record header takes {head} bytes, {there} {what} were there; read up to the record before")
            });
        }
        Step::End
    }

    /// A second file header: captures that were put one behind the other.
    fn again(&mut self, buffer: &Buffer, info: &mut Info) -> Result<Step, Paused> {
        buffer.free()?;
        info.problems.note("second-file-header", false, info.number, buffer.offset(), || {
            "a record was expected, the file header of another capture was there; read on as that capture".to_string()
        });
        self.stage = Stage::Header;
        Ok(Step::Next)
    }

    /// Zeros where a record should be: blocks of a disk that were never written.
    fn zeros(&self, buffer: &mut Buffer, info: &mut Info) -> Result<Step, Paused> {
        buffer.free()?;
        let offset = buffer.offset();
        let passed = self.resync(buffer, false);
        info.problems.note("zero-filled", true, info.number, offset, || {
            format!("a record header was expected, zeros were there; {}", chain::outcome(passed, "record"))
        });
        Ok(if passed.1 { Step::Next } else { Step::End })
    }

    /// A record header that cannot be one.
    fn lost(&self, buffer: &mut Buffer, info: &mut Info, expected: &str) -> Result<Step, Paused> {
        buffer.free()?;
        let offset = buffer.offset();
        let passed = self.resync(buffer, false);
        info.problems.note("bad-record", true, info.number, offset, || {
            format!("{expected}; {}", chain::outcome(passed, "record"))
        });
        Ok(if passed.1 { Step::Next } else { Step::End })
    }

    /// The record runs past the end of the file: cut, unless its length lies and records follow.
    fn past_the_end(&self, buffer: &mut Buffer, info: &mut Info, record: Record) -> Result<Step, Paused> {
        buffer.free()?;
        let (offset, there) = (buffer.offset(), buffer.unread().len());
        let head = RECORD_HEADER + self.layout.extra;
        let passed = self.resync(buffer, true);
        let name = if passed.1 || record.len > COMMON_SNAPLEN { "bad-record" } else { "cut-short" };
        info.problems.note(name, true, info.number, offset, || {
            let needed = head + record.len as usize;
            let done = if passed.1 { chain::outcome(passed, "record") } else { "read up to the record before".into() };
            format!("the record takes {needed} bytes, {there} were there; {done}")
        });
        Ok(if passed.1 { Step::Next } else { Step::End })
    }

    /// Moves to the next chain of plausible records. `strict`: the record may simply be cut, and what it
    /// carries may itself look like records, so their times have to fit the records before.
    fn resync(&self, buffer: &mut Buffer, strict: bool) -> (u64, bool) {
        chain::search(buffer, |bytes, ended| {
            // Most places fail here, at the price of one header.
            self.plausible(bytes, None).is_some() && self.in_step(bytes, ended, strict)
        })
    }

    fn in_step(&self, bytes: &[u8], ended: bool, strict: bool) -> bool {
        let Some(first) = self.parse(bytes) else { return false };
        let vouched = self.last_seconds.is_some_and(|last| last.abs_diff(first.seconds) <= RESYNC_SECONDS);
        if strict && !vouched {
            return false;
        }
        let mut before = first.seconds;
        let found = chain::follow(bytes, RESYNC_RECORDS, |rest| {
            let (end, seconds) = self.plausible(rest, Some(before))?;
            before = seconds;
            Some(end)
        });
        match found.stop {
            Stop::Enough => vouched || first.seconds >= OLDEST,
            Stop::Exact if ended => vouched || found.links > 1 && first.seconds >= OLDEST,
            Stop::Exact | Stop::Open => vouched && found.links > 1,
            Stop::Broken => false,
        }
    }

    /// Whether a row of plausible records begins there.
    pub fn begins(&self, bytes: &[u8]) -> bool {
        let mut before = None;
        let found = chain::follow(bytes, RESYNC_RECORDS, |rest| {
            let (end, seconds) = self.plausible(rest, before)?;
            before = Some(seconds);
            Some(end)
        });
        found.stop == Stop::Enough
    }

    /// Bytes of the record that begins there, if it is a plausible one.
    pub fn length(&self, bytes: &[u8]) -> Option<usize> {
        self.plausible(bytes, None).map(|(end, _)| end)
    }

    /// Where a plausible record ends, and its time; a header that is cut short may be one.
    fn plausible(&self, bytes: &[u8], before: Option<u32>) -> Option<(usize, u32)> {
        let head = RECORD_HEADER + self.layout.extra;
        let Some(record) = self.parse(bytes) else { return before.map(|before| (head, before)) };
        let sound = record.len.wrapping_sub(1) < self.longest
            && record.len <= record.wire_len
            && record.wire_len <= MAX_RECORD
            && record.fraction < 1_000_000_000 / self.unit
            && before.is_none_or(|before| before.abs_diff(record.seconds) <= RESYNC_SECONDS);
        sound.then_some((head + record.len as usize, record.seconds))
    }
}

/// The version field of what may be a file header.
fn version(bytes: &[u8]) -> [u8; 4] {
    bytes.get(4..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default()
}
