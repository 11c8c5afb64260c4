//! IP datagrams put together from their fragments (RFC 791, 3.2; RFC 8200, 4.5; RFC 5722 for overlaps).
//!
//! Bounded in time, in datagrams and in bytes. Of bytes seen twice the first stay. Fragments cut by the snap length
//! count with the length their header states; their missing bytes are missing in the datagram.

use std::collections::{HashMap, VecDeque};

use super::Address;
use super::outcome::Counts;
use super::walk::{Ip, Walk, saturated};

/// How long a datagram may take: Zeek's `frag_timeout`.
pub const FRAGMENT_TIMEOUT_NS: u64 = 300_000_000_000;
/// Most datagrams kept at once, and most rebuilt ones remembered.
pub const FRAGMENT_TABLE: usize = 16_384;
/// Most memory the kept fragments may take, in bytes.
pub const FRAGMENT_BYTES: usize = 64 << 20;
/// How long a rebuilt datagram is remembered, so that copies of its fragments (mirror ports send them) are dropped.
/// Short, because senders use the 16-bit identification again within seconds.
pub const FRAGMENT_COPY_NS: u64 = 100_000_000;
/// Largest datagram payload.
const LARGEST: u32 = 65_535;
/// What one stretch of a datagram costs in memory beside its bytes, generously.
const STRETCH_COST: usize = 16;

/// What fragments of one datagram have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub source: Address,
    pub destination: Address,
    pub id: u32,
    pub version: u8,
    /// IPv4 only: RFC 791 makes it part of the identity, RFC 8200 does not.
    pub protocol: u8,
}

/// One fragment, as its headers say; its bytes are the rest of the walk.
pub(super) struct Piece {
    pub key: Key,
    pub ip: Ip,
    /// Bytes of IP headers before the fragment's payload, without IPv6's fragment header.
    pub header_len: u32,
    pub offset: u32,
    pub last: bool,
}

/// A datagram that is handed out.
pub(super) struct Datagram {
    pub ip: Ip,
    /// Path to it: VLAN tags, tunnels. Position and bytes in it mean nothing.
    pub walk: Walk<'static>,
    /// The payload from its start to the first byte that was not captured.
    pub bytes: Vec<u8>,
    /// Length of the payload; of an incomplete datagram the bytes its fragments stated.
    pub length: u32,
    pub complete: bool,
}

/// Ordered stretches of bytes that neither overlap nor touch.
#[derive(Default)]
struct Stretches(Vec<(u32, u32)>);

impl Stretches {
    /// Adds `from..to` and calls `gap` with each part of it that was not there yet. Returns how many bytes were new.
    fn add(&mut self, from: u32, to: u32, mut gap: impl FnMut(u32, u32)) -> u32 {
        if from >= to {
            return 0;
        }
        // Touching stretches are merged, so they are part of the range that is replaced.
        let first = self.0.partition_point(|&(_, end)| end < from);
        let after = self.0.partition_point(|&(begin, _)| begin <= to);
        let (mut at, mut new) = (from, 0);
        for &(begin, end) in &self.0[first..after] {
            if at < begin {
                gap(at, begin);
                new += begin - at;
            }
            at = at.max(end);
        }
        if at < to {
            gap(at, to);
            new += to - at;
        }
        let begin = self.0[first..after].first().map_or(from, |&(begin, _)| begin.min(from));
        let end = self.0[first..after].last().map_or(to, |&(_, end)| end.max(to));
        self.0.splice(first..after, [(begin, end)]);
        new
    }

    /// End of the stretch that begins at 0.
    fn prefix(&self) -> u32 {
        self.0.first().filter(|&&(begin, _)| begin == 0).map_or(0, |&(_, end)| end)
    }

    fn total(&self) -> u32 {
        self.0.iter().map(|&(begin, end)| end - begin).sum()
    }

    fn end(&self) -> u32 {
        self.0.last().map_or(0, |&(_, end)| end)
    }
}

struct Entry {
    serial: u64,
    started_ns: i64,
    latest_ns: i64,
    fragments: u64,
    /// Of the fragment with offset 0, once seen.
    start: Option<(Ip, u32)>,
    walk: Walk<'static>,
    /// As the headers state.
    stated: Stretches,
    captured: Stretches,
    bytes: Vec<u8>,
    /// Payload length, known from the last fragment.
    length: Option<u32>,
}

