//! One direction of a TCP flow, in order.
//!
//! Segments come as captured: out of order, twice, overlapping, cut by the snap length. Each byte is handed on once;
//! where segments contradict each other the byte that was captured first stays. Sequence numbers wrap (RFC 9293, 3.4).

use std::collections::BTreeMap;

use super::secret::wipe;

/// Bytes held back in one direction while an earlier one is missing (`REASSEMBLY_BYTES`).
pub const REASSEMBLY_BYTES: usize = 256 << 10;

/// Segments held back in one direction (`REASSEMBLY_SEGMENTS`).
pub const REASSEMBLY_SEGMENTS: usize = 512;

/// A jump that no window allows (RFC 7323, 2.3: 1 GiB).
const WILD_JUMP: u32 = 1 << 30;

/// A part of the ordered stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The next bytes.
    Bytes(&'a [u8]),
    /// So many bytes were never captured.
    Gap(u64),
}

/// Puts the segments of one direction in order.
#[derive(Debug, Default)]
pub struct Reassembler {
    begun: bool,
    /// Sequence number of the next byte to hand on.
    next: u32,
    /// How many bytes lie before it: the place in the stream, which does not wrap.
    place: u64,
    /// Place of the FIN.
    fin: Option<u64>,
    /// The place up to which the peer has everything.
    acknowledged: u64,
    /// By place, all after `place`, without overlaps.
    held: BTreeMap<u64, Held>,
    held_bytes: usize,
    /// Where the last segment far outside of any window ended.
    wild: Option<u32>,
    limits_reached: u32,
}

/// A segment that came too early. `bytes` may be shorter than `len`: the rest was not captured.
#[derive(Debug)]
struct Held {
    bytes: Vec<u8>,
    len: u32,
}

impl Reassembler {
    /// A stream of which nothing is known yet.
    pub fn new() -> Reassembler {
        Reassembler::default()
    }

    /// Begins the stream at `sequence`: that of the SYN plus 1. Without it the first segment with payload begins it.
    pub fn begin(&mut self, sequence: u32) {
        if !self.begun {
            self.begun = true;
            self.next = sequence;
        }
    }

