//! Choosing a parser, gaps, and the laws for any bytes.

use super::{C, Random, S, hex, ports, talk};
use crate::app::{Conversation, Event, Kind, Side};

const KINDS: [Kind; 6] = [Kind::Ftp, Kind::Socks, Kind::HttpConnect, Kind::Tls, Kind::DnsTcp, Kind::Unknown];

#[test]
fn what_is_not_looked_for_tells_nothing_and_is_done() {
    for (from, bytes) in [(C, b"SSH-2.0-x\r\n".as_slice()), (S, b"220 mail\r\n"), (C, &[0x16, 2]), (C, b"CONNEX")] {
        let (mut conversation, mut events) = (Conversation::for_port_kind(Kind::Unknown, &ports()), Vec::new());
        conversation.feed(from, bytes, &mut events);
        assert!(conversation.done() && events.is_empty(), "{bytes:?}");
    }
}

#[test]
fn a_gap_in_a_handshake_ends_the_reading_and_says_so() {
    let starts: [(Kind, &[u8]); 4] = [
        (Kind::Socks, &hex("05 01")),
        (Kind::HttpConnect, b"CONNECT a"),
        (Kind::Tls, &hex("16 0301 0100 01")),
        (Kind::DnsTcp, &hex("00")),
    ];
    for (kind, start) in starts {
        let (mut conversation, mut events) = (Conversation::for_port_kind(kind, &ports()), Vec::new());
        conversation.feed(C, start, &mut events);
        conversation.gap(C, &mut events);
        conversation.feed(C, start, &mut events);
        assert!(matches!(events[..], [Event::Lost { .. }]), "{kind:?}: {events:?}");
    }
}

#[test]
fn a_gap_in_a_tunnel_is_one_of_what_runs_through_it() {
    let (mut conversation, mut events) = (Conversation::for_port_kind(Kind::Socks, &ports()), Vec::new());
    conversation.feed(C, &hex("05 01 00 05 01 00 01 0a000001 0015"), &mut events);
    conversation.feed(S, &hex("05 00 05 00 00 01 00000000 0000"), &mut events);
    events.clear();
    conversation.gap(S, &mut events);
    conversation.feed(S, b"227 ok (10,0,0,1,1,1)\r\n", &mut events);
    let told = [Event::Lost { protocol: "ftp" }];
    assert_eq!(events[..1], told);
    assert!(matches!(events[1..], [Event::FtpPassive { port: 257, .. }]), "{events:?}");
}

#[test]
fn dns_over_tcp_is_read_message_by_message() {
    let query = hex("001d 0001 0100 0001 0000 0000 0000 03777777 076578616d706c65 00 0001 0001").repeat(2);
    let told = Event::DnsQuery { name: "www.example".into(), kind: 1 };
    assert_eq!(talk(Kind::DnsTcp, &[(C, &query)]), [told.clone(), told]);
}

/// Any bytes in any pieces: no panic, and no more than a few events for each byte.
#[test]
fn no_bytes_make_a_parser_panic() {
    let mut random = Random(99);
    let words: [&[u8]; 14] = [
        b"220 x\r\n",
        b"USER ",
        b"PORT 1,2,3,4,5,6\r\n",
        b"227 (1,2,3,4,5,6)\r\n",
        b"234 ok\r\n",
        b"\xff\xfa",
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x02",
        b"\x05\x01\x00\x05\x01\x00\x03",
        b"\x04\x01\x00\x15\x00\x00\x00\x01",
        b"CONNECT a:21 HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"\x00\x1d\x00\x01\x01\x00\x00\x01",
        b"\r\n",
        b"\x80\x2e\x01\x00\x02",
    ];
    for _ in 0..3000 {
        let mut conversation = Conversation::for_port_kind(KINDS[random.below(KINDS.len())], &ports());
        let mut events = Vec::new();
        let mut fed = 0;
        for _ in 0..random.below(30) {
            let from = if random.below(2) == 0 { Side::Client } else { Side::Server };
            if random.below(12) == 0 {
                conversation.gap(from, &mut events);
            }
            let mut bytes = words[random.below(words.len())].to_vec();
            if random.below(3) == 0 {
                let place = random.below(bytes.len());
                bytes[place] = random.below(256) as u8;
            }
            fed += bytes.len();
            conversation.feed(from, &bytes, &mut events);
        }
        assert!(events.len() <= fed + 30, "{} events of {fed} bytes", events.len());
    }
}

#[test]
fn after_the_end_nothing_is_told() {
    for kind in KINDS {
        let (mut conversation, mut events) = (Conversation::for_port_kind(kind, &ports()), Vec::new());
        conversation.feed(C, &[0xee; 2000], &mut events);
        conversation.feed(C, &b"\n\x01\x02\n".repeat(2000), &mut events);
        events.clear();
        if conversation.done() {
            conversation.feed(C, b"USER x\r\n", &mut events);
            conversation.gap(S, &mut events);
            assert_eq!(events, [], "{kind:?}");
        }
    }
}
