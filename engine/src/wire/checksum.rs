//! The Internet checksum (RFC 1071).

use super::walk::Ip;

/// The ones' complement sum of big-endian 16-bit words, not folded; an odd last byte counts as the upper half.
pub(super) fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(2);
    words.map(|word| u64::from(word[0]) << 8 | word.get(1).map_or(0, |&low| u64::from(low))).sum()
}

/// Whether a sum that includes the checksum field says that nothing changed.
pub(super) const fn fits(mut total: u64) -> bool {
    while total >> 16 != 0 {
        total = (total & 0xffff) + (total >> 16);
    }
    total == 0xffff
}

/// The sum over the pseudo header of RFC 9293, 3.1 and RFC 8200, 8.1; the same for both versions, since an IPv4
/// address and its mapped form only differ by words that are counted out here.
pub(super) fn pseudo_header(ip: &Ip, length: usize) -> u64 {
    let mask = if ip.version == 4 { u128::from(u32::MAX) } else { u128::MAX };
    let addresses = [ip.source.0 & mask, ip.destination.0 & mask];
    let addresses: u64 = addresses.iter().map(|address| sum(&address.to_be_bytes())).sum();
    addresses + u64::from(ip.protocol) + length as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071_sums_up() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(sum(&bytes), 0x2_ddf0);
        assert!(!fits(sum(&bytes)));
        assert!(fits(sum(&bytes) + 0x220d));
    }

    #[test]
    fn an_odd_byte_is_the_upper_half_of_its_word() {
        assert_eq!(sum(&[0x12, 0x34, 0x56]), 0x1234 + 0x5600);
    }
}
