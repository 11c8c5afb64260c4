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
    /// Those of them that had been acknowledged before, and were told to be missing.
    pub late: u32,
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
    /// Some ranges below `next` are missing that were not acknowledged yet: [`Holes`] has them.
    holed: bool,
}

/// Ranges that were skipped and not seen since, in the order they were met. A pointer: few flows have any.
#[allow(clippy::box_collection)] // a flow is copied more often than a hole is looked at
#[derive(Debug, Default)]
pub struct Holes(Option<Box<Vec<Hole>>>);

/// One of them, `[from, to)`.
#[derive(Clone, Copy, Debug)]
struct Hole {
    from: u32,
    to: u32,
    /// It was acknowledged, and is a gap if it is never seen. A capture may have an acknowledgement before the bytes that it
    /// is for: the two directions come by different ways.
    told: bool,
}

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
            return Brought { new: len, late: 0, advanced: true };
        }
        self.take_out_of_order(holes, sequence, len)
    }

    #[cold]
    fn take_out_of_order(&mut self, holes: &mut Holes, sequence: u32, len: u32) -> Brought {
        let end = sequence.wrapping_add(len);
        if after(sequence, self.next) {
            if sequence.wrapping_sub(self.next) < WILD_JUMP {
                holes.add(Hole { from: self.next, to: sequence, told: false });
                self.holed = true;
            }
            self.next = end;
            return Brought { new: len, late: 0, advanced: true };
        }
        let (filled, late) = holes.fill(sequence, end);
        self.holed = holes.are_open();
        if after(end, self.next) {
            let new = end.wrapping_sub(self.next);
            self.next = end;
            return Brought { new: new + filled, late, advanced: true };
        }
        Brought { new: filled, late, advanced: false }
    }

    /// The peer acknowledged up to `acknowledged`: how many ranges and bytes below it were not captured so far.
    #[inline]
    pub fn acknowledge(&mut self, holes: &mut Holes, acknowledged: u32) -> (u32, u64) {
        if !self.holed && !after(acknowledged, self.next) {
            return (0, 0);
        }
        self.tell(holes, acknowledged)
    }

    #[cold]
    fn tell(&mut self, holes: &mut Holes, acknowledged: u32) -> (u32, u64) {
        let ahead = after(acknowledged, self.next);
        if !self.begun || ahead && acknowledged.wrapping_sub(self.next) >= WILD_JUMP {
            return (0, 0);
        }
        let (mut gaps, mut bytes) = holes.tell(acknowledged);
        self.holed = holes.are_open();
        if ahead {
            gaps += 1;
            bytes += u64::from(acknowledged.wrapping_sub(self.next));
            holes.add(Hole { from: self.next, to: acknowledged, told: true });
            self.next = acknowledged;
        }
        (gaps, bytes)
    }
}

impl Holes {
    /// Whether some were not acknowledged yet.
    fn are_open(&self) -> bool {
        self.0.as_ref().is_some_and(|holes| holes.iter().any(|hole| !hole.told))
    }

    fn set(&mut self, holes: Vec<Hole>) {
        self.0 = if holes.is_empty() { None } else { Some(Box::new(holes)) };
    }

    fn add(&mut self, hole: Hole) {
        let holes = self.0.get_or_insert_default();
        if holes.len() == STREAM_HOLES {
            holes.remove(0);
        }
        holes.push(hole);
    }

    /// Closes what `[from, to)` covers; returns how many bytes that was, and how many of them had been told.
    fn fill(&mut self, from: u32, to: u32) -> (u32, u32) {
        let Some(holes) = self.0.take() else { return (0, 0) };
        let (mut filled, mut late) = (0, 0);
        let mut left = Vec::with_capacity(holes.len() + 1);
        for hole in *holes {
            let low = if after(from, hole.from) { from } else { hole.from };
            let high = if after(hole.to, to) { to } else { hole.to };
            if !after(high, low) {
                left.push(hole);
                continue;
            }
            filled += high.wrapping_sub(low);
            late += if hole.told { high.wrapping_sub(low) } else { 0 };
            if after(low, hole.from) {
                left.push(Hole { to: low, ..hole });
            }
            if after(hole.to, high) {
                left.push(Hole { from: high, ..hole });
            }
        }
        left.truncate(STREAM_HOLES);
        self.set(left);
        (filled, late)
    }

    /// Marks what lies below `acknowledged`; returns how many ranges and bytes were not marked before.
    fn tell(&mut self, acknowledged: u32) -> (u32, u64) {
        let Some(holes) = self.0.take() else { return (0, 0) };
        let (mut gaps, mut bytes) = (0, 0);
        let mut left = Vec::with_capacity(holes.len() + 1);
        for hole in *holes {
            if hole.told || !after(acknowledged, hole.from) {
                left.push(hole);
                continue;
            }
            gaps += 1;
            let high = if after(hole.to, acknowledged) { acknowledged } else { hole.to };
            bytes += u64::from(high.wrapping_sub(hole.from));
            left.push(Hole { to: high, told: true, ..hole });
            if after(hole.to, high) {
                left.push(Hole { from: high, ..hole });
            }
        }
        left.truncate(STREAM_HOLES);
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
        assert_eq!(stream.take(&mut holes, 1000, 100), Brought { new: 100, late: 0, advanced: true });
        assert_eq!(stream.take(&mut holes, 1000, 100), Brought { new: 0, late: 0, advanced: false });
        assert_eq!(stream.take(&mut holes, 1050, 100), Brought { new: 50, late: 0, advanced: true });
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
        assert_eq!(stream.acknowledge(&mut holes, 30), (0, 0));
    }

    #[test]
    fn bytes_captured_after_their_acknowledgement_are_new() {
        let (mut stream, mut holes) = (Stream::default(), Holes::default());
        stream.begin(0);
        for round in 0..100 {
            let at = round * 100;
            assert_eq!(stream.acknowledge(&mut holes, at + 100), (1, 100));
            assert_eq!(stream.take(&mut holes, at, 60), Brought { new: 60, late: 60, advanced: false });
            assert_eq!(stream.take(&mut holes, at + 60, 40), Brought { new: 40, late: 40, advanced: false });
            assert_eq!(stream.take(&mut holes, at, 100), Brought::default());
        }
        assert!(holes.0.is_none());
    }

    #[test]
    fn bytes_acknowledged_past_the_highest_seen_are_a_gap() {
        let (mut stream, mut holes) = (Stream::default(), Holes::default());
        stream.begin(0);
        stream.take(&mut holes, 0, 10);
        assert_eq!(stream.acknowledge(&mut holes, 1010), (1, 1000));
        assert_eq!(stream.take(&mut holes, 1010, 5), Brought { new: 5, late: 0, advanced: true });
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
