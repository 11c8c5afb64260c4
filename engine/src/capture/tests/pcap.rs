use super::*;

#[test]
fn both_byte_orders_read_the_same() {
    for order in [Order::Little, Order::Big] {
        let got = read(&Bytes::pcap(order).record(START, 7, b"abc").record(START + 1, 8, b"defgh").bytes);
        assert_eq!(got.packets, [b"abc".to_vec(), b"defgh".to_vec()]);
        assert_eq!(got.times(), [1_700_000_000_000_007_000, 1_700_000_001_000_008_000]);
        assert_eq!(got.frames.iter().map(|frame| frame.file_offset).collect::<Vec<_>>(), [24, 43]);
        assert_eq!(got.numbers(), [1, 2]);
        assert!(got.info.complete && !got.info.nanoseconds);
        assert_eq!((got.info.format.name(), got.info.compression.name()), ("pcap", "none"));
        assert_eq!((got.info.packets, got.info.captured_bytes, got.info.wire_bytes), (2, 8, 8));
        assert_eq!((got.info.first_ns, got.info.last_ns), (Some(got.times()[0]), Some(got.times()[1])));
    }
}

#[test]
fn nanosecond_magic_keeps_nanoseconds() {
    for order in [Order::Little, Order::Big] {
        let got = read(&Bytes::pcap_with(order, 0xa1b2_3c4d, 0, 1).record(START, 123_456_789, b"x").bytes);
        assert_eq!(got.times(), [1_700_000_000_123_456_789]);
        assert!(got.info.nanoseconds);
        assert_eq!(got.info.interfaces[0].resolution, 9);
    }
}

#[test]
fn snapped_packet_keeps_its_wire_length() {
    let file = Bytes::pcap(Order::Little).u32(START).u32(0).u32(2).u32(1500).raw(b"ab");
    let got = read(&file.bytes);
    assert_eq!((got.frames[0].len, got.frames[0].wire_len), (2, 1500));
    assert!(got.problems().is_empty());
}

#[test]
fn check_sequence_bits_are_no_part_of_the_link_type() {
    let got = read(&Bytes::pcap_with(Order::Little, 0xa1b2_c3d4, 65_535, 0x5400_0071).record(START, 0, b"x").bytes);
    assert_eq!((got.frames[0].link_type, got.info.interfaces[0].link_type), (113, 113));
}

#[test]
fn time_past_2038_is_not_negative() {
    let got = read(&Bytes::pcap(Order::Little).record(u32::MAX, 999_999, b"x").bytes);
    assert_eq!(got.times(), [4_294_967_295_999_999_000]);
}

#[test]
fn fraction_of_more_than_a_second_is_carried_and_reported() {
    let got = read(&Bytes::pcap(Order::Little).records(1, 2).record(START + 3, 1_500_000, b"x").bytes);
    assert_eq!(got.times()[2], (i64::from(START) + 4) * 1_000_000_000 + 500_000_000);
    assert_eq!(got.only_problem(), ("odd-timestamp", 3, 24 + 2 * 76, false));
}

#[test]
fn more_captured_than_on_the_wire_is_reported() {
    let file = Bytes::pcap(Order::Little).u32(START).u32(0).u32(4).u32(1).raw(b"abcd");
    let got = read(&file.bytes);
    assert_eq!((got.frames[0].len, got.frames[0].wire_len), (4, 4));
    assert_eq!(got.only_problem(), ("odd-length", 1, 24, false));
}

#[test]
fn packets_without_captured_bytes_are_frames() {
    let file = Bytes::pcap(Order::Little).u32(START).u32(1).u32(0).u32(60).records(1, 1);
    let got = read(&file.bytes);
    assert_eq!(got.frames.iter().map(|frame| (frame.len, frame.wire_len)).collect::<Vec<_>>(), [(0, 60), (60, 60)]);
    assert!(got.info.complete);
}

#[test]
fn version_before_2_3_stores_the_lengths_the_other_way_round() {
    let header = Bytes::new(Order::Big).u32(0xa1b2_c3d4).u16(2).u16(2).u64(0).u32(96).u32(1);
    let got = read(&header.u32(START).u32(0).u32(1500).u32(3).raw(b"abc").bytes);
    assert_eq!((got.frames[0].len, got.frames[0].wire_len), (3, 1500));
}

#[test]
fn modified_magic_has_longer_record_headers() {
    for (extra, magic) in [(8, 0xa1b2_cd34), (12, 0xa1b2_cd34), (8, 0xa1b2_c3d4), (4, 0xa1b2_c3d4)] {
        let mut file = Bytes::pcap_with(Order::Little, magic, 65_535, 1);
        for number in 1..=3_u32 {
            file = file.u32(START).u32(number).u32(61).u32(61).raw(&vec![0xee; extra]).raw(&[number as u8; 61]);
        }
        let got = read(&file.bytes);
        assert_eq!(got.firsts(), [1, 2, 3], "{extra} bytes more with {magic:08x}");
        assert!(got.info.complete);
    }
}

