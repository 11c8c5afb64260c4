//! SOCKS and HTTP CONNECT, and what runs through them.

use std::sync::Arc;

use super::tls::{client_hello, records, server_hello};
use super::{C, S, hex, talk};
use crate::app::{Conversation, Event, Expected, Kind, SAMPLE_BYTES, Sample, SocksCommand, Target};
use crate::interest::Interest;
use crate::wire::Address;

fn request(version: u8, target: Target, port: u16) -> Event {
    Event::SocksRequest { version, command: SocksCommand::Connect, target, port }
}

fn name(name: &str) -> Target {
    Target::Name(name.to_owned())
}

fn v4(bytes: [u8; 4]) -> Target {
    Target::Address(Address::from_v4(bytes))
}

fn granted(bound: [u8; 4], port: u16) -> Event {
    Event::SocksReply { command: SocksCommand::Connect, accepted: true, bound: Some(v4(bound)), port }
}

fn client_hello_event(sni: &str) -> Event {
    Event::TlsClientHello { sni: Some(sni.to_owned()), version: 0x0303, ssl2: false }
}

#[test]
fn socks_5_names_its_target_and_the_tunnel_is_read() {
    let hello = records(&client_hello(0x0303, b"a.example", b""), 999);
    let turns: [(_, &[u8]); 6] = [
        (C, &hex("05 01 00")),
        (S, &hex("05 00")),
        (C, &hex("05 01 00 01 cca46f05 4000")),
        (S, &hex("05 00 00 01 0a000009 1234")),
        (C, &hello),
        (S, &records(&server_hello(0x0303, b""), 999)),
    ];
    let expected = [
        request(5, v4([204, 164, 111, 5]), 16384),
        granted([10, 0, 0, 9], 0x1234),
        client_hello_event("a.example"),
        Event::TlsServerHello { version: 0x0303 },
    ];
    assert_eq!(talk(Kind::Socks, &turns), expected);
    assert_eq!(talk(Kind::Unknown, &turns), expected);
}

#[test]
fn ftp_through_socks_is_read_by_the_port_of_its_target() {
    let events = talk(
        Kind::Socks,
        &[
            (C, &hex("05 02 00 02")),
            (S, &hex("05 02")),
            (C, &hex("01 04 75736572 06 736563726574")),
            (S, &hex("01 00")),
            (C, &[&hex("05 01 00 03 0c"), b"RBS.Example.".as_slice(), &hex("0015")].concat()),
            (S, &hex("05 00 00 01 00000000 0000")),
            (S, b"220 ready\r\n"),
            (C, b"USER a\r\n"),
        ],
    );
    let expected = [
        Event::SocksCredentials,
        request(5, name("rbs.example"), 21),
        granted([0; 4], 0),
        Event::FtpGreeting,
        Event::FtpUser,
    ];
    assert_eq!(events, expected);
}

#[test]
fn socks_4_and_4a_are_told_apart() {
    let plain: [(_, &[u8]); 2] = [(C, b"\x04\x01\x40\x00\xcc\xa4\x6f\x05user\x00"), (S, &hex("00 5a 0000 00000000"))];
    assert_eq!(talk(Kind::Socks, &plain), [request(4, v4([204, 164, 111, 5]), 16384), granted([0; 4], 0)]);
    let named: [(_, &[u8]); 2] = [(C, b"\x04\x01\x40\x00\0\0\0\x01\0Name.Example\0"), (S, &hex("00 5b 0000 00000000"))];
    let refused = Event::SocksReply { command: SocksCommand::Connect, accepted: false, bound: None, port: 0 };
    assert_eq!(talk(Kind::Socks, &named), [request(4, name("name.example"), 16384), refused]);
}

