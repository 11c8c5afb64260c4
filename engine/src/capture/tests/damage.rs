use super::*;
use crate::capture::MAX_RECORD;

#[test]
fn zero_bytes_are_refused_as_empty() {
    assert!(refusal(b"").contains("is empty (0 bytes)"));
}

#[test]
fn other_files_are_refused_with_their_first_bytes_or_their_name() {
    assert!(refusal(b"\x06\0").ends_with("it starts with 06 00"));
    assert!(refusal(b"hello world").contains("is no capture"));
    assert!(refusal(b"PK\x03\x04....").contains("is a zip archive"));
}

#[test]
fn missing_file_is_refused() {
    let missing = Capture::open(std::path::Path::new("no-such-folder/no-such.pcap"));
    assert!(matches!(missing, Err(OpenError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound));
}

#[test]
fn pcap_cut_at_any_byte_gives_the_whole_records_before_and_says_so() {
    let bytes = Bytes::pcap(Order::Little).records(1, 4).bytes;
    for cut in 8..bytes.len() {
        let got = read(&bytes[..cut]);
        let whole = cut.saturating_sub(24) / 76;
        assert_eq!(got.frames.len(), whole, "cut at {cut}");
        if cut >= 24 && (cut - 24) % 76 == 0 {
            assert!(got.info.complete);
        } else {
            let offset = if cut < 24 { 0 } else { 24 + 76 * whole };
            assert_eq!(got.only_problem(), ("cut-short", whole as u64, offset as u64, true));
            assert!(!got.info.complete);
        }
    }
}

#[test]
fn pcapng_cut_at_any_byte_gives_the_whole_packets_before_and_says_so() {
    let bytes = Bytes::pcapng(Order::Big, 4).bytes;
    for cut in 12..bytes.len() {
        let got = read(&bytes[..cut]);
        let whole = cut.saturating_sub(48) / 92;
        assert_eq!(got.frames.len(), whole, "cut at {cut}");
        let at_block = cut == 28 || cut >= 48 && (cut - 48) % 92 == 0;
        assert_eq!(got.info.complete, at_block, "cut at {cut}");
        assert_eq!(got.problems(), if at_block { vec![] } else { vec!["cut-short"] });
    }
}

#[test]
fn impossible_record_length_is_passed_over() {
    for claimed in [u32::MAX, 0x7fff_ffff, MAX_RECORD + 1, 300_000] {
        let file = Bytes::pcap(Order::Little).records(1, 3).u32(START).u32(0).u32(claimed).u32(claimed);
        let got = read(&file.raw(&[0xaa; 60]).records(5, 6).bytes);
        assert_eq!(got.firsts(), [1, 2, 3, 5, 6, 7, 8, 9, 10]);
        assert_eq!(got.only_problem(), ("bad-record", 3, 24 + 3 * 76, true));
        assert!(got.info.problems.as_slice()[0].message.contains("76 bytes passed over"));
    }
}

#[test]
fn bytes_lost_within_a_pcap_file_cost_only_the_frames_they_hit() {
    let bytes = Bytes::pcap(Order::Big).records(1, 12).bytes;
    for lost in 1..76 {
        let at = 24 + 4 * 76;
        let got = read(&[&bytes[..at], &bytes[at + lost..]].concat());
        let firsts = got.firsts();
        assert_eq!(firsts[..4], [1, 2, 3, 4]);
        assert!(firsts.ends_with(&[7, 8, 9, 10, 11, 12]), "{lost} bytes lost: {firsts:?}");
        assert!(!got.info.complete);
    }
}

#[test]
fn a_length_that_reaches_past_the_end_does_not_hide_the_records_behind() {
    let file = Bytes::pcap(Order::Little).records(1, 2).u32(START).u32(0).u32(5_000).u32(5_000);
    let got = read(&file.raw(&[0xaa; 60]).records(4, 3).bytes);
    assert_eq!(got.firsts(), [1, 2, 4, 5, 6]);
    assert_eq!(got.only_problem().0, "bad-record");
}

#[test]
fn a_cut_packet_that_carries_a_capture_does_not_become_packets() {
    let day = 86_400;
    let inner = (0..6).fold(Bytes::new(Order::Little), |file, _| file.record(START - 9 * day, 0, &[1; 20]));
    let file = Bytes::pcap(Order::Little).records(1, 2).u32(START).u32(0).u32(1400).u32(1400);
    let got = read(&file.raw(&inner.bytes).bytes);
    assert_eq!(got.firsts(), [1, 2]);
    assert_eq!(got.only_problem().0, "cut-short");
}

#[test]
fn zeros_within_a_pcap_file_are_passed_over() {
    let got = read(&Bytes::pcap(Order::Little).records(1, 2).raw(&[0; 4096]).records(3, 4).bytes);
    assert_eq!(got.firsts(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(got.only_problem(), ("zero-filled", 2, 24 + 2 * 76, true));
}

#[test]
fn zeros_behind_a_pcap_file_are_no_frames() {
    let got = read(&Bytes::pcap(Order::Little).records(1, 2).raw(&vec![0; 3 << 20]).bytes);
    assert_eq!(got.frames.len(), 2);
    assert_eq!(got.only_problem().0, "zero-filled");
}

/// Bytes that repeat only after a long while.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[test]
fn megabytes_of_noise_are_passed_over_in_either_format() {
    let noise = noise(5 << 20);
    let got =
        read(&Bytes::pcap(Order::Little).records(1, 2).u32(0).u32(0).u32(u32::MAX).raw(&noise).records(3, 5).bytes);
    assert_eq!(got.firsts(), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(got.only_problem().0, "bad-record");
    let mut file = Bytes::pcapng(Order::Big, 2).u32(6).u32(7).raw(&noise);
    file = file.packet(0, 3, &[3; 60]).packet(0, 4, &[4; 60]);
    let got = read(&file.bytes);
    assert_eq!(got.firsts(), [1, 2, 3, 4]);
    assert_eq!(got.only_problem().0, "bad-block");
}

#[test]
fn impossible_block_lengths_are_passed_over() {
    for claimed in [0, 4, 8, 11, 93, u32::MAX - 3, u32::MAX, MAX_RECORD * 2] {
        let mut bytes = Bytes::pcapng(Order::Little, 5).bytes;
        bytes[48 + 92 + 4..48 + 92 + 8].copy_from_slice(&claimed.to_le_bytes());
        let got = read(&bytes);
        assert_eq!(got.firsts(), [1, 3, 4, 5]);
        assert_eq!(got.only_problem(), ("bad-block", 1, 48 + 92, true));
    }
}

#[test]
fn block_length_past_the_end_does_not_hide_the_blocks_behind() {
    let mut bytes = Bytes::pcapng(Order::Big, 5).bytes;
    bytes[48 + 92 + 4..48 + 92 + 8].copy_from_slice(&40_000_u32.to_be_bytes());
    let got = read(&bytes);
    assert_eq!(got.firsts(), [1, 3, 4, 5]);
    assert_eq!(got.only_problem(), ("bad-block", 1, 48 + 92, true));
}

#[test]
fn other_length_at_the_end_of_a_block_is_reported_and_its_packet_is_read() {
    let mut bytes = Bytes::pcapng(Order::Little, 3).bytes;
    bytes[48 + 88] = 12;
    let got = read(&bytes);
    assert_eq!(got.firsts(), [1, 2, 3]);
    assert_eq!(got.only_problem(), ("odd-length", 0, 48, false));
}

#[test]
fn captured_length_past_the_block_is_bounded_by_it() {
    let mut bytes = Bytes::pcapng(Order::Little, 2).bytes;
    bytes[48 + 20..48 + 24].copy_from_slice(&u32::MAX.to_le_bytes());
    let got = read(&bytes);
    assert_eq!(got.frames.iter().map(|frame| frame.len).collect::<Vec<_>>(), [60, 60]);
    assert_eq!(got.only_problem(), ("bad-packet-length", 1, 48, true));
}

#[test]
fn interface_block_with_a_wrong_length_keeps_its_place() {
    let file = Bytes::new(Order::Little).section(Order::Little).interface(113, 0, &[]).interface(101, 0, &[]);
    let mut bytes = file.packet(0, 1, b"\x01").packet(1, 2, b"\x02").bytes;
    bytes[28 + 4] = 0;
    let got = read(&bytes);
    assert_eq!(got.frames.iter().map(|frame| frame.link_type).collect::<Vec<_>>(), [113, 101]);
    assert_eq!(got.only_problem(), ("bad-block", 0, 28, true));
}

#[test]
fn section_block_without_byte_order_is_read_by_its_lengths() {
    for order in [Order::Little, Order::Big] {
        let mut bytes = Bytes::pcapng(order, 2).bytes;
        bytes[8..12].copy_from_slice(&[0xde, 0xad, 0xbe, 0xef]);
        let got = read(&bytes);
        assert_eq!(got.firsts(), [1, 2]);
        assert_eq!(got.only_problem(), ("bad-byte-order-magic", 0, 0, false));
    }
}

#[test]
fn cut_capture_followed_by_another_is_read_on_at_the_new_section() {
    let first = Bytes::pcapng(Order::Little, 3).bytes;
    let second = Bytes::pcapng(Order::Big, 2).bytes;
    let got = read(&[&first[..first.len() - 37], &second].concat());
    assert_eq!(got.firsts(), [1, 2, 1, 2]);
    assert_eq!(got.info.interfaces.len(), 2);
    assert!(!got.info.complete);
}

#[test]
fn blocks_too_short_for_their_type_are_reported() {
    for kind in [1, 2, 3, 5, 6] {
        let got = read(&Bytes::pcapng(Order::Little, 1).block(kind, &[]).packet(0, 2, b"\x02").bytes);
        assert_eq!(got.firsts(), [1, 2]);
        assert_eq!(got.only_problem(), ("bad-block", 1, 48 + 92, true));
    }
}

#[test]
fn other_versions_are_reported() {
    let mut bytes = Bytes::pcap(Order::Little).records(1, 1).bytes;
    bytes[4] = 9;
    assert_eq!(read(&bytes).only_problem(), ("unknown-version", 0, 0, false));
    let mut bytes = Bytes::pcapng(Order::Little, 1).bytes;
    bytes[12] = 9;
    assert_eq!(read(&bytes).only_problem(), ("unknown-version", 0, 0, true));
}

#[test]
fn read_error_within_a_file_is_reported_after_what_came_before() {
    struct Failing(Cursor<Vec<u8>>);
    impl Read for Failing {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(out)? {
                0 => Err(std::io::Error::other("the disk is on fire")),
                count => Ok(count),
            }
        }
    }
    let source = Failing(Cursor::new(Bytes::pcap(Order::Little).records(1, 2).bytes));
    let got = drain(Capture::from_reader(Box::new(source)).unwrap(), 8);
    assert_eq!(got.firsts(), [1, 2]);
    assert_eq!(got.only_problem().0, "read-error");
    assert!(got.info.problems.as_slice()[0].message.contains("the disk is on fire"));
}

#[test]
fn no_change_of_one_byte_makes_the_reader_fail() {
    for bytes in [Bytes::pcap(Order::Little).records(1, 4).bytes, Bytes::pcapng(Order::Big, 4).bytes] {
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = value;
                if let Ok(capture) = open(&changed) {
                    let got = drain(capture, 2);
                    assert!(got.frames.len() <= 5, "byte {at} = {value}: {} frames", got.frames.len());
                    assert!(got.frames.iter().all(|frame| frame.wire_len >= frame.len));
                }
            }
        }
    }
}

#[test]
fn damage_after_every_record_does_not_move_the_buffer_each_time() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Counting(Cursor<Vec<u8>>, Arc<AtomicUsize>);
    impl Read for Counting {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.read(out)
        }
    }
    let mut file = Bytes::pcap(Order::Little);
    for number in 0..10_000 {
        file = file.records(number, 4).u32(START).u32(0).u32(u32::MAX).u32(60);
    }
    let (size, reads) = (file.bytes.len(), Arc::new(AtomicUsize::new(0)));
    let source = Counting(Cursor::new(file.bytes), Arc::clone(&reads));
    let got = drain(Capture::from_reader(Box::new(source)).unwrap(), 64);
    assert_eq!(got.frames.len(), 40_000);
    assert_eq!(got.info.problems.as_slice()[0].count, 10_000);
    assert!(reads.load(Ordering::Relaxed) <= 8 + size / (1 << 18), "{reads:?} reads of {size} bytes");
}
