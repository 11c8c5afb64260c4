//! Numbers, addresses and times as text, written into a growing buffer.
//!
//! A flow table of a million rows is some thirty million fields: the general formatting machinery costs more there
//! than decoding the packets did.

use std::fmt::Write as _;

use crate::wire::Address;

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// Appends a decimal number.
pub fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    while value >= 100 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if value >= 10 {
        let pair = value as usize * 2;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends nanoseconds as seconds with nine decimals.
pub fn seconds(out: &mut Vec<u8>, nanoseconds: i64) {
    if nanoseconds < 0 {
        out.push(b'-');
    }
    let magnitude = nanoseconds.unsigned_abs();
    number(out, magnitude / 1_000_000_000);
    let mut rest = (magnitude % 1_000_000_000) as usize;
    let mut fraction = *b".000000000";
    for place in [8, 6, 4, 2] {
        let pair = rest % 100 * 2;
        rest /= 100;
        fraction[place..place + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    fraction[1] = b'0' + rest as u8;
    out.extend_from_slice(&fraction);
}

/// Appends a 64-bit identity as 16 hexadecimal digits.
pub fn identity(out: &mut Vec<u8>, value: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for shift in (0..16).rev() {
        out.push(DIGITS[(value >> (shift * 4) & 15) as usize]);
    }
}

/// Appends an address of that IP version, IPv6 as in RFC 5952.
pub fn address(out: &mut Vec<u8>, version: u8, address: Address) {
    if version == 4 {
        let octets = (address.0 as u32).to_be_bytes();
        for (position, octet) in octets.into_iter().enumerate() {
            if position > 0 {
                out.push(b'.');
            }
            number(out, u64::from(octet));
        }
    } else {
        out.extend_from_slice(address_text(version, address).as_bytes());
    }
}

/// An address of that IP version as text.
pub fn address_text(version: u8, address: Address) -> String {
    let mut text = String::with_capacity(40);
    // Writing to a String cannot fail.
    if version == 4 {
        let _ = write!(text, "{}", std::net::Ipv4Addr::from(address.0 as u32));
    } else {
        let _ = write!(text, "{}", std::net::Ipv6Addr::from(address.0));
    }
    text
}

/// The name of an IP protocol in the flow table; without a name, its number is the name.
pub fn protocol_name(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "icmp",
        2 => "igmp",
        4 => "ipip",
        6 => "tcp",
        17 => "udp",
        41 => "ipv6",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 => "icmp6",
        88 => "eigrp",
        89 => "ospf",
        103 => "pim",
        112 => "vrrp",
        113 => "pgm",
        132 => "sctp",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        let mut value = 1_u64;
        for _ in 0..64 {
            for near in [value.wrapping_sub(1), value, value.wrapping_add(1)] {
                assert_eq!(written(|out| number(out, near)), near.to_string());
            }
            value = value.wrapping_mul(2);
        }
        for value in 0..=1000 {
            assert_eq!(written(|out| number(out, value)), value.to_string());
        }
    }

    #[test]
    fn times_keep_all_nine_decimals() {
        assert_eq!(written(|out| seconds(out, 1_700_000_000_123_456_789)), "1700000000.123456789");
        assert_eq!(written(|out| seconds(out, 1)), "0.000000001");
        assert_eq!(written(|out| seconds(out, 100_000_000)), "0.100000000");
        assert_eq!(written(|out| seconds(out, -1_500_000_000)), "-1.500000000");
        assert_eq!(written(|out| seconds(out, 0)), "0.000000000");
    }

    #[test]
    fn addresses_are_written_by_their_version() {
        let mapped = Address(0xFFFF_C000_0207);
        assert_eq!(written(|out| address(out, 4, mapped)), "192.0.2.7");
        assert_eq!(written(|out| address(out, 6, Address(0x2001_0db8 << 96 | 1))), "2001:db8::1");
        assert_eq!(written(|out| identity(out, 0xAB)), "00000000000000ab");
    }
}
