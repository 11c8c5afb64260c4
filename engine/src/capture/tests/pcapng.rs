use super::*;

#[test]
fn both_byte_orders_read_the_same() {
    for order in [Order::Little, Order::Big] {
        let got = read(&Bytes::pcapng(order, 5).bytes);
        assert_eq!(got.firsts(), [1, 2, 3, 4, 5]);
        assert_eq!(got.times(), [1000, 2000, 3000, 4000, 5000]);
        assert_eq!(got.frames[0].file_offset, 48);
        assert!(got.info.complete && got.info.format.name() == "pcapng");
    }
}

#[test]
fn sections_of_either_byte_order_number_their_interfaces_anew() {
    let file = Bytes::pcapng(Order::Little, 2).section(Order::Big).interface(113, 0, &[]).interface(101, 0, &[]);
    let got = read(&file.packet(1, 9, b"\x2a").packet(0, 9, b"\x2b").bytes);
    let places: Vec<_> = got.frames.iter().map(|frame| (frame.link_type, frame.interface)).collect();
    assert_eq!(places, [(1, 0), (1, 0), (101, 2), (113, 1)]);
    assert_eq!(got.numbers(), [1, 2, 3, 4]);
    assert_eq!(got.info.interfaces.len(), 3);
}

#[test]
fn every_interface_has_its_own_clock() {
    let cases: [(u8, u64, i64); 7] = [
        (6, 5, 5_000),
        (9, 5, 5),
        (3, 5, 5_000_000),
        (0, 5, 5_000_000_000),
        (12, 5_999, 5),
        (0x8a, 1536, 1_500_000_000),
        (127, u64::MAX, 0),
    ];
    let start = Bytes::new(Order::Big).section(Order::Big);
    let file = cases.iter().fold(start, |file, (resolution, ..)| file.interface(1, 0, &[(9, &[*resolution])]));
    let file = cases.iter().zip(0..).fold(file, |file, (case, index)| file.packet(index, case.1, b"x"));
    let got = read(&file.bytes);
    assert_eq!(got.times(), cases.map(|case| case.2));
    assert_eq!(got.problems(), ["out-of-order"]);
    assert!(got.info.nanoseconds);
}

#[test]
fn time_offset_is_seconds_to_add() {
    for order in [Order::Little, Order::Big] {
        let offset = Bytes::new(order).u64(-3_i64 as u64).bytes;
        let file = Bytes::new(order).section(order).interface(1, 0, &[(14, &offset)]);
        assert_eq!(read(&file.packet(0, 5_000_000, b"x").bytes).times(), [2_000_000_000]);
    }
}

#[test]
fn time_beyond_64_bits_is_bounded_and_reported() {
    let late = Bytes::new(Order::Little).u64(i64::MIN as u64).bytes;
    let file = Bytes::new(Order::Little).section(Order::Little).interface(1, 0, &[]).interface(1, 0, &[(14, &late)]);
    let got = read(&file.packet(0, u64::MAX, b"x").packet(1, 0, b"y").bytes);
    assert_eq!(got.times(), [i64::MAX, i64::MIN]);
    assert_eq!(got.problems(), ["odd-timestamp", "out-of-order"]);
    assert_eq!(got.info.problems.as_slice()[0].count, 2);
}

#[test]
fn simple_packet_is_bounded_by_the_snap_length_and_takes_the_time_before() {
    let simple = Bytes::new(Order::Little).u32(1500).raw(&[8; 60]).bytes;
    let file = Bytes::new(Order::Little).section(Order::Little).interface(1, 60, &[]).packet(0, 3, &[7; 60]);
    let got = read(&file.block(3, &simple).bytes);
    assert_eq!((got.frames[1].len, got.frames[1].wire_len, got.frames[1].time_ns), (60, 1500, 3000));
    assert_eq!(got.firsts(), [7, 8]);
    assert_eq!(got.only_problem().0, "no-timestamp");
}

#[test]
fn simple_packet_without_snap_length_is_whole() {
    let simple = Bytes::new(Order::Big).u32(5).raw(b"abcde").bytes;
    let got = read(&Bytes::new(Order::Big).section(Order::Big).interface(101, 0, &[]).block(3, &simple).bytes);
    assert_eq!(got.packets, [b"abcde".to_vec()]);
    assert_eq!(got.frames[0].link_type, 101);
}

