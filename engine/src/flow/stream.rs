//! One direction's TCP sequence space: which payload bytes were seen, which are missing, which came twice.
//!
//! Sequence arithmetic wraps (RFC 9293, 3.4); [`after`] is the only comparison used.

/// Missing ranges that are remembered per direction (`STREAM_HOLES`); past it the oldest is taken as lost.
pub const STREAM_HOLES: usize = 32;

/// A jump further ahead than any window allows (RFC 7323: 1 GiB) is a wild number, not lost data.
pub const WILD_JUMP: u32 = 1 << 30;

/// Whether `a` comes after `b` in sequence space.
#[inline]
pub fn after(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) > 0
}

/// What a segment's payload brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Bytes not seen before.
    pub new: u32,
    /// Whether the highest sequence number moved.
    pub advanced: bool,
}

/// The sequence space of one direction: what every segment touches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stream {
    /// One past the highest sequence number seen; meaningful once `begun`.
    pub next: u32,
    /// A sequence number has been seen.
    pub begun: bool,
    /// Some ranges below `next` are missing: [`Holes`] has them.
    holed: bool,
}

/// Ranges that were skipped and not seen since, each `[from, to)`, in the order they were met. A pointer: few flows have any.
#[allow(clippy::box_collection)] // a flow is copied more often than a hole is looked at
#[derive(Debug, Default)]
pub struct Holes(Option<Box<Vec<(u32, u32)>>>);

impl Stream {
    /// Starts at `sequence` (after a SYN, or with the first segment of a stream whose start was missed).
    #[inline]
    pub fn begin(&mut self, sequence: u32) {
        if !self.begun {
            self.begun = true;
            self.next = sequence;
        }
    }

    /// Takes `len` payload bytes at `sequence`. `len` is not 0.
    #[inline]
    pub fn take(&mut self, holes: &mut Holes, sequence: u32, len: u32) -> Brought {
        self.begin(sequence);
        if sequence == self.next {
            self.next = sequence.wrapping_add(len);
            return Brought { new: len, advanced: true };
        }
        self.take_out_of_order(holes, sequence, len)
    }

    #[cold]
    fn take_out_of_order(&mut self, holes: &mut Holes, sequence: u32, len: u32) -> Brought {
        let end = sequence.wrapping_add(len);
        if after(sequence, self.next) {
            if sequence.wrapping_sub(self.next) < WILD_JUMP {
                holes.add(self.next, sequence);
                self.holed = true;
            }
            self.next = end;
            return Brought { new: len, advanced: true };
        }
        let filled = holes.fill(sequence, end);
        self.holed = !holes.is_empty();
        if after(end, self.next) {
            let new = end.wrapping_sub(self.next);
            self.next = end;
            return Brought { new: new + filled, advanced: true };
        }
        Brought { new: filled, advanced: false }
    }

    /// The peer acknowledged up to `acknowledged`: how many ranges and bytes below it were never captured.
    ///
    /// They are given up: a later copy counts as a retransmission.
    #[inline]
    pub fn acknowledge(&mut self, holes: &mut Holes, acknowledged: u32) -> (u32, u64) {
        if !self.holed && !after(acknowledged, self.next) {
            return (0, 0);
        }
        self.give_up(holes, acknowledged)
    }

    #[cold]
    fn give_up(&mut self, holes: &mut Holes, acknowledged: u32) -> (u32, u64) {
        let ahead = after(acknowledged, self.next);
        if !self.begun || ahead && acknowledged.wrapping_sub(self.next) >= WILD_JUMP {
            return (0, 0);
        }
        let (mut gaps, mut bytes) = holes.give_up(acknowledged);
        self.holed = !holes.is_empty();
        if ahead {
            gaps += 1;
            bytes += u64::from(acknowledged.wrapping_sub(self.next));
            self.next = acknowledged;
        }
        (gaps, bytes)
    }
}

impl Holes {
    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn set(&mut self, ranges: Vec<(u32, u32)>) {
        self.0 = if ranges.is_empty() { None } else { Some(Box::new(ranges)) };
    }

    fn add(&mut self, from: u32, to: u32) {
        let ranges = self.0.get_or_insert_default();
        if ranges.len() == STREAM_HOLES {
            ranges.remove(0);
        }
        ranges.push((from, to));
    }

