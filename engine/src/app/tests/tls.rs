//! Hellos as they come over the wire.

use super::{C, S, hex, talk};
use crate::app::{Event, Kind, TLS_HELLO};

/// A client hello for a name, with these extensions behind it.
pub(super) fn client_hello(version: u16, name: &[u8], more: &[u8]) -> Vec<u8> {
    let mut extensions = Vec::new();
    if !name.is_empty() {
        let length = name.len() as u16;
        extensions.extend([0, 0]);
        for number in [length + 5, length + 3] {
            extensions.extend(number.to_be_bytes());
        }
        extensions.push(0);
        extensions.extend(length.to_be_bytes());
        extensions.extend_from_slice(name);
    }
    extensions.extend_from_slice(more);
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    message(1, &body)
}

pub(super) fn server_hello(version: u16, extensions: &[u8]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.extend([0, 0x13, 1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend_from_slice(extensions);
    message(2, &body)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = (body.len() as u32).to_be_bytes().to_vec();
    message[0] = kind;
    message.extend_from_slice(body);
    message
}

/// Handshake bytes in records of that length.
pub(super) fn records(handshake: &[u8], length: usize) -> Vec<u8> {
    let mut records = Vec::new();
    for part in handshake.chunks(length) {
        records.extend([22, 3, 1]);
        records.extend((part.len() as u16).to_be_bytes());
        records.extend_from_slice(part);
    }
    records
}

fn hello(sni: Option<&str>, version: u16) -> Event {
    Event::TlsClientHello { sni: sni.map(str::to_owned), version, ssl2: false }
}

#[test]
fn a_hello_over_many_records_names_host_and_highest_version() {
    let offered = hex("002b 0009 08 7a7a 0302 0304 0303");
    let hello_bytes = client_hello(0x0303, b"RBS.drbackup.NET", &offered);
    for length in [1, 7, 50, 16384] {
        let events = talk(Kind::Tls, &[(C, &records(&hello_bytes, length))]);
        assert_eq!(events, [hello(Some("rbs.drbackup.net"), 0x0304)], "{length}");
    }
}

#[test]
fn the_server_chooses_a_version_in_its_header_or_in_an_extension() {
    let old = talk(Kind::Tls, &[(S, &records(&server_hello(0x0302, b""), 999))]);
    assert_eq!(old, [Event::TlsServerHello { version: 0x0302 }]);
    let new = talk(Kind::Tls, &[(S, &records(&server_hello(0x0303, &hex("002b 0002 0304")), 999))]);
    assert_eq!(new, [Event::TlsServerHello { version: 0x0304 }]);
}

#[test]
fn a_hello_without_extensions_has_no_name() {
    let mut bytes = client_hello(0x0300, b"", b"");
    bytes.truncate(bytes.len() - 2);
    bytes[3] -= 2;
    assert_eq!(talk(Kind::Tls, &[(C, &records(&bytes, 99))]), [hello(None, 0x0300)]);
}

#[test]
fn a_name_with_control_characters_is_escaped() {
    let events = talk(Kind::Tls, &[(C, &records(&client_hello(0x0303, b"a\x1b[2Jb", b""), 999))]);
    assert_eq!(events, [hello(Some("a\\027[2jb"), 0x0303)]);
}

#[test]
fn a_connection_from_its_middle_tells_nothing() {
    let middle = hex("17 0303 0003 010203");
    assert_eq!(talk(Kind::Tls, &[(C, &middle), (S, &middle)]), []);
}

#[test]
fn a_hello_too_long_to_gather_is_named_as_limit() {
    let mut bytes = message(1, &[0; 10]);
    bytes[1..4].copy_from_slice(&((TLS_HELLO + 1) as u32).to_be_bytes()[1..]);
    assert_eq!(talk(Kind::Tls, &[(C, &records(&bytes, 99))]), [Event::Limit { name: "TLS_HELLO" }]);
}

#[test]
fn an_ssl_2_hello_is_named() {
    let bytes = hex("802e 01 0002 0015 0000 0010 010080 020080 030080 040080 060040 0700c0 050080").into_iter();
    let bytes: Vec<u8> = bytes.chain([9; 16]).collect();
    let expected = [Event::TlsClientHello { sni: None, version: 2, ssl2: true }];
    assert_eq!(talk(Kind::Tls, &[(C, &bytes)]), expected);
    assert_eq!(talk(Kind::Unknown, &[(C, &bytes)]), expected);
}

#[test]
fn bytes_that_are_no_records_are_an_error_once() {
    let events = talk(Kind::Tls, &[(C, b"GET / HTTP/1.1\r\n\r\n"), (S, b"HTTP/1.1 200 OK\r\n")]);
    assert_eq!(events, [Event::ProtocolError { protocol: "tls", what: "bytes that are no record" }]);
}