#[test]
fn records_in_the_other_byte_order_than_the_header_are_read() {
    let mut file = Bytes::pcap(Order::Big);
    file.order = Order::Little;
    let got = read(&file.records(1, 4).bytes);
    assert_eq!(got.firsts(), [1, 2, 3, 4]);
    assert_eq!(got.only_problem(), ("odd-record-layout", 0, 24, false));
}

#[test]
fn captures_put_one_behind_the_other_are_read_on() {
    let mut bytes = Bytes::pcap(Order::Little).records(1, 2).bytes;
    bytes.extend(Bytes::pcap_with(Order::Big, 0xa1b2_3c4d, 65_535, 113).record(START + 9, 1, b"\x09").bytes);
    let got = read(&bytes);
    assert_eq!(got.firsts(), [1, 2, 9]);
    assert_eq!(got.numbers(), [1, 2, 3]);
    assert_eq!(got.times()[2], i64::from(START + 9) * 1_000_000_000 + 1);
    assert_eq!(
        got.frames.iter().map(|frame| (frame.link_type, frame.interface)).collect::<Vec<_>>(),
        [(1, 0), (1, 0), (113, 1)]
    );
    assert_eq!(got.only_problem(), ("second-file-header", 2, 24 + 2 * 76, false));
}

#[test]
fn file_header_alone_is_a_complete_capture_without_frames() {
    let got = read(&Bytes::pcap(Order::Little).bytes);
    assert!(got.frames.is_empty() && got.info.complete);
    assert_eq!((got.info.first_ns, got.info.packets), (None, 0));
}

#[test]
fn batches_hold_at_most_what_was_asked_and_give_every_frame_once() {
    let bytes = Bytes::pcap(Order::Little).records(0, 100).bytes;
    for batch in [0, 1, 7, 64, 1000] {
        let mut capture = open(&bytes).unwrap();
        let (mut frames, mut seen) = (Vec::new(), Vec::new());
        while capture.next_frames(&mut frames, batch) {
            assert!(!frames.is_empty() && frames.len() <= batch.max(1));
            seen.extend(frames.iter().map(|frame| capture.bytes(frame)[0]));
        }
        assert!(frames.is_empty());
        assert_eq!(seen, (0..100).collect::<Vec<u8>>());
    }
}

#[test]
fn bytes_that_trickle_in_read_the_same() {
    let bytes = Bytes::pcap(Order::Little).records(1, 20).bytes;
    for step in [1, 13, 77] {
        let source = Trickle { bytes: Cursor::new(bytes.clone()), step };
        let got = drain(Capture::from_reader(Box::new(source)).unwrap(), 8);
        assert_eq!(got.firsts(), (1..=20).collect::<Vec<u8>>());
        assert!(got.info.complete);
    }
}

#[test]
fn frames_larger_than_the_buffer_are_read_when_the_header_allows_them() {
    let large = vec![7; 3 << 20];
    let file = Bytes::pcap_with(Order::Little, 0xa1b2_c3d4, 8 << 20, 1);
    let got = read(&file.records(1, 2).record(START, 0, &large).records(3, 2).bytes);
    assert_eq!(got.packets[2], large);
    assert_eq!(got.firsts(), [1, 2, 7, 3, 4]);
}

#[test]
fn many_frames_cross_the_end_of_the_buffer_unharmed() {
    let mut file = Bytes::pcap(Order::Big);
    for number in 0..5_000_u32 {
        file = file.record(START + number, number, &vec![number as u8; 1 + number as usize % 1499]);
    }
    let got = drain(open(&file.bytes).unwrap(), 64);
    assert_eq!(got.frames.len(), 5_000);
    for (number, packet) in got.packets.iter().enumerate() {
        assert_eq!(packet, &vec![number as u8; 1 + number % 1499]);
    }
    assert!(got.info.complete);
}

#[test]
fn a_batch_never_waits_for_more_when_frames_are_at_hand() {
    struct OneWrite(Option<Vec<u8>>);
    impl Read for OneWrite {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let bytes = self.0.take().expect("asked again although frames were at hand");
            out[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }
    }
    let source = OneWrite(Some(Bytes::pcap(Order::Little).records(1, 5).bytes));
    let mut capture = Capture::from_reader(Box::new(source)).unwrap();
    let mut frames = Vec::new();
    assert!(capture.next_frames(&mut frames, 64));
    assert_eq!(frames.len(), 5);
}

#[test]
fn captures_of_aix_have_nanoseconds_and_interface_types() {
    let header = Bytes::new(Order::Big).u32(0xa1b2_c3d4).u16(2).u16(2).u64(0).u32(65_535).u32(6);
    let got = read(&header.record(START, 999_999_999, &[7; 60]).bytes);
    assert_eq!((got.frames[0].link_type, got.frames[0].len), (1, 60));
    assert_eq!(got.frames[0].time_ns % 1_000_000_000, 999_999_999);
    assert!(got.info.complete && got.info.nanoseconds, "{:?}", got.info.problems);
}
