//! IP addresses of both versions as one number.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv6 address, or an IPv4 address in its mapped form `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2).
///
/// The number is the address in network order, so comparing numbers orders addresses as their bytes do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Address(pub u128);

/// The upper 96 bits of every mapped IPv4 address.
const MAPPED: u128 = 0xffff << 32;

impl Address {
    /// From the four bytes of an IPv4 header.
    #[inline]
    pub const fn from_v4(bytes: [u8; 4]) -> Address {
        Address(MAPPED | u32::from_be_bytes(bytes) as u128)
    }

    /// From the sixteen bytes of an IPv6 header.
    #[inline]
    pub const fn from_v6(bytes: [u8; 16]) -> Address {
        Address(u128::from_be_bytes(bytes))
    }

    /// Whether this is an IPv4 address.
    #[inline]
    pub const fn is_v4(self) -> bool {
        self.0 >> 32 == MAPPED >> 32
    }

    /// The IPv4 address as a number in network order; `None` for IPv6.
    #[inline]
    pub const fn v4(self) -> Option<u32> {
        if self.is_v4() { Some(self.0 as u32) } else { None }
    }

    /// As the standard library's type.
    pub fn to_ip(self) -> IpAddr {
        match self.v4() {
            Some(number) => IpAddr::V4(Ipv4Addr::from_bits(number)),
            None => IpAddr::V6(Ipv6Addr::from_bits(self.0)),
        }
    }
}

/// An IPv4 address as a number in network order.
impl From<u32> for Address {
    #[inline]
    fn from(number: u32) -> Address {
        Address(MAPPED | u128::from(number))
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Address {
        match ip {
            IpAddr::V4(v4) => Address::from_v4(v4.octets()),
            IpAddr::V6(v6) => Address::from_v6(v6.octets()),
        }
    }
}

/// The usual text form: dotted for IPv4, RFC 5952 for IPv6.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_ip().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_print_and_come_back() {
        for text in ["192.0.2.7", "2001:db8::1", "::1", "0.0.0.0", "255.255.255.255", "::"] {
            let ip: IpAddr = text.parse().expect("an address");
            assert_eq!(Address::from(ip).to_string(), text);
            assert_eq!(Address::from(ip).to_ip(), ip);
            assert_eq!(Address::from(ip).is_v4(), ip.is_ipv4());
        }
    }
}