    /// Takes a segment whose payload is `len` bytes long by its headers, of which `captured` are there.
    pub fn segment(&mut self, sequence: u32, captured: &[u8], len: u32, mut sink: impl FnMut(Piece<'_>)) {
        if len == 0 {
            return;
        }
        self.begin(sequence);
        let captured = &captured[..captured.len().min(len as usize)];
        if sequence == self.next && self.held.is_empty() {
            self.hand_on(captured, len, &mut sink);
            return;
        }
        let ahead = sequence.wrapping_sub(self.next) as i32;
        if ahead.unsigned_abs() >= WILD_JUMP {
            self.wild_segment(sequence, captured, len, &mut sink);
            return;
        }
        let old = if ahead < 0 { ahead.unsigned_abs() } else { 0 };
        if old >= len {
            return;
        }
        let fresh = captured.get(old as usize..).unwrap_or_default();
        self.hold(self.place + u64::from(ahead.max(0).unsigned_abs()), fresh, len - old);
        self.hand_on_held(&mut sink);
        self.give_up_acknowledged(&mut sink);
        while self.held_bytes > REASSEMBLY_BYTES || self.held.len() > REASSEMBLY_SEGMENTS {
            self.limits_reached = self.limits_reached.saturating_add(1);
            self.give_up_hole(&mut sink);
        }
    }

    /// The stream ends before `sequence`, that of the FIN: its acknowledgement is not one of a byte.
    pub fn fin(&mut self, sequence: u32) {
        if self.begun {
            let ahead = sequence.wrapping_sub(self.next) as i32;
            self.fin = Some(self.place.wrapping_add_signed(ahead.into()));
        }
    }

    /// The peer has all bytes before `acknowledgement`. Where two interfaces were captured, they may come after it all the
    /// same; but not any more when a segment from behind them is there.
    pub fn acknowledged(&mut self, acknowledgement: u32, mut sink: impl FnMut(Piece<'_>)) {
        let ahead = acknowledgement.wrapping_sub(self.next);
        if self.begun && ahead < WILD_JUMP {
            self.acknowledged = self.acknowledged.max(self.place + u64::from(ahead));
            self.give_up_acknowledged(&mut sink);
        }
    }

    /// No more segments: hands on what is still held.
    pub fn finish(&mut self, mut sink: impl FnMut(Piece<'_>)) {
        while !self.held.is_empty() {
            self.give_up_hole(&mut sink);
        }
        let missing = self.with_peer().saturating_sub(self.place);
        if missing > 0 {
            self.gap(missing, &mut sink);
        }
    }

    /// Memory that the segments take which are held back, bytes.
    pub fn held_memory(&self) -> usize {
        self.held_bytes + self.held.len() * size_of::<(u64, Held)>()
    }

    /// How often a hole was given up because [`REASSEMBLY_BYTES`] or [`REASSEMBLY_SEGMENTS`] was reached.
    pub fn limits_reached(&self) -> u32 {
        self.limits_reached
    }

    /// One segment far outside of any window is a wild number. Two in a row are a stream that went on unseen.
    #[cold]
    fn wild_segment(&mut self, sequence: u32, captured: &[u8], len: u32, sink: &mut impl FnMut(Piece<'_>)) {
        if self.wild != Some(sequence) {
            self.wild = Some(sequence.wrapping_add(len));
            return;
        }
        self.wild = None;
        self.finish(&mut *sink);
        sink(Piece::Gap(sequence.wrapping_sub(self.next).into()));
        self.next = sequence;
        self.hand_on(captured, len, sink);
    }

    fn hand_on(&mut self, captured: &[u8], len: u32, sink: &mut impl FnMut(Piece<'_>)) {
        if !captured.is_empty() {
            sink(Piece::Bytes(captured));
        }
        self.place += captured.len() as u64;
        self.next = self.next.wrapping_add(captured.len() as u32);
        let missing = len - captured.len() as u32;
        if missing > 0 {
            self.gap(missing.into(), sink);
        }
    }

    fn gap(&mut self, bytes: u64, sink: &mut impl FnMut(Piece<'_>)) {
        sink(Piece::Gap(bytes));
        self.place += bytes;
        self.next = self.next.wrapping_add(bytes as u32);
    }

    /// Keeps those parts of a segment that no held one covers.
    fn hold(&mut self, from: u64, captured: &[u8], len: u32) {
        let end = from + u64::from(len);
        let before = self.held.range(..=from).next_back();
        let mut at = before.map_or(from, |(place, held)| from.max(place + u64::from(held.len)));
        while at < end {
            let (to, next) = match self.held.range(at..).next() {
                Some((&place, held)) if place < end => (place, place + u64::from(held.len)),
                _ => (end, end),
            };
            if to > at {
                let there = captured.get((at - from) as usize..).unwrap_or_default();
                let bytes = there[..there.len().min((to - at) as usize)].to_vec();
                self.held_bytes += bytes.len();
                self.held.insert(at, Held { bytes, len: (to - at) as u32 });
            }
            at = next;
        }
    }

    /// Hands on the held segments that come next.
    fn hand_on_held(&mut self, sink: &mut impl FnMut(Piece<'_>)) {
        while let Some(entry) = self.held.first_entry() {
            if *entry.key() > self.place {
                return;
            }
            let mut held = entry.remove();
            self.held_bytes -= held.bytes.len();
            self.hand_on(&held.bytes, held.len, sink);
            wipe(&mut held.bytes);
        }
    }

    /// The place up to which the peer has bytes of the stream.
    fn with_peer(&self) -> u64 {
        let fin = self.fin.is_some_and(|fin| self.acknowledged == fin.wrapping_add(1));
        self.acknowledged - u64::from(fin)
    }

    /// Takes for lost what the peer has and later segments stand behind.
    fn give_up_acknowledged(&mut self, sink: &mut impl FnMut(Piece<'_>)) {
        let known = self.with_peer();
        while self.place < known {
            match self.held.first_key_value() {
                Some((&place, _)) if place <= known => self.give_up_hole(sink),
                Some(_) => self.gap(known - self.place, sink),
                None => return,
            }
        }
    }

    /// Takes what is missing before the first held segment for lost.
    fn give_up_hole(&mut self, sink: &mut impl FnMut(Piece<'_>)) {
        if let Some((&place, _)) = self.held.first_key_value()
            && place > self.place
        {
            self.gap(place - self.place, sink);
        }
        self.hand_on_held(sink);
    }
}
