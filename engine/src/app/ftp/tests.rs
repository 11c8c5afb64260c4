//! Control connections as clients and servers really hold them.

use crate::app::Kind;
use crate::app::event::{Event, Mechanism, Side, Verb};
use crate::app::tests::{C, S, ports, talk};
use crate::app::{Conversation, FTP_BAD_LINES, FTP_PENDING};
use crate::wire::Address;

const SERVER: Address = Address::from_v4([10, 0, 0, 9]);

/// Lines with `C ` or `S ` in front of each.
fn ftp(script: &str) -> Vec<Event> {
    let lines: Vec<(Side, Vec<u8>)> = script
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty())
        .map(|line| (if line.starts_with('C') { C } else { S }, format!("{}\r\n", &line[2..]).into_bytes()))
        .collect();
    let turns: Vec<(Side, &[u8])> = lines.iter().map(|(from, line)| (*from, line.as_slice())).collect();
    talk(Kind::Ftp, &turns)
}

fn transfer(verb: Verb, accepted: Option<bool>) -> Event {
    Event::FtpTransfer { verb, accepted }
}

fn passive(port: u16) -> Event {
    Event::FtpPassive { address: Some(SERVER), port, extended: false }
}

#[test]
fn a_backup_in_passive_mode_tells_each_step() {
    let events = ftp("S 220-Welcome
        S 220-to 227 (1,2,3,4,5,6)
        S 220 ready
        C USER backup
        S 331 password
        C PASS hunter2
        S 230 in
        C TYPE I
        S 200 ok
        C PASV
        S 227 Entering Passive Mode (10,0,0,9,78,32).
        C STOR a file
        S 150 go
        S 226 done
        C QUIT
        S 221 bye");
    let expected = [
        Event::FtpGreeting,
        Event::FtpUser,
        Event::FtpPass,
        Event::FtpLogin { accepted: true },
        passive(20000),
        transfer(Verb::Stor, None),
        transfer(Verb::Stor, Some(true)),
        Event::FtpTransferDone { ok: true },
        Event::FtpQuit,
        Event::FtpClosing { code: 221 },
    ];
    assert_eq!(events, expected);
}

#[test]
fn replies_to_commands_sent_ahead_find_them_in_order() {
    let events = ftp("C PORT 10,0,0,5,4,1
        C EPRT |2|2001:db8::5|1026|
        C RETR a
        C RETR b
        S 200 fine
        S 500 what
        S 150 go
        S 426 broken off
        S 550 no such file");
    let active =
        |accepted| Event::FtpActive { address: Address::from_v4([10, 0, 0, 5]), port: 1025, extended: false, accepted };
    let address = Address(0x2001_0db8_0000_0000_0000_0000_0000_0005);
    let extended = |accepted| Event::FtpActive { address, port: 1026, extended: true, accepted };
    let expected = [
        active(None),
        extended(None),
        transfer(Verb::Retr, None),
        transfer(Verb::Retr, None),
        active(Some(true)),
        extended(Some(false)),
        transfer(Verb::Retr, Some(true)),
        Event::FtpTransferDone { ok: false },
        transfer(Verb::Retr, Some(false)),
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_capture_from_the_middle_begins_with_replies() {
    let events = ftp("S rest of a line
        S 226 done
        S 227 (10,0,0,9,78,32)
        S 229 Entering (|||20001|)
        S 230 in
        C STOR a
        S 125 go");
    let expected = [
        passive(20000),
        Event::FtpPassive { address: None, port: 20001, extended: true },
        Event::FtpLogin { accepted: true },
        transfer(Verb::Stor, None),
        transfer(Verb::Stor, Some(true)),
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_reply_that_was_captured_before_its_command_leaves_the_next_ones_right() {
    let events = ftp("S 227 (10,0,0,9,78,32)
        C PASV
        C STOR a
        S 150 go
        S 226 done");
    let expected = [
        passive(20000),
        transfer(Verb::Stor, None),
        transfer(Verb::Stor, Some(true)),
        Event::FtpTransferDone { ok: true },
    ];
    assert_eq!(events, expected);
}

#[test]
fn endpoints_that_cannot_be_read_are_told_as_such() {
    let events = ftp("C PASV
        S 227 Entering Passive Mode (10,0,0,999,78,32)
        C EPSV
        S 229 Entering (||||)
        C LPSV
        S 228 (4,4,10,0,0,9,2,78,32)
        C PORT 1,2,3
        S 501 no");
    assert_eq!(events, [227, 229, 228, 0].map(|code| Event::FtpUnreadableEndpoint { code }));
}

#[test]
fn a_login_can_fail_and_need_no_password() {
    assert_eq!(ftp("C USER a\nS 331 x\nC PASS b\nS 530 no")[2..], [Event::FtpLogin { accepted: false }]);
    assert_eq!(ftp("C USER a\nS 230 in")[1..], [Event::FtpLogin { accepted: true }]);
    assert_eq!(ftp("C USER a\nS 332 account\nC ACCT c\nS 230 in")[2..], [Event::FtpLogin { accepted: true }]);
}

#[test]
fn auth_tls_makes_the_connection_opaque_and_its_hello_is_read() {
    let (hello, data) = (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b"\x17\x03\x03\x00\x02ab");
    let turns: [(_, &[u8]); 6] =
        [(S, b"220 x\r\n"), (C, b"AUTH TLS\r\n"), (S, b"234 go\r"), (S, b"\n"), (C, hello), (S, data)];
    let auth = |accepted| Event::FtpAuth { mechanism: Mechanism::Tls, accepted };
    let opaque = Event::FtpOpaque { implicit: false };
    assert_eq!(talk(Kind::Ftp, &turns)[1..], [auth(None), auth(Some(true)), opaque]);
}

#[test]
fn auth_can_be_refused_in_several_ways() {
    for code in [431, 500, 502, 504, 530, 534] {
        let events = ftp(&format!("C AUTH SSL\nS {code} no\nC USER a"));
        let auth = |accepted| Event::FtpAuth { mechanism: Mechanism::Ssl, accepted };
        assert_eq!(events, [auth(None), auth(Some(false)), Event::FtpUser], "{code}");
    }
}

#[test]
fn old_servers_accept_auth_with_334_and_gssapi_goes_on_with_adat() {
    assert!(ftp("C AUTH SSL\nS 334 go").contains(&Event::FtpAuth { mechanism: Mechanism::Ssl, accepted: Some(true) }));
    let events = ftp("C AUTH GSSAPI\nS 334 go on\nC ADAT abc\nS 335 more\nC ADAT def\nS 235 ok\nC ENC xyz\nS 632 abc");
    let auth = |accepted| Event::FtpAuth { mechanism: Mechanism::Other, accepted };
    assert_eq!(events, [auth(None), auth(Some(true)), Event::FtpOpaque { implicit: false }]);
}

#[test]
fn implicit_tls_is_opaque_from_its_first_byte() {
    let events = talk(Kind::Ftp, &[(C, b"\x16\x03\x01\x00\x02ab"), (S, b"\x16\x03\x03\x00\x02ab")]);
    assert_eq!(events, [Event::FtpOpaque { implicit: true }]);
}

#[test]
fn after_ccc_commands_are_in_clear_again() {
    let turns: [(_, &[u8]); 8] = [
        (C, b"AUTH TLS\r\n"),
        (S, b"234 go\r\n"),
        (C, b"\x17\x03\x03\x00\x02ab"),
        (S, b"\x17\x03\x03\x00\x02ab"),
        (C, b"\x15\x03\x03\x00\x02abPASV\r\n"),
        (S, b"\x15\x03\x03\x00\x02ab227 (10,0,0,9,78,32)\r\n"),
        (C, b"PROT P\r\n"),
        (S, b"200 ok\r\n"),
    ];
    let expected = [
        Event::FtpOpaque { implicit: false },
        Event::FtpClear,
        passive(20000),
        Event::FtpSecuredData { private: true },
    ];
    assert_eq!(talk(Kind::Ftp, &turns)[2..], expected);
}

#[test]
fn a_client_that_stays_in_clear_after_auth_is_not_called_opaque() {
    let events = ftp("C AUTH TLS\nS 234 go\nC USER a\nS 331 x");
    assert!(!events.iter().any(|event| matches!(event, Event::FtpOpaque { .. })), "{events:?}");
    assert_eq!(events.last(), Some(&Event::FtpUser));
}

#[test]
fn an_abort_with_telnet_signals_ends_the_transfer() {
    let turns: [(_, &[u8]); 6] = [
        (C, b"RETR a\r\n"),
        (S, b"150 go\r\n"),
        (C, b"\xff\xf4\xff\xf2ABOR\r\n"),
        (S, b"426 aborted\r\n226 closed\r\n"),
        (C, b"REIN\r\n"),
        (S, b"220 again\r\n"),
    ];
    let events = talk(Kind::Ftp, &turns);
    assert_eq!(events[1..], [transfer(Verb::Retr, Some(true)), Event::FtpTransferDone { ok: false }]);
}

#[test]
fn a_server_that_hangs_up_ends_the_transfer() {
    let events = ftp("C STOR a\nS 150 go\nS 421 timeout");
    assert_eq!(events[2..], [Event::FtpTransferDone { ok: false }, Event::FtpClosing { code: 421 }]);
}

#[test]
fn prot_c_and_refused_prot_are_told_apart() {
    assert_eq!(ftp("C PROT C\nS 200 ok\nC PROT P\nS 536 no"), [Event::FtpSecuredData { private: false }]);
}

#[test]
fn after_a_gap_replies_are_not_given_to_commands_from_before() {
    let (mut conversation, mut events) = (Conversation::for_port_kind(Kind::Ftp, &ports()), Vec::new());
    conversation.feed(C, b"PORT 10,0,0,5,4,1\r\n", &mut events);
    conversation.feed(S, b"211-Features\r\n AUTH", &mut events);
    conversation.gap(S, &mut events);
    events.clear();
    conversation.feed(S, b"200 ok\r\n227 (10,0,0,9,78,32)\r\n", &mut events);
    assert_eq!(events, [passive(20000)]);
}

#[test]
fn a_gap_under_tls_is_no_return_to_clear_text() {
    let (mut conversation, mut events) = (Conversation::for_port_kind(Kind::Ftp, &ports()), Vec::new());
    conversation.feed(C, b"AUTH TLS\r\n", &mut events);
    conversation.feed(S, b"234 go\r\n", &mut events);
    conversation.gap(C, &mut events);
    conversation.gap(S, &mut events);
    conversation.feed(C, b"USER a\r\n", &mut events);
    assert_eq!(events[2..], [Event::FtpOpaque { implicit: false }]);
    assert!(conversation.done());
}

#[test]
fn what_is_no_ftp_is_an_error_once() {
    let other = "x: y\r\n".repeat(FTP_BAD_LINES as usize + 5);
    let events = talk(Kind::Ftp, &[(S, b"SSH-2.0-x\r\n"), (C, other.as_bytes()), (C, b"USER x\r\n")]);
    assert!(matches!(events[..], [Event::ProtocolError { protocol: "ftp", .. }]), "{events:?}");
}

#[test]
fn commands_without_replies_are_bounded_and_told_only_where_replies_were_seen() {
    let many = "NOOP\n".repeat(FTP_PENDING + 10);
    assert_eq!(talk(Kind::Ftp, &[(C, many.as_bytes())]), []);
    let events = talk(Kind::Ftp, &[(S, b"220 x\r\n"), (C, many.as_bytes())]);
    assert_eq!(events[1..], [Event::Limit { name: "FTP_PENDING" }]);
}
