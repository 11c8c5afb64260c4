//! Datagrams between a SOCKS 5 client and the relay that UDP ASSOCIATE opened for it (RFC 1928, 7).

use super::host::Target;
use super::reader::Reader;

/// Whether a payload may be such a datagram. A look at four bytes: most others are told off by it.
#[inline]
pub fn may_be(payload: &[u8]) -> bool {
    matches!(payload, [0, 0, _, 1 | 3 | 4, ..])
}

/// The far end that a datagram's header names: whom the client sends it to, or whom the relay had it from.
///
/// None where the header is not whole, or no such header. Fragments carry one each, so that they are told as well.
pub fn datagram(payload: &[u8]) -> Option<(Target, u16)> {
    let mut reader = Reader(payload);
    if reader.u16()? != 0 {
        return None;
    }
    let _fragment = reader.u8()?;
    let target = match reader.u8()? {
        1 => Target::of_v4(reader.take(4)?)?,
        3 => Target::of_text(reader.block8().filter(|name| !name.0.is_empty())?.0),
        4 => Target::of_v6(reader.take(16)?)?,
        _ => return None,
    };
    Some((target, reader.u16()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Address;

    #[test]
    fn a_datagram_names_its_far_end_by_address_or_name() {
        let v4 = Target::Address(Address::from_v4([204, 164, 111, 5]));
        assert_eq!(datagram(b"\0\0\0\x01\xcc\xa4\x6f\x05\x40\x00payload"), Some((v4, 16384)));
        let v6 = [b"\0\0\0\x04".as_slice(), &[0; 15], b"\x01\0\x35"].concat();
        assert_eq!(datagram(&v6), Some((Target::Address(Address(1)), 53)));
        let name = datagram(b"\0\0\0\x03\x0bRBS.Example\x00\x35");
        assert_eq!(name, Some((Target::Name("rbs.example".into()), 53)));
    }

    #[test]
    fn a_header_that_is_cut_or_none_names_nobody() {
        let whole = b"\0\0\0\x01\xcc\xa4\x6f\x05\x40\x00";
        for length in 0..whole.len() {
            assert_eq!(datagram(&whole[..length]), None);
        }
        for other in [b"\0\x01\0\x01\xcc\xa4\x6f\x05\x40\x00".as_slice(), b"\0\0\0\x02abcdefgh", b"\0\0\0\x03\0\0\x35"]
        {
            assert_eq!(datagram(other), None);
        }
    }

    #[test]
    fn what_names_somebody_may_be_a_datagram() {
        assert!(may_be(b"\0\0\0\x01\xcc") && may_be(b"\0\0\x02\x03"));
        assert!(!may_be(b"\0\0\0") && !may_be(b"\x80\0\0\x01") && !may_be(b"\0\0\0\x05"));
    }
}