impl Entry {
    fn cost(&self) -> usize {
        self.bytes.capacity() + (self.stated.0.capacity() + self.captured.0.capacity()) * STRETCH_COST
    }
}

/// The datagrams that are not whole yet.
pub(super) struct Table {
    /// Most datagrams, and most bytes of memory.
    most: usize,
    most_bytes: usize,
    entries: HashMap<Key, Entry>,
    /// In order of arrival; may name entries that are gone or were begun anew.
    order: VecDeque<(Key, u64)>,
    serial: u64,
    cost: usize,
    /// Datagrams rebuilt lately, with the time and their length, to know copies of their fragments.
    rebuilt: HashMap<Key, (i64, u32)>,
    rebuilt_order: VecDeque<(Key, i64)>,
    /// Datagrams to hand out, whole and given up ones.
    pub ready: VecDeque<Datagram>,
}

impl Table {
    /// Keeps so many datagrams at most, and so many bytes of memory.
    pub fn new(most: usize, most_bytes: usize) -> Table {
        Table {
            most,
            most_bytes,
            entries: HashMap::new(),
            order: VecDeque::new(),
            serial: 0,
            cost: 0,
            rebuilt: HashMap::new(),
            rebuilt_order: VecDeque::new(),
            ready: VecDeque::new(),
        }
    }

    /// An empty one of the same size.
    pub fn alike(&self) -> Table {
        Table::new(self.most, self.most_bytes)
    }

    /// Takes the fragment at `walk`. Datagrams that become whole or are given up for it stand in `ready`.
    pub fn add(&mut self, walk: &Walk, piece: &Piece, counts: &mut Counts) {
        let from = piece.offset;
        let to = from.saturating_add(saturated(walk.on_wire())).min(LARGEST);
        let now = walk.time_ns;
        self.expire(now, counts);
        if self
            .rebuilt
            .get(&piece.key)
            .is_some_and(|&(at_ns, length)| to <= length && now.abs_diff(at_ns) <= FRAGMENT_COPY_NS)
        {
            counts.fragments_repeated += 1;
            return;
        }
        let entry = self.entries.entry(piece.key).or_insert_with(|| {
            self.serial += 1;
            self.order.push_back((piece.key, self.serial));
            Entry::new(self.serial, walk)
        });
        self.cost -= entry.cost();
        entry.add(walk, piece, (from, to), counts);
        let whole = entry.whole();
        self.cost += entry.cost();
        if whole && let Some(entry) = self.remove(&piece.key) {
            counts.datagrams_rebuilt += 1;
            let datagram = entry.finish();
            self.rebuilt.insert(piece.key, (now, datagram.length));
            self.rebuilt_order.push_back((piece.key, now));
            self.ready.push_back(datagram);
        }
        while self.cost > self.most_bytes || self.entries.len() > self.most {
            let Some((key, serial)) = self.order.pop_front() else { break };
            if self.is_current(&key, serial) {
                counts.fragment_limit_reached += 1;
                self.give_up(&key, counts);
            }
        }
        // Entries that were removed on the way leave their names behind.
        if self.order.len() > 2 * self.entries.len() + 64 {
            let entries = &self.entries;
            self.order.retain(|(key, serial)| entries.get(key).is_some_and(|entry| entry.serial == *serial));
        }
    }

    /// Gives up everything that is left.
    pub fn finish(&mut self, counts: &mut Counts) {
        while let Some((key, serial)) = self.order.pop_front() {
            if self.is_current(&key, serial) {
                self.give_up(&key, counts);
            }
        }
    }