#[test]
fn obsolete_packet_block_is_read_with_its_drops() {
    let body = |drops| {
        let head = Bytes::new(Order::Big).u16(0).u16(drops).u32(0).u32(9);
        head.u32(3).u32(4).raw(b"abc\0").bytes
    };
    let file = Bytes::new(Order::Big).section(Order::Big).interface(1, 0, &[]);
    let got = read(&file.block(2, &body(2)).block(2, &body(u16::MAX)).bytes);
    assert_eq!(got.packets, [b"abc".to_vec(), b"abc".to_vec()]);
    assert_eq!((got.frames[0].wire_len, got.frames[0].time_ns), (4, 9000));
    assert_eq!(got.info.interfaces[0].dropped_between_packets, 2);
    assert_eq!(got.problems(), ["packets-dropped"]);
}

#[test]
fn packet_options_are_not_part_of_the_packet() {
    let drops = Bytes::new(Order::Little).u64(4).bytes;
    let file = Bytes::new(Order::Little).section(Order::Little).interface(1, 0, &[]);
    let got = read(&file.packet_with(0, 1, b"abcde", 5, &[(2, &[0; 4]), (4, &drops), (0, &[])]).bytes);
    assert_eq!(got.packets, [b"abcde".to_vec()]);
    assert_eq!(got.info.interfaces[0].drops(), 4);
    assert!(!got.info.complete);
}

#[test]
fn last_statistics_of_an_interface_hold() {
    let block = |received: u64, interface_drops: u64, system_drops: u64| {
        let option = |value: u64| Bytes::new(Order::Little).u64(value).bytes;
        let (received, first, second) = (option(received), option(interface_drops), option(system_drops));
        let body = Bytes::new(Order::Little).u32(0).u64(0);
        body.options(&[(4, &received), (5, &first), (7, &second), (0, &[])]).bytes
    };
    let got = read(&Bytes::pcapng(Order::Little, 1).block(5, &block(10, 1, 1)).block(5, &block(20, 2, 5)).bytes);
    let interface = &got.info.interfaces[0];
    assert_eq!(
        (interface.received, interface.dropped_by_interface, interface.dropped_by_system),
        (Some(20), Some(2), Some(5))
    );
    assert_eq!(interface.drops(), 7);
    let problem = &got.info.problems.as_slice()[0];
    assert!(problem.hides_traffic && problem.message.contains("lost 7 packets") && !got.info.complete);
}

#[test]
fn statistics_without_drops_leave_the_capture_complete() {
    let zero = Bytes::new(Order::Little).u64(0).bytes;
    let body = Bytes::new(Order::Little).u32(0).u64(0).options(&[(5, &zero), (7, &zero)]).bytes;
    assert!(read(&Bytes::pcapng(Order::Little, 1).block(5, &body).bytes).info.complete);
}

#[test]
fn interface_names_are_kept_and_bounded() {
    let long = [b'n'; 400];
    let file = Bytes::new(Order::Little).section(Order::Little);
    let file = file.interface(1, 96, &[(2, b"eth0"), (9, &[9]), (0, &[])]).interface(1, 0, &[(2, &long)]);
    let got = read(&file.interface(1, 0, &[(2, b"caf\xff\0rest")]).bytes);
    let names: Vec<_> = got.info.interfaces.iter().map(|interface| interface.name.as_str()).collect();
    assert_eq!(names, ["eth0", &"n".repeat(256), "caf\u{fffd}"]);
    assert_eq!((got.info.interfaces[0].snaplen, got.info.interfaces[0].resolution), (96, 9));
}

#[test]
fn packets_of_an_interface_never_described_are_reported_and_numbered() {
    let file = Bytes::pcapng(Order::Little, 1).packet(9, 1, b"x").packet(0, 2, b"\x02");
    let got = read(&file.bytes);
    assert_eq!(got.numbers(), [1, 3]);
    assert_eq!(got.only_problem(), ("unknown-interface", 2, 48 + 92, true));
}

#[test]
fn option_past_its_block_is_reported_and_the_packets_are_read() {
    let body = Bytes::new(Order::Little).u16(1).u16(0).u32(0).u16(2).u16(u16::MAX).raw(b"eth0").bytes;
    let file = Bytes::new(Order::Little).section(Order::Little).block(1, &body).packet(0, 1, b"x");
    let got = read(&file.bytes);
    assert_eq!(got.frames.len(), 1);
    assert_eq!(got.only_problem().0, "bad-options");
}

#[test]
fn more_interfaces_than_are_kept_are_reported() {
    let mut file = Bytes::new(Order::Little).section(Order::Little);
    for _ in 0..=65_535 {
        file = file.interface(1, 0, &[]);
    }
    let got = read(&file.packet(65_534, 1, b"x").packet(65_535, 1, b"y").bytes);
    assert_eq!(got.frames.iter().map(|frame| frame.interface).collect::<Vec<_>>(), [65_534]);
    assert_eq!(got.problems(), ["too-many-interfaces", "unknown-interface"]);
}
