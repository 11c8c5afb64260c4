//! Messages as servers send them.

use super::{DNS_CHAIN, message};
use crate::app::event::Event;
use crate::app::host::address;
use crate::app::tests::hex;
use crate::wire::Address;

const QUESTION: &str = "03726273 0864726261636b7570 036e6574 00 0001 0001";

fn read(bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    message(bytes, bytes.len() as u32, &mut events);
    events
}

/// A response to an A question for rbs.drbackup.net with these answer records.
fn response(flags: &str, records: &[&str]) -> Vec<u8> {
    hex(&format!("0001 {flags} 0001 {:04x} 0000 0000 {QUESTION} {}", records.len(), records.concat()))
}

fn answer(cnames: &[&str], addresses: &[&str], code: u8, truncated: bool) -> Event {
    Event::DnsAnswer {
        name: "rbs.drbackup.net".into(),
        kind: 1,
        cnames: cnames.iter().map(|&name| name.to_owned()).collect(),
        addresses: addresses.iter().map(|text| address(text.as_bytes()).unwrap()).collect::<Vec<Address>>(),
        code,
        truncated,
    }
}

const A: &str = "c00c 0001 0001 00000e10 0004 42f10709";
/// rbs.drbackup.net is an alias of a.drbackup.net.
const ALIAS: &str = "c00c 0005 0001 00000e10 0004 0161 c010";
/// The address of a.drbackup.net; the name points into the alias' data.
const ALIASED: &str = "c02e 0001 0001 00000e10 0004 42f1070a";

#[test]
fn a_question_is_told_in_lower_case() {
    let query = hex(&format!("0001 0100 0001 0000 0000 0000 {}", QUESTION.replace("03726273", "03524253")));
    assert_eq!(read(&query), [Event::DnsQuery { name: "rbs.drbackup.net".into(), kind: 1 }]);
}

#[test]
fn an_answer_has_the_addresses_of_its_own_name() {
    let other = "0178 00 0001 0001 00000e10 0004 01010101";
    assert_eq!(read(&response("8180", &[A, other])), [answer(&[], &["66.241.7.9"], 0, false)]);
}

#[test]
fn addresses_are_found_through_aliases_in_any_order() {
    let expected = [answer(&["a.drbackup.net"], &["66.241.7.10"], 0, false)];
    assert_eq!(read(&response("8180", &[ALIAS, ALIASED])), expected);
    let spelled = "0141 0864726261636b7570 036e6574 00 0001 0001 00000e10 0004 42f1070a";
    assert_eq!(read(&response("8180", &[spelled, ALIAS])), expected);
}

#[test]
fn ipv6_addresses_are_told() {
    let aaaa = "c00c 001c 0001 00000e10 0010 20010db8000000000000000000000005";
    assert_eq!(read(&response("8180", &[aaaa])), [answer(&[], &["2001:db8::5"], 0, false)]);
}

#[test]
fn aliases_in_a_circle_end() {
    let loops = "c00c 0005 0001 00000e10 0002 c00c";
    let expected = [Event::Limit { name: "DNS_CHAIN" }, answer(&[], &[], 0, true)];
    assert_eq!(read(&response("8180", &[loops])), expected);
}

#[test]
fn a_long_chain_is_cut_at_its_limit() {
    let hop =
        |from: usize, to: usize| format!("02 {from:02x}{from:02x} 00 0005 0001 00000e10 0004 02 {to:02x}{to:02x} 00");
    let mut records = vec!["c00c 0005 0001 00000e10 0004 02 8080 00".to_owned()];
    records.extend((0x80..0x80 + DNS_CHAIN + 3).map(|n| hop(n, n + 1)));
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let events = read(&response("8180", &records));
    assert_eq!(events[0], Event::Limit { name: "DNS_CHAIN" });
    assert!(matches!(&events[1], Event::DnsAnswer { cnames, truncated: true, .. } if cnames.len() == DNS_CHAIN));
}

#[test]
fn a_refusal_has_its_code_and_no_addresses() {
    assert_eq!(read(&response("8183", &[])), [answer(&[], &[], 3, false)]);
}

#[test]
fn what_the_server_or_the_capture_cut_is_told() {
    assert_eq!(read(&response("8380", &[A])), [answer(&[], &["66.241.7.9"], 0, true)]);
    let (whole, mut events) = (response("8180", &[A, A]), Vec::new());
    message(&whole[..whole.len() - 3], whole.len() as u32, &mut events);
    assert_eq!(events, [answer(&[], &["66.241.7.9"], 0, true)]);
    events.clear();
    message(&whole[..20], whole.len() as u32, &mut events);
    assert_eq!(events, [Event::Lost { protocol: "dns" }]);
}

#[test]
fn malformed_messages_are_errors() {
    let error = |events: &[Event]| matches!(events[..], [Event::ProtocolError { protocol: "dns", .. }, ..]);
    assert!(error(&read(b"short")));
    assert!(error(&read(&hex("0001 0100 0001 0000 0000 0000 c00c 0001 0001"))));
    assert!(error(&read(&response("8180", &["c00c 0001 0001 00000e10 0003 42f107"]))));
    assert!(error(&read(&response("8180", &["c00c 0005 0001 00000e10 0009 0161c010"]))));
}

#[test]
fn other_opcodes_classes_and_counts_of_questions_tell_nothing() {
    assert_eq!(read(&response("a880", &[A])), []);
    assert_eq!(read(&hex("0001 8400 0000 0001 0000 0000 0161 00 0001 0001 00000e10 0004 01010101")), []);
    assert_eq!(read(&hex(&format!("0001 0100 0001 0000 0000 0000 {}8001", &QUESTION[..QUESTION.len() - 4]))), []);
}

#[test]
fn no_bytes_make_it_panic() {
    let seed = response("8180", &[ALIAS, ALIASED, A]);
    let mut random = crate::app::tests::Random(7);
    for _ in 0..20_000 {
        let mut bytes = seed.clone();
        for _ in 0..=random.below(5) {
            let place = random.below(bytes.len());
            bytes[place] = random.below(256) as u8;
        }
        bytes.truncate(random.below(bytes.len() + 1));
        let mut events = Vec::new();
        message(&bytes, bytes.len() as u32 + random.below(2) as u32, &mut events);
        assert!(events.len() <= 4);
    }
}