    fn is_current(&self, key: &Key, serial: u64) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.serial == serial)
    }

    /// Forgets what is too old. Clocks may be set back, so what lies too far ahead counts as old, too.
    fn expire(&mut self, now: i64, counts: &mut Counts) {
        while let Some(&(key, serial)) = self.order.front() {
            if self.is_current(&key, serial) {
                let Some(entry) = self.entries.get(&key) else { break };
                if now.abs_diff(entry.started_ns) <= FRAGMENT_TIMEOUT_NS {
                    break;
                }
                self.give_up(&key, counts);
            }
            self.order.pop_front();
        }
        while let Some(&(key, time_ns)) = self.rebuilt_order.front() {
            if now.abs_diff(time_ns) <= FRAGMENT_COPY_NS && self.rebuilt_order.len() <= self.most {
                break;
            }
            self.rebuilt_order.pop_front();
            if self.rebuilt.get(&key).is_some_and(|&(latest_ns, _)| latest_ns == time_ns) {
                self.rebuilt.remove(&key);
            }
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.cost -= entry.cost();
        Some(entry)
    }

    fn give_up(&mut self, key: &Key, counts: &mut Counts) {
        let Some(entry) = self.remove(key) else { return };
        if entry.start.is_some() {
            counts.datagrams_incomplete += 1;
            self.ready.push_back(entry.finish());
        } else {
            counts.fragments_without_start += entry.fragments;
        }
    }
}

impl Entry {
    fn new(serial: u64, walk: &Walk) -> Entry {
        Entry {
            serial,
            started_ns: walk.time_ns,
            latest_ns: walk.time_ns,
            fragments: 0,
            start: None,
            walk: walk.without_data(),
            stated: Stretches::default(),
            captured: Stretches::default(),
            bytes: Vec::new(),
            length: None,
        }
    }

    fn add(&mut self, walk: &Walk, piece: &Piece, (from, to): (u32, u32), counts: &mut Counts) {
        self.latest_ns = walk.time_ns;
        self.fragments += 1;
        if from == 0 && self.start.is_none() {
            self.start = Some((piece.ip, piece.header_len));
            self.walk = walk.without_data();
        }
        // Beyond the end that the last fragment stated there is nothing.
        let to = to.min(self.length.unwrap_or(to));
        let new = self.stated.add(from, to, |_, _| {});
        if new != 0 && new < to - from {
            counts.fragments_overlapping += 1;
        }
        if piece.last && self.length.is_none() {
            self.length = Some(self.stated.end().max(to));
        }
        let captured = walk.captured();
        let captured_to = to.min(from.saturating_add(saturated(captured.len())));
        if captured_to as usize > self.bytes.len() {
            self.bytes.resize(captured_to as usize, 0);
        }
        let bytes = &mut self.bytes;
        self.captured.add(from, captured_to, |gap_from, gap_to| {
            let source = captured.get((gap_from - from) as usize..(gap_to - from) as usize);
            let target = bytes.get_mut(gap_from as usize..gap_to as usize);
            if let (Some(source), Some(target)) = (source, target) {
                target.copy_from_slice(source);
            }
        });
    }

    fn whole(&self) -> bool {
        self.start.is_some() && self.length.is_some_and(|length| self.stated.prefix() >= length)
    }

    /// What is there, to be handed out.
    fn finish(self) -> Datagram {
        let complete = self.whole();
        let length = if complete { self.length.unwrap_or_default() } else { self.stated.total() };
        let (mut ip, header_len) = self.start.unwrap_or_default();
        ip.length = header_len + length;
        let walk = Walk { time_ns: self.latest_ns, ..self.walk };
        let mut bytes = self.bytes;
        bytes.truncate(self.captured.prefix().min(length) as usize);
        Datagram { ip, walk, bytes, length, complete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_merge_when_they_touch_and_report_only_what_is_new() {
        let mut stretches = Stretches::default();
        assert_eq!(stretches.add(8, 16, |_, _| {}), 8);
        assert_eq!(stretches.add(24, 32, |_, _| {}), 8);
        let mut gaps = Vec::new();
        assert_eq!(stretches.add(0, 28, |from, to| gaps.push((from, to))), 16);
        assert_eq!(gaps, [(0, 8), (16, 24)]);
        assert_eq!(stretches.0, [(0, 32)]);
        assert_eq!(stretches.add(4, 12, |_, _| panic!("nothing is new")), 0);
        assert_eq!((stretches.prefix(), stretches.total(), stretches.end()), (32, 32, 32));
    }

    #[test]
    fn an_empty_stretch_adds_nothing() {
        let mut stretches = Stretches::default();
        assert_eq!(stretches.add(8, 8, |_, _| panic!("nothing is new")), 0);
        assert_eq!(stretches.prefix(), 0);
    }
}
