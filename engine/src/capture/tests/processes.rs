use super::super::block;
use super::super::limits::MAX_PROCESSES;
use super::*;

const NAME: u16 = 2;
const PATH: u16 = 3;
const PROCESS: u16 = 0x8001;
const EFFECTIVE: u16 = 0x8003;

impl Bytes {
    fn process(self, pid: u32, options: &[(u16, &[u8])]) -> Bytes {
        let body = Bytes::new(self.order).u32(pid).options(options).bytes;
        self.block(block::PROCESS, &body)
    }

    /// A packet whose options are numbers.
    fn packet_of(self, options: &[(u16, u32)]) -> Bytes {
        let values: Vec<_> =
            options.iter().map(|&(code, value)| (code, Bytes::new(self.order).u32(value).bytes)).collect();
        let options: Vec<_> = values.iter().map(|(code, value)| (*code, value.as_slice())).collect();
        self.packet_with(0, 1, b"x", 1, &options)
    }
}

fn begin(order: Order) -> Bytes {
    Bytes::new(order).section(order).interface(1, 0, &[])
}

/// The name of each frame's process.
fn names(got: &Reading) -> Vec<&str> {
    got.frames.iter().map(|frame| got.info.processes.name(frame.process)).collect()
}

#[test]
fn packets_name_their_process_and_rather_the_one_it_acts_for() {
    for order in [Order::Little, Order::Big] {
        let file = begin(order).process(7, &[(NAME, b"curl")]).process(8, &[(NAME, b"nsurlsessiond\0")]);
        let file = file.packet_of(&[(PROCESS, 1)]).packet_of(&[(PROCESS, 1), (EFFECTIVE, 0)]).packet(0, 5, b"y");
        let got = read(&file.bytes);
        assert_eq!(names(&got), ["nsurlsessiond", "curl", ""]);
        assert_eq!(got.numbers(), [1, 2, 3]);
        assert!(got.info.names_processes && got.info.complete && got.problems().is_empty());
    }
}

#[test]
fn a_path_is_told_by_its_last_part_and_goes_before_the_name() {
    let path = [b"/Applications/".as_slice(), &[b'x'; 300], b"/rbbackupprogress.exe"].concat();
    let file = begin(Order::Little).process(7, &[(NAME, b"rbbackupprogress"), (PATH, &path)]);
    assert_eq!(names(&read(&file.packet_of(&[(PROCESS, 0)]).bytes)), ["rbbackupprogress.exe"]);
}

#[test]
fn sections_number_their_processes_anew() {
    let file = begin(Order::Little).process(7, &[(NAME, b"curl")]).packet_of(&[(PROCESS, 0)]);
    let file = file.section(Order::Big).interface(1, 0, &[]).process(9, &[(NAME, b"sshd")]);
    let got = read(&file.packet_of(&[(PROCESS, 0)]).packet_of(&[(PROCESS, 1)]).bytes);
    assert_eq!(names(&got), ["curl", "sshd", ""]);
    assert_eq!(got.only_problem().0, "unknown-process");
    assert!(got.info.complete, "who sent a packet hides no traffic");
}

#[test]
fn process_without_a_name_keeps_its_number() {
    let file = begin(Order::Little).block(block::PROCESS, b"").process(0, &[]).process(9, &[(NAME, b"sshd")]);
    let file = file.packet_of(&[(PROCESS, 0)]).packet_of(&[(PROCESS, 1)]).packet_of(&[(PROCESS, 2)]);
    let got = read(&file.bytes);
    assert_eq!(names(&got), ["", "", "sshd"]);
    assert!(got.problems().is_empty());
}

#[test]
fn processes_after_damage_are_not_trusted() {
    let file = begin(Order::Little).process(7, &[(NAME, b"curl")]);
    let damaged = file.u32(block::PROCESS).u32(13).raw(&[0; 40]);
    let file = damaged.process(9, &[(NAME, b"sshd")]).packet_of(&[(PROCESS, 0)]).packet_of(&[(PROCESS, 1)]);
    let got = read(&file.bytes);
    assert_eq!(names(&got), ["curl", ""]);
    assert_eq!(got.problems(), ["bad-block"]);
}

#[test]
fn processes_beyond_the_limit_are_reported_once() {
    let start = begin(Order::Little);
    let file =
        (0..=MAX_PROCESSES).fold(start, |file, number| file.process(7, &[(NAME, number.to_string().as_bytes())]));
    let got = read(&file.packet_of(&[(PROCESS, 0)]).packet_of(&[(PROCESS, MAX_PROCESSES as u32)]).bytes);
    assert_eq!(names(&got), ["0", ""]);
    assert_eq!(got.problems(), ["too-many-processes", "unknown-process"]);
}

#[test]
fn captures_without_processes_say_so() {
    assert!(!read(&Bytes::pcapng(Order::Little, 3).bytes).info.names_processes);
    assert!(!read(&Bytes::pcap(Order::Little).records(1, 3).bytes).info.names_processes);
    let tapped = Bytes::new(Order::Little).section(Order::Little).interface(258, 0, &[]).packet(0, 1, b"x");
    assert!(read(&tapped.bytes).info.names_processes);
}
