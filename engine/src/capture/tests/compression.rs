use std::io::Write;

use bzip2::write::BzEncoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use lzma_rust2::{XzOptions, XzWriter};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let info = FrameInfo::new().block_mode(BlockMode::Linked).block_size(BlockSize::Max64KB).content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(bytes).expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = XzWriter::new(Vec::new(), XzOptions::with_preset(0)).expect("a preset that exists");
    encoder.write_all(bytes).expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}

/// Makes a compressed file of bytes.
type Compress = fn(&[u8]) -> Vec<u8>;

/// Every compression with its name, and how many packets of 216 bytes may be lost to a cut: a block of its decoder.
const ALL: [(&str, Compress, usize); 5] =
    [("gzip", gzip, 400), ("zstd", zstd, 1_000), ("lz4", lz4, 400), ("xz", xz, 400), ("bzip2", bzip2, 1_000)];

/// A capture that does not compress to nothing.
fn capture(count: u32) -> Vec<u8> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let file = (0..count).fold(Bytes::pcap(Order::Little), |file, number| {
        let packet: Vec<u8> = (0..200).map(|_| next()).collect();
        file.record(START + number, 0, &packet)
    });
    file.bytes
}

#[test]
fn compressed_captures_read_like_plain_ones() {
    let plain = capture(5_000);
    let expected = read(&plain);
    for (name, compress, _) in ALL {
        let got = drain(open(&compress(&plain)).unwrap(), 64);
        assert_eq!(got.packets, expected.packets);
        assert!(got.info.complete, "{:?}", got.info.problems);
        assert_eq!(got.info.compression.name(), name);
        assert_eq!(got.frames[4_999].file_offset, 24 + 4_999 * 216);
    }
}

#[test]
fn files_of_many_members_are_one_capture() {
    let plain = capture(100);
    let (first, rest) = plain.split_at(1_001);
    let (second, third) = rest.split_at(7_777);
    for (_, compress, _) in ALL {
        let got = read(&[compress(first), compress(second), compress(third)].concat());
        assert_eq!(got.frames.len(), 100);
        assert!(got.info.complete);
    }
}

#[test]
fn zeros_behind_gzip_members_are_padding() {
    let got = read(&[gzip(&capture(10)), vec![0; 700_000]].concat());
    assert!(got.frames.len() == 10 && got.info.complete);
}

#[test]
fn skippable_lz4_frames_are_passed_over_and_the_older_format_is_read() {
    let skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";
    let got = read(&[&lz4(&capture(5)), &skippable[..], skippable].concat());
    assert!(got.frames.len() == 5 && got.info.complete, "{:?}", got.info.problems);
    let plain = capture(10);
    let block = lz4_flex::block::compress(&plain);
    let legacy = [&b"\x02\x21\x4c\x18"[..], &(block.len() as u32).to_le_bytes(), &block].concat();
    let got = read(&legacy);
    assert!(got.frames.len() == 10 && got.info.complete, "{:?}", got.info.problems);
}

#[test]
fn an_xz_file_that_asks_for_too_much_memory_is_refused_with_the_reason() {
    let mut options = XzOptions::with_preset(0);
    options.lzma_options.dict_size = 512 << 20;
    let mut encoder = XzWriter::new(Vec::new(), options).expect("options that exist");
    encoder.write_all(&capture(10)).expect("a vector takes everything");
    let refused = refusal(&encoder.finish().expect("a vector takes everything"));
    assert!(refused.contains("memory"), "{refused}");
}

#[test]
fn a_file_that_begins_with_skippable_frames_is_told_by_what_follows() {
    let skippable = [&b"\x50\x2a\x4d\x18\x01\x02\0\0"[..], &[7; 513]].concat();
    for compressed in [lz4(&capture(5)), zstd(&capture(5))] {
        let got = read(&[&skippable, &skippable, &compressed[..]].concat());
        assert_eq!(got.frames.len(), 5);
    }
}

#[test]
fn skippable_zstd_frames_are_passed_over() {
    let skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";
    let got = read(&[&skippable[..], &zstd(&capture(10)), skippable].concat());
    assert!(got.frames.len() == 10 && got.info.complete);
}

