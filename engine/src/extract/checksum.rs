//! Checksums that follow a change (RFC 1624): right ones stay right, wrong ones stay wrong.

/// The folded ones' complement sum of big-endian words; an odd last byte is the upper half of its word.
pub fn sum(bytes: &[u8]) -> u16 {
    fold(bytes.chunks(2).map(|word| u64::from(word[0]) << 8 | word.get(1).map_or(0, |&low| u64::from(low))).sum())
}

/// Changes the checksum at `at` after bytes that it covers went from the sum `old` to the sum `new`. Nothing where the
/// field was not captured.
pub fn update(frame: &mut [u8], at: usize, old: u16, new: u16) {
    let Some(field) = frame.get_mut(at..at + 2) else { return };
    let check = u16::from_be_bytes([field[0], field[1]]);
    let total = fold(u64::from(!check) + u64::from(!old) + u64::from(new));
    field.copy_from_slice(&(!total).to_be_bytes());
}

fn fold(mut total: u64) -> u16 {
    while total >> 16 != 0 {
        total = (total & 0xffff) + (total >> 16);
    }
    total as u16
}
