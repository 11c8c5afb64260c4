use std::io::Write;

use flate2::write::GzEncoder;
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
    for (bytes, name) in [(gzip(&plain), "gzip"), (zstd(&plain), "zstd")] {
        let got = drain(open(&bytes).unwrap(), 64);
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
    for compress in [gzip, zstd] {
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
fn skippable_zstd_frames_are_passed_over() {
    let skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";
    let got = read(&[&skippable[..], &zstd(&capture(10)), skippable].concat());
    assert!(got.frames.len() == 10 && got.info.complete);
}

#[test]
fn cut_compressed_captures_give_the_frames_before_the_cut() {
    let plain = capture(4_000);
    for (whole, lost_at_most) in [(gzip(&plain), 400), (zstd(&plain), 1_000)] {
        let share = whole.len() * 3 / 4;
        let got = read(&whole[..share]);
        assert!(got.frames.len() < 3_010 && got.frames.len() > 3_000 - lost_at_most, "{}", got.frames.len());
        assert_eq!(got.packets[..], read(&plain).packets[..got.packets.len()]);
        assert!(got.problems().contains(&"cut-short") && !got.info.complete, "{:?}", got.info.problems);
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
    for mut whole in [gzip(&plain), zstd(&plain)] {
        let end = whole.len();
        whole[end - 6] ^= 0x55;
        let got = read(&whole);
        assert!(got.frames.len() > 2_900);
        assert!(got.problems().contains(&"bad-compression") && !got.info.complete, "{:?}", got.info.problems);
    }
}

#[test]
fn other_bytes_behind_a_member_are_reported() {
    for whole in [gzip(&capture(10)), zstd(&capture(10))] {
        let got = read(&[whole, b"and something else".to_vec()].concat());
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