#[test]
fn a_bind_is_answered_when_the_proxy_listens_and_when_somebody_has_connected() {
    let reply =
        |host, port| Event::SocksReply { command: SocksCommand::Bind, accepted: true, bound: Some(v4(host)), port };
    let expected = |version| {
        let target = v4([66, 241, 7, 9]);
        let asked = Event::SocksRequest { version, command: SocksCommand::Bind, target, port: 21 };
        [asked, reply([10, 0, 0, 9], 0x1234), reply([66, 241, 7, 9], 20)]
    };
    let five: [(_, &[u8]); 6] = [
        (C, &hex("05 01 00")),
        (S, &hex("05 00")),
        (C, &hex("05 02 00 01 42f10709 0015")),
        (S, &hex("05 00 00 01 0a000009 1234")),
        (S, &hex("05 00 00 01 42f10709 0014")),
        (S, b"\x16\x03\x01 what runs over it"),
    ];
    assert_eq!(talk(Kind::Socks, &five), expected(5));
    let four: [(_, &[u8]); 3] = [
        (C, b"\x04\x02\x00\x15\x42\xf1\x07\x09user\x00"),
        (S, &hex("00 5a 1234 0a000009")),
        (S, &hex("00 5a 0014 42f10709")),
    ];
    assert_eq!(talk(Kind::Socks, &four), expected(4));
    let nobody = [four[0], four[1], (S, &hex("00 5b 0000 00000000"))];
    assert!(matches!(talk(Kind::Socks, &nobody)[2], Event::SocksReply { accepted: false, .. }));
}

#[test]
fn a_refused_method_and_refused_credentials_are_refusals() {
    let refused = [Event::SocksReply { command: SocksCommand::Connect, accepted: false, bound: None, port: 0 }];
    assert_eq!(talk(Kind::Socks, &[(C, &hex("05 01 00")), (S, &hex("05 ff"))]), refused);
    let login: [(_, &[u8]); 4] = [(C, &hex("05 01 02")), (S, &hex("05 02")), (C, &hex("01 00 00")), (S, &hex("01 01"))];
    assert_eq!(talk(Kind::Socks, &login)[1..], refused);
}

#[test]
fn a_client_that_does_not_wait_for_answers_is_understood() {
    let ahead = hex("05 01 00 05 01 00 04 20010db8000000000000000000000005 01bb");
    let events = talk(Kind::Socks, &[(C, &ahead), (S, &hex("05 00 05 00 00 01 00000000 0000"))]);
    let target = Target::Address(Address(0x2001_0db8_0000_0000_0000_0000_0000_0005));
    assert_eq!(events, [request(5, target, 443), granted([0; 4], 0)]);
}

#[test]
fn what_is_no_socks_is_an_error_once() {
    for client in
        ["06", "05 01 00 07", "05 01 00 05 09 00 01 00000000 0000", "04 07 0000 00000000", "05 01 00 05 01 00 02 00 00"]
    {
        let events = talk(Kind::Socks, &[(C, &hex(client)), (S, b"more")]);
        assert!(matches!(events[..], [Event::ProtocolError { protocol: "socks", .. }]), "{client}: {events:?}");
    }
    let endless = [&hex("04 01 0000 00000001")[..], &[b'x'; 300]].concat();
    assert!(matches!(talk(Kind::Socks, &[(C, &endless)])[..], [Event::ProtocolError { .. }]));
}

