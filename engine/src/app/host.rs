//! Names and addresses of hosts as protocols write them.

use std::fmt;
use std::net::IpAddr;

use crate::wire::Address;

/// Where somebody wants to go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// An address.
    Address(Address),
    /// A name: lower case, escaped, without the final dot.
    Name(String),
}

impl Target {
    /// From the text of a name or of an address literal, IPv6 with or without brackets.
    pub(super) fn of_text(text: &[u8]) -> Target {
        let bare = text.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]")).unwrap_or(text);
        match address(bare) {
            Some(address) => Target::Address(address),
            None => Target::Name(host_name(text)),
        }
    }

    /// The address behind a SOCKS address type (RFC 1928, 5).
    pub(super) fn of_v4(bytes: &[u8]) -> Option<Target> {
        bytes.try_into().ok().map(|bytes| Target::Address(Address::from_v4(bytes)))
    }

    /// As [`Target::of_v4`], of 16 bytes.
    pub(super) fn of_v6(bytes: &[u8]) -> Option<Target> {
        bytes.try_into().ok().map(|bytes| Target::Address(Address::from_v6(bytes)))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Address(address) => address.fmt(f),
            Target::Name(name) => f.write_str(name),
        }
    }
}

/// An address literal. A mapped IPv4 address is that IPv4 address.
pub(super) fn address(text: &[u8]) -> Option<Address> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse::<IpAddr>().ok().map(Address::from)
}

/// A host name fit to be compared and printed.
pub(super) fn host_name(text: &[u8]) -> String {
    let text = match text.strip_suffix(b".") {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => text,
    };
    let mut name = String::with_capacity(text.len());
    for &byte in text {
        push_escaped(&mut name, byte);
    }
    name
}

/// Appends a byte of a name in lower case; what is not plain text as `\DDD` (RFC 1035, 5.1).
pub(super) fn push_escaped(name: &mut String, byte: u8) {
    if byte.is_ascii_graphic() && byte != b'\\' {
        name.push(byte.to_ascii_lowercase().into());
    } else {
        let digit = |value: u8| char::from(b'0' + value % 10);
        name.extend(['\\', digit(byte / 100), digit(byte / 10), digit(byte)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_and_escaped() {
        assert_eq!(host_name(b"RBS.DrBackup.net."), "rbs.drbackup.net");
        assert_eq!(host_name(b"a\x1b[31m\\\xff"), "a\\027[31m\\092\\255");
        assert_eq!(host_name(b"."), ".");
        assert_eq!(host_name(b""), "");
    }

    #[test]
    fn an_address_literal_is_an_address() {
        assert_eq!(Target::of_text(b"66.241.7.1"), Target::Address(Address::from_v4([66, 241, 7, 1])));
        assert_eq!(Target::of_text(b"[::1]"), Target::Address(Address(1)));
        assert_eq!(Target::of_text(b"::1"), Target::Address(Address(1)));
        assert_eq!(Target::of_text(b"::ffff:10.0.0.1"), Target::Address(Address::from_v4([10, 0, 0, 1])));
        assert_eq!(Target::of_text(b"66.241.7"), Target::Name("66.241.7".into()));
    }
}
