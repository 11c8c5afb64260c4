//! Order out of segments.

use super::Random;
use crate::app::{Piece, REASSEMBLY_BYTES, REASSEMBLY_SEGMENTS, Reassembler};

/// What came out: bytes, and gaps as places and lengths.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stream {
    bytes: Vec<u8>,
    gaps: Vec<(usize, u64)>,
}

impl Stream {
    fn sink(&mut self) -> impl FnMut(Piece<'_>) + '_ {
        |piece| match piece {
            Piece::Bytes(bytes) => self.bytes.extend_from_slice(bytes),
            Piece::Gap(length) => self.gaps.push((self.bytes.len(), length)),
        }
    }
}

fn reassemble(first: u32, segments: &[(u32, &[u8], u32)]) -> Stream {
    let (mut reassembler, mut stream) = (Reassembler::new(), Stream::default());
    reassembler.begin(first);
    for &(sequence, captured, len) in segments {
        reassembler.segment(sequence, captured, len, stream.sink());
    }
    reassembler.finish(stream.sink());
    assert_eq!(reassembler.limits_reached(), 0);
    stream
}

#[test]
fn any_shuffle_split_or_repetition_gives_the_same_stream() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for round in 0..300_u32 {
        let content: Vec<u8> = (0..=random.below(3000)).map(|_| random.below(256) as u8).collect();
        // Near the wrap in every other round.
        let first = if round % 2 == 0 { u32::MAX - random.below(2000) as u32 } else { random.below(1 << 30) as u32 };
        let mut segments = Vec::new();
        let mut at = 0;
        while at < content.len() {
            let end = content.len().min(at + 1 + random.below(200));
            segments.push((at, end));
            at = end;
        }
        for _ in 0..random.below(20) {
            let from = random.below(content.len());
            segments.push((from, from + 1 + random.below((content.len() - from).min(400))));
        }
        for place in (1..segments.len()).rev() {
            segments.swap(place, random.below(place + 1));
        }
        let segments: Vec<(u32, &[u8], u32)> = segments
            .into_iter()
            .map(|(from, to)| (first.wrapping_add(from as u32), &content[from..to], (to - from) as u32))
            .collect();
        assert_eq!(reassemble(first, &segments), Stream { bytes: content.clone(), gaps: vec![] }, "round {round}");
    }
}

#[test]
fn the_bytes_that_came_first_stay() {
    let stream = reassemble(0, &[(4, b"BBBB", 4), (2, b"aaaaaaaa", 8), (0, b"zzzz", 4)]);
    assert_eq!(stream.bytes, b"zzaaBBBBaa");
    let stream = reassemble(0, &[(0, b"first", 5), (3, b"XXond", 5)]);
    assert_eq!(stream.bytes, b"firstond");
}

#[test]
fn the_tail_that_a_snap_length_cut_is_a_gap() {
    let stream = reassemble(0, &[(0, b"ab", 10), (20, b"ef", 2), (10, b"cd", 10)]);
    assert_eq!(stream, Stream { bytes: b"abcdef".to_vec(), gaps: vec![(2, 8), (4, 8)] });
    let stream = reassemble(0, &[(10, b"cd", 10), (5, b"xxxxxyyyyyyyyyyyyyyy", 20), (0, b"01234", 5)]);
    assert_eq!(stream, Stream { bytes: b"01234xxxxxcdyyyyy".to_vec(), gaps: vec![(12, 8)] });
}

#[test]
fn what_was_acknowledged_and_not_captured_is_a_gap_once_later_bytes_are_there() {
    let (mut reassembler, mut stream) = (Reassembler::new(), Stream::default());
    reassembler.segment(100, b"abc", 3, stream.sink());
    reassembler.segment(108, b"ghi", 3, stream.sink());
    reassembler.acknowledged(103, stream.sink());
    assert_eq!(stream.bytes, b"abc");
    reassembler.acknowledged(108, stream.sink());
    assert_eq!(stream, Stream { bytes: b"abcghi".to_vec(), gaps: vec![(3, 5)] });
    reassembler.acknowledged(120, stream.sink());
    reassembler.segment(103, b"def", 3, stream.sink());
    assert_eq!(stream, Stream { bytes: b"abcghi".to_vec(), gaps: vec![(3, 5)] });
    reassembler.segment(120, b"j", 1, stream.sink());
    assert_eq!(stream, Stream { bytes: b"abcghij".to_vec(), gaps: vec![(3, 5), (6, 9)] });
}

