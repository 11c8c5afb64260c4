//! Frame numbers are Wireshark's (compared with version 4.0), so that a frame named in a report is found there.

use super::*;

fn numbers_around(kind: u32, body: &[u8]) -> Vec<u64> {
    let got = read(&Bytes::pcapng(Order::Little, 1).block(kind, body).packet(0, 2, b"x").bytes);
    assert!(got.info.complete, "{:?}", got.info.problems);
    got.numbers()
}

#[test]
fn custom_blocks_take_a_number() {
    assert_eq!(numbers_around(0x0bad, &[1; 8]), [1, 3]);
    assert_eq!(numbers_around(0x4000_0bad, &[1; 8]), [1, 3]);
}

#[test]
fn journal_entries_take_a_number() {
    assert_eq!(numbers_around(9, b"__REALTIME_TIMESTAMP=1000000\nMESSAGE=hi\n"), [1, 3]);
}

#[test]
fn system_call_events_take_a_number() {
    for kind in [0x204, 0x216, 0x221] {
        assert_eq!(numbers_around(kind, &[0; 48]), [1, 3]);
    }
}

#[test]
fn names_secrets_statistics_and_unknown_blocks_take_none() {
    assert_eq!(numbers_around(4, &[0; 4]), [1, 2]);
    assert_eq!(numbers_around(5, &[0; 12]), [1, 2]);
    assert_eq!(numbers_around(10, b"KSLT\x04\0\0\0abcd"), [1, 2]);
    for kind in [7, 0x201, 0x208, 0x1_2345, 0x8000_0001] {
        assert_eq!(numbers_around(kind, &[9; 20]), [1, 2]);
    }
}
