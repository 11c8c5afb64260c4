//! Files that somebody writes to while they are read.

use std::fs::{File, OpenOptions};
use std::io::Write;

use super::*;

impl Kept {
    /// The capture with its first frame read, and with that all that one call of the system gives.
    fn begun(&self) -> Capture {
        let mut capture = Capture::open(&self.0).expect("the test's bytes begin like a capture");
        assert!(capture.next_frames(&mut Vec::new(), 1));
        capture
    }

    fn append(&self, bytes: &[u8]) {
        let mut file = OpenOptions::new().append(true).open(&self.0).expect("it was just made");
        file.write_all(bytes).expect("a folder that takes files");
    }

    /// As tcpdump begins a file of its ring anew.
    fn begin_anew(&self, bytes: &[u8]) {
        File::create(&self.0).and_then(|mut file| file.write_all(bytes)).expect("a folder that takes files");
    }
}

/// More than one buffer holds.
const MANY: u32 = 5_000;

fn packets(first: u32, count: u32) -> Vec<u8> {
    Bytes::new(Order::Little).records(first, count).bytes
}

fn pcap(first: u32, count: u32) -> Vec<u8> {
    Bytes::pcap(Order::Little).records(first, count).bytes
}

#[test]
fn what_is_appended_while_a_file_is_read_is_read_too_and_said() {
    let file = Kept::new("grows.pcap", &pcap(1, 4));
    let capture = file.begun();
    file.append(&packets(5, 3));
    let got = drain(capture, 64);
    assert_eq!(got.firsts(), [2, 3, 4, 5, 6, 7]);
    assert_eq!(got.only_problem(), ("still-written", 7, 24 + 7 * 76, false));
    assert!(got.info.complete);
}

#[test]
fn a_record_that_is_half_written_is_told_with_its_place() {
    let record = packets(5, 1);
    for there in 1..record.len() {
        let file = Kept::new(&format!("half-{there}.pcap"), &pcap(1, 4));
        let capture = file.begun();
        file.append(&record[..there]);
        let got = drain(capture, 64);
        assert_eq!(got.firsts(), [2, 3, 4], "{there} bytes");
        assert_eq!(got.problems(), ["cut-short", "still-written"]);
        let cut = &got.info.problems.as_slice()[0];
        assert_eq!((cut.frame, cut.offset), (4, 24 + 4 * 76));
        assert!(!got.info.complete);
    }
}

#[test]
fn a_block_that_is_half_written_is_told_with_its_place() {
    let block = Bytes::new(Order::Little).packet(0, 5, &[5; 60]).bytes;
    for there in 1..block.len() {
        let file = Kept::new(&format!("half-{there}.pcapng"), &Bytes::pcapng(Order::Little, 4).bytes);
        let capture = file.begun();
        file.append(&block[..there]);
        let got = drain(capture, 64);
        assert_eq!(got.firsts(), [2, 3, 4], "{there} bytes");
        assert_eq!(got.problems(), ["cut-short", "still-written"]);
        let cut = &got.info.problems.as_slice()[0];
        assert_eq!((cut.frame, cut.offset), (4, 48 + 4 * 92));
        assert!(!got.info.complete);
    }
}

#[test]
fn a_file_that_stays_as_it_is_has_no_such_problem() {
    let file = Kept::new("stays.pcap", &pcap(1, MANY));
    let got = drain(file.begun(), 64);
    assert!(got.info.complete && got.problems().is_empty(), "{:?}", got.info.problems);
}

#[test]
fn a_file_that_is_emptied_before_its_end_was_read_is_not_complete() {
    let file = Kept::new("emptied.pcap", &pcap(1, MANY));
    let capture = file.begun();
    file.begin_anew(b"");
    let got = drain(capture, 64);
    assert!(!got.info.complete);
    assert!(got.problems().contains(&"rewritten"), "{:?}", got.info.problems);
}

#[test]
fn a_file_that_was_begun_anew_is_not_complete_even_where_its_records_lie_as_before() {
    for count in [MANY, MANY + 500] {
        let file = Kept::new(&format!("anew-{count}.pcap"), &pcap(1, MANY));
        let capture = file.begun();
        file.begin_anew(&pcap(20_000, count));
        let got = drain(capture, 64);
        assert_eq!(got.info.packets, u64::from(count));
        assert_eq!(got.problems(), ["rewritten"]);
        assert!(!got.info.complete);
    }
}

#[test]
fn another_file_under_the_name_of_one_that_was_looked_at_is_told() {
    let file = Kept::new("ring.pcap", &pcap(1, 3));
    let before = file.begun().begin().expect("a regular file");
    let reopened = || {
        let mut capture = Capture::open(&file.0).expect("the test's bytes begin like a capture");
        capture.compare(before);
        drain(capture, 64)
    };
    file.append(&packets(4, 2));
    assert!(reopened().info.complete);
    file.begin_anew(&pcap(9, 9));
    let got = reopened();
    assert_eq!(got.frames.len(), 9);
    assert_eq!(got.only_problem(), ("rewritten", 0, 0, true));
    file.begin_anew(&pcap(1, 2)[..60]);
    assert!(reopened().problems().contains(&"rewritten"));
}