#[test]
fn bytes_may_come_after_their_acknowledgement() {
    let (mut reassembler, mut stream) = (Reassembler::new(), Stream::default());
    reassembler.begin(100);
    reassembler.acknowledged(106, stream.sink());
    reassembler.segment(100, b"abc", 3, stream.sink());
    reassembler.segment(103, b"def", 3, stream.sink());
    reassembler.finish(stream.sink());
    assert_eq!(stream, Stream { bytes: b"abcdef".to_vec(), gaps: vec![] });
}

#[test]
fn what_was_acknowledged_and_never_came_is_a_gap_at_the_end() {
    let (mut reassembler, mut stream) = (Reassembler::new(), Stream::default());
    reassembler.segment(100, b"abc", 3, stream.sink());
    reassembler.acknowledged(110, stream.sink());
    assert_eq!(stream.gaps, []);
    reassembler.finish(stream.sink());
    assert_eq!(stream.gaps, [(3, 7)]);
}

#[test]
fn the_acknowledgement_of_a_fin_is_no_gap() {
    let (mut reassembler, mut stream) = (Reassembler::new(), Stream::default());
    reassembler.segment(u32::MAX - 1, b"ab", 2, stream.sink());
    reassembler.fin(0);
    reassembler.acknowledged(1, stream.sink());
    reassembler.finish(stream.sink());
    assert_eq!(stream.gaps, []);
    let mut early = Reassembler::new();
    early.begin(100);
    early.acknowledged(103, stream.sink());
    early.segment(100, b"ab", 2, stream.sink());
    early.fin(102);
    early.finish(stream.sink());
    assert_eq!(stream.gaps, []);
}

#[test]
fn acknowledgements_of_a_stream_that_was_never_seen_or_that_are_wild_do_nothing() {
    let (mut reassembler, mut stream) = (Reassembler::new(), Stream::default());
    reassembler.acknowledged(1000, stream.sink());
    reassembler.segment(5, b"a", 1, stream.sink());
    reassembler.acknowledged(5, stream.sink());
    reassembler.acknowledged(0x7000_0000, stream.sink());
    reassembler.acknowledged(0xF000_0000, stream.sink());
    reassembler.finish(stream.sink());
    assert_eq!(stream, Stream { bytes: b"a".to_vec(), gaps: vec![] });
}

#[test]
fn one_wild_segment_is_ignored_and_two_in_a_row_are_followed() {
    let (mut reassembler, mut stream) = (Reassembler::new(), Stream::default());
    reassembler.segment(0, b"a", 1, stream.sink());
    reassembler.segment(0x6000_0000, b"x", 1, stream.sink());
    reassembler.segment(1, b"b", 1, stream.sink());
    assert_eq!(stream, Stream { bytes: b"ab".to_vec(), gaps: vec![] });
    reassembler.segment(0x6000_0001, b"c", 1, stream.sink());
    assert_eq!(stream, Stream { bytes: b"abc".to_vec(), gaps: vec![(2, 0x5FFF_FFFF)] });
}

#[test]
fn past_a_limit_the_oldest_hole_is_given_up() {
    let (mut reassembler, mut stream) = (Reassembler::new(), Stream::default());
    reassembler.begin(0);
    let block = [7; 1024];
    for n in 1..=(REASSEMBLY_BYTES / 1024) as u32 {
        reassembler.segment(n * 1024, &block, 1024, stream.sink());
    }
    assert_eq!((stream.bytes.len(), reassembler.limits_reached()), (0, 0));
    reassembler.segment(1 << 20, b"x", 1, stream.sink());
    assert_eq!((stream.bytes.len(), reassembler.limits_reached()), (REASSEMBLY_BYTES, 1));
    assert_eq!(stream.gaps, [(0, 1024)]);
}

#[test]
fn many_tiny_segments_are_bounded_too() {
    let (mut reassembler, mut stream) = (Reassembler::new(), Stream::default());
    reassembler.begin(0);
    for n in 1..10_000 {
        reassembler.segment(n * 2, b"x", 1, stream.sink());
    }
    assert_eq!(stream.bytes.len(), 9_999 - REASSEMBLY_SEGMENTS);
}