#[test]
fn connect_opens_a_tunnel_that_is_read() {
    let hello = records(&client_hello(0x0303, b"b.example", b""), 999);
    let turns: [(_, &[u8]); 4] = [
        (C, b"CONNECT B.Example:443 HTTP/1.1\r\nHost: x\r\nproxy-authorization:  Basic dXNlcjpwYXNz\r\n\r\n"),
        (S, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n"),
        (C, &hello),
        (S, &records(&server_hello(0x0303, b""), 999)),
    ];
    let expected = [
        Event::HttpConnect { target: name("b.example"), port: 443 },
        Event::ProxyAuthorization { basic: true },
        Event::HttpConnectReply { status: 200 },
        client_hello_event("b.example"),
        Event::TlsServerHello { version: 0x0303 },
    ];
    assert_eq!(talk(Kind::HttpConnect, &turns), expected);
    assert_eq!(talk(Kind::Unknown, &turns), expected);
}

#[test]
fn a_client_may_try_again_after_407() {
    let again = b"CONNECT 204.164.111.5:16384 HTTP/1.1\r\nProxy-Authorization: NTLM abc\r\n\r\n";
    let target = v4([204, 164, 111, 5]);
    for body in [
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
        "content-length: 0\r\n\r\n",
    ] {
        let refusal = format!("HTTP/1.1 407 Proxy Authentication Required\r\n{body}");
        let events = talk(
            Kind::HttpConnect,
            &[
                (C, b"CONNECT [::1]:16384 HTTP/1.1\r\n\r\n"),
                (S, refusal.as_bytes()),
                (C, again),
                (S, b"HTTP/1.1 200 OK\r\n\r\n"),
            ],
        );
        let expected = [
            Event::HttpConnect { target: Target::Address(Address(1)), port: 16384 },
            Event::HttpConnectReply { status: 407 },
            Event::HttpConnect { target: target.clone(), port: 16384 },
            Event::ProxyAuthorization { basic: false },
            Event::HttpConnectReply { status: 200 },
        ];
        assert_eq!(events, expected, "{body}");
    }
}

#[test]
fn where_answers_were_not_captured_every_try_is_told() {
    let once = b"CONNECT a:1 HTTP/1.1\r\n\r\n".repeat(2);
    let connect = Event::HttpConnect { target: name("a"), port: 1 };
    assert_eq!(talk(Kind::HttpConnect, &[(C, &once)]), [connect.clone(), connect]);
}

#[test]
fn other_requests_are_told_with_their_credentials_and_then_left() {
    let get = b"GET http://a/ HTTP/1.1\r\nProxy-Authorization: Basic eHh4\r\n\r\nGET http://b/ HTTP/1.1\r\n\r\n";
    let events = talk(Kind::HttpConnect, &[(C, get), (S, b"HTTP/1.1 200 OK\r\n\r\n")]);
    assert_eq!(events, [Event::HttpOther, Event::ProxyAuthorization { basic: true }]);
}

#[test]
fn what_is_no_http_is_an_error_once() {
    for client in [
        "hello\r\n",
        "CONNECT a HTTP/1.1\r\n",
        "CONNECT a:0 HTTP/1.1\r\n",
        "CONNECT :1 HTTP/1.1\r\n",
        "CONNECT a:+5 HTTP/1.1\r\n",
    ] {
        let events = talk(Kind::HttpConnect, &[(C, client.as_bytes()), (C, b"more\r\n")]);
        assert!(matches!(events[..], [Event::ProtocolError { protocol: "http", .. }]), "{client}: {events:?}");
    }
    let events = talk(Kind::HttpConnect, &[(C, b"CONNECT a:1 HTTP/1.1\r\n\r\n"), (S, b"220 ftp\r\n")]);
    assert!(matches!(events[1..], [Event::ProtocolError { protocol: "http", .. }]));
}

#[test]
fn a_header_without_end_is_given_up() {
    let endless = [b"CONNECT a:1 HTTP/1.1\r\n".as_slice(), &b"X: y\r\n".repeat(300)].concat();
    let events = talk(Kind::HttpConnect, &[(C, &endless)]);
    assert_eq!(events[1..], [Event::Limit { name: "HTTP_HEADERS" }]);
}

#[test]
fn tunnels_in_tunnels_are_followed_so_far_and_no_further() {
    let hop = hex("05 01 00 05 01 00 01 0a000001 0438");
    let events = talk(Kind::Socks, &[(C, &hop.repeat(5)), (C, b"x")]);
    let mut expected = vec![request(5, v4([10, 0, 0, 1]), 1080); 5];
    expected.push(Event::Limit { name: "APP_DEPTH" });
    assert_eq!(events, expected);
}

/// A SOCKS session without a login to an address, granted.
fn tunnel_to(address: &str, port: &str) -> Vec<(crate::app::Side, Vec<u8>)> {
    vec![
        (C, hex("05 01 00")),
        (S, hex("05 00")),
        (C, hex(&format!("05 01 00 01 {address} {port}"))),
        (S, hex("05 00 00 01 00000000 0000")),
    ]
}

/// What is sampled of a conversation where 204.164.111.5 and `rbs.example` are to be.
fn sampled(kind: Kind, turns: &[(crate::app::Side, Vec<u8>)]) -> Option<[u32; 2]> {
    let server = Address::from_v4([204, 164, 111, 5]).0;
    let expected = Expected::new(&[(21, Kind::Ftp), (1080, Kind::Socks)])
        .sampling(Some(Interest::new(&[(server, server)], &[])), &["rbs.example".into()]);
    let mut conversation = Conversation::for_port_kind(kind, &Arc::new(expected));
    for (from, bytes) in turns {
        conversation.feed(*from, bytes, &mut Vec::new());
    }
    conversation.samples().map(|samples| samples.each_ref().map(Sample::bytes))
}

#[test]
fn only_what_runs_through_the_tunnel_is_sampled() {
    let mut turns = tunnel_to("cca46f05", "4000");
    assert_eq!(sampled(Kind::Socks, &turns), Some([0, 0]));
    turns.extend([(C, vec![7; 1000]), (S, vec![8; 30]), (C, vec![9; 500])]);
    assert_eq!(sampled(Kind::Socks, &turns), Some([1500, 30]));
    assert_eq!(sampled(Kind::Unknown, &turns), Some([1500, 30]));
}

#[test]
fn tunnels_to_others_and_control_connections_are_not_sampled() {
    for (address, port) in [("cca46f06", "4000"), ("cca46f05", "0015")] {
        let mut turns = tunnel_to(address, port);
        turns.push((C, vec![7; 1000]));
        assert_eq!(sampled(Kind::Socks, &turns), None);
    }
}

#[test]
fn a_tunnel_by_name_is_sampled_and_so_is_one_within_another() {
    let connect = b"CONNECT RBS.example:20001 HTTP/1.1\r\n\r\n".to_vec();
    let answer = b"HTTP/1.1 200 fine\r\n\r\n".to_vec();
    let by_name = [(C, connect), (S, answer.clone()), (C, vec![1; 10])];
    assert_eq!(sampled(Kind::HttpConnect, &by_name), Some([10, 0]));
    let outer = b"CONNECT 10.0.0.9:1080 HTTP/1.1\r\n\r\n".to_vec();
    let inner = [tunnel_to("cca46f05", "4000"), vec![(S, vec![2; 20])]].concat();
    let nested = [vec![(C, outer), (S, answer)], inner].concat();
    assert_eq!(sampled(Kind::HttpConnect, &nested), Some([0, 20]));
}

#[test]
fn a_sampled_tunnel_is_read_until_enough_is_sampled() {
    let mut conversation = Conversation::for_port_kind(
        Kind::Socks,
        &Arc::new(Expected::default().sampling(Some(Interest::new(&[(0, u128::MAX)], &[])), &[])),
    );
    for (from, bytes) in tunnel_to("cca46f05", "4000") {
        conversation.feed(from, &bytes, &mut Vec::new());
    }
    for from in [C, S] {
        assert!(!conversation.done());
        conversation.feed(from, &vec![b'x'; SAMPLE_BYTES as usize], &mut Vec::new());
    }
    assert!(conversation.done());
}

#[test]
fn the_answer_to_udp_associate_tells_of_a_relay() {
    let events = talk(
        Kind::Socks,
        &[
            (C, &hex("05 01 00")),
            (S, &hex("05 00")),
            (C, &hex("05 03 00 01 00000000 0000")),
            (S, &hex("05 00 00 01 0a000009 9c40")),
        ],
    );
    let relay = Event::SocksReply {
        command: SocksCommand::UdpAssociate,
        accepted: true,
        bound: Some(v4([10, 0, 0, 9])),
        port: 40_000,
    };
    assert_eq!(events.last(), Some(&relay));
}