#[test]
fn cut_compressed_captures_give_the_frames_before_the_cut() {
    let plain = capture(4_000);
    for (name, compress, lost_at_most) in ALL {
        let whole = compress(&plain);
        let share = whole.len() * 3 / 4;
        let got = read(&whole[..share]);
        let count = got.frames.len();
        assert!(count < 3_010 && count > 3_000 - lost_at_most, "{name}: {count}");
        assert_eq!(got.packets[..], read(&plain).packets[..got.packets.len()]);
        assert!(got.problems().contains(&"cut-short") && !got.info.complete, "{:?}", got.info.problems);
    }
}

/// Ends, and goes on when it is asked again, as a file does that somebody writes to.
struct Resuming {
    parts: Vec<Cursor<Vec<u8>>>,
}

impl Read for Resuming {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let Some(part) = self.parts.first_mut() else { return Ok(0) };
        let count = part.read(out)?;
        if count == 0 {
            self.parts.remove(0);
        }
        Ok(count)
    }
}

#[test]
fn a_compressed_capture_that_is_still_being_written_is_cut_and_not_damaged() {
    let plain = capture(4_000);
    for (name, compress, _) in ALL {
        let whole = compress(&plain);
        for share in [whole.len() / 3, whole.len() * 3 / 4, whole.len() - 1] {
            let (there, later) = whole.split_at(share);
            let parts = [there, later].map(|part| Cursor::new(part.to_vec())).into();
            let got = drain(Capture::from_reader(Box::new(Resuming { parts })).unwrap(), 64);
            assert_eq!(got.packets[..], read(there).packets[..], "{name}");
            assert_eq!(got.problems(), ["cut-short"], "{name}: {:?}", got.info.problems);
        }
    }
}

#[test]
fn capture_cut_before_it_was_compressed_and_whole_compression_says_cut_short() {
    let plain = capture(10);
    let got = read(&gzip(&plain[..plain.len() - 5]));
    assert_eq!(got.frames.len(), 9);
    assert_eq!(got.only_problem(), ("cut-short", 9, 24 + 9 * 216, true));
}

#[test]
fn damaged_compressed_captures_give_the_frames_before_the_damage() {
    let plain = capture(4_000);
    for (name, compress, _) in ALL {
        let mut whole = compress(&plain);
        let end = whole.len();
        whole[end - 6] ^= 0x55;
        let got = read(&whole);
        assert!(got.frames.len() > 2_900, "{name}");
        assert!(got.problems().contains(&"bad-compression") && !got.info.complete, "{name}: {:?}", got.info.problems);
    }
}

#[test]
fn other_bytes_behind_a_member_are_reported() {
    for (_, compress, _) in ALL {
        let got = read(&[compress(&capture(10)), b"and something else".to_vec()].concat());
        assert_eq!(got.frames.len(), 10);
        assert_eq!(got.only_problem(), ("bad-compression", 10, 24 + 10 * 216, true));
    }
}

#[test]
fn compressed_within_compressed_is_refused_by_name() {
    let plain = capture(1);
    assert!(refusal(&gzip(&zstd(&plain))).starts_with("is zstd data within gzip data"));
    assert!(refusal(&zstd(&gzip(&plain))).starts_with("is gzip data within zstd data"));
    assert!(refusal(&gzip(&gzip(&plain))).starts_with("is gzip data within gzip data"));
}

#[test]
fn compressed_nothing_is_refused_as_empty() {
    assert!(refusal(&gzip(b"")).contains("is empty"));
    assert!(refusal(&zstd(b"")).contains("is empty"));
}

#[test]
fn compressed_start_without_content_is_refused_as_such() {
    assert!(refusal(b"\x1f\x8b\x08\0").contains("cannot be decompressed"));
    assert!(refusal(b"\x28\xb5\x2f\xfd\x04").contains("cannot be decompressed"));
}

#[test]
fn zstd_history_beyond_the_limit_is_refused() {
    // No single segment, window descriptor of 2^41 bytes, an empty last block.
    assert!(refusal(b"\x28\xb5\x2f\xfd\x00\xf8\x01\0\0").contains("cannot be decompressed"));
}

#[test]
fn a_small_file_that_expands_beyond_measure_is_read_in_bounded_memory() {
    let zeros = [Bytes::pcap(Order::Little).records(1, 2).bytes, vec![0; 64 << 20]].concat();
    let bytes = gzip(&zeros);
    assert!(bytes.len() < 1 << 20);
    let got = read(&bytes);
    assert_eq!(got.frames.len(), 2);
    assert_eq!(got.only_problem().0, "zero-filled");
}