    /// Closes what `[from, to)` covers; returns how many bytes that was.
    fn fill(&mut self, from: u32, to: u32) -> u32 {
        let Some(ranges) = self.0.take() else { return 0 };
        let mut filled = 0;
        let mut left = Vec::with_capacity(ranges.len() + 1);
        for (start, end) in *ranges {
            let low = if after(from, start) { from } else { start };
            let high = if after(end, to) { to } else { end };
            if !after(high, low) {
                left.push((start, end));
                continue;
            }
            filled += high.wrapping_sub(low);
            if after(low, start) {
                left.push((start, low));
            }
            if after(end, high) {
                left.push((high, end));
            }
        }
        left.truncate(STREAM_HOLES);
        self.set(left);
        filled
    }

    /// Forgets what lies below `acknowledged`; returns how many ranges and bytes that was.
    fn give_up(&mut self, acknowledged: u32) -> (u32, u64) {
        let Some(ranges) = self.0.take() else { return (0, 0) };
        let (mut gaps, mut bytes) = (0, 0);
        let mut left = Vec::new();
        for (start, end) in *ranges {
            if !after(acknowledged, start) {
                left.push((start, end));
                continue;
            }
            gaps += 1;
            let high = if after(end, acknowledged) { acknowledged } else { end };
            bytes += u64::from(high.wrapping_sub(start));
            if after(end, high) {
                left.push((high, end));
            }
        }
        self.set(left);
        (gaps, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_order_are_new_and_repeated_ones_are_not() {
        let (mut stream, mut holes) = (Stream::default(), Holes::default());
        stream.begin(1000);
        assert_eq!(stream.take(&mut holes, 1000, 100), Brought { new: 100, advanced: true });
        assert_eq!(stream.take(&mut holes, 1000, 100), Brought { new: 0, advanced: false });
        assert_eq!(stream.take(&mut holes, 1050, 100), Brought { new: 50, advanced: true });
    }

    #[test]
    fn a_hole_is_filled_by_parts_and_counts_each_byte_once() {
        let (mut stream, mut holes) = (Stream::default(), Holes::default());
        stream.begin(0);
        assert_eq!(stream.take(&mut holes, 300, 100).new, 100);
        assert_eq!(stream.take(&mut holes, 100, 50).new, 50);
        assert_eq!(stream.take(&mut holes, 0, 300).new, 250);
        assert_eq!(stream.take(&mut holes, 0, 300).new, 0);
        assert_eq!(stream.acknowledge(&mut holes, 400), (0, 0));
    }

    #[test]
    fn an_acknowledged_hole_is_a_gap() {
        let (mut stream, mut holes) = (Stream::default(), Holes::default());
        stream.begin(0);
        stream.take(&mut holes, 0, 10);
        stream.take(&mut holes, 20, 10);
        assert_eq!(stream.acknowledge(&mut holes, 10), (0, 0));
        assert_eq!(stream.acknowledge(&mut holes, 30), (1, 10));
        assert_eq!(stream.take(&mut holes, 10, 10).new, 0);
    }

    #[test]
    fn bytes_acknowledged_past_the_highest_seen_are_a_gap() {
        let (mut stream, mut holes) = (Stream::default(), Holes::default());
        stream.begin(0);
        stream.take(&mut holes, 0, 10);
        assert_eq!(stream.acknowledge(&mut holes, 1010), (1, 1000));
        assert_eq!(stream.take(&mut holes, 1010, 5), Brought { new: 5, advanced: true });
    }

    #[test]
    fn sequence_numbers_wrap() {
        let (mut stream, mut holes) = (Stream::default(), Holes::default());
        stream.begin(u32::MAX - 9);
        assert_eq!(stream.take(&mut holes, u32::MAX - 9, 20).new, 20);
        assert_eq!(stream.next, 10);
        assert!(after(5, u32::MAX));
    }

    #[test]
    fn a_wild_acknowledgement_is_no_gap() {
        let (mut stream, mut holes) = (Stream::default(), Holes::default());
        stream.begin(0);
        stream.take(&mut holes, 0, 10);
        assert_eq!(stream.acknowledge(&mut holes, 0x5000_0000), (0, 0));
    }

    #[test]
    fn holes_are_bounded() {
        let (mut stream, mut holes) = (Stream::default(), Holes::default());
        stream.begin(0);
        for n in 1..1000_u32 {
            stream.take(&mut holes, n * 100, 10);
        }
        assert!(holes.0.as_ref().is_some_and(|ranges| ranges.len() <= STREAM_HOLES));
    }
}
