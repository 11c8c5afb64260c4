//! What the first payload of a direction looks like: how random, and whether it is TLS.

use super::tls::Records;

/// Bytes that are sampled by default (`SAMPLE_BYTES`).
pub const SAMPLE_BYTES: u32 = 64 << 10;

/// Counts the bytes of the beginning of one direction.
#[derive(Clone, Debug)]
pub struct Sample {
    counts: Box<[u32; 256]>,
    bytes: u32,
    limit: u32,
    records: Records,
    /// The bytes were TLS records up to here.
    tls: bool,
    /// The records are followed no further.
    ended: bool,
}

impl Default for Sample {
    fn default() -> Sample {
        Sample::new(SAMPLE_BYTES)
    }
}

impl Sample {
    /// Of the first `limit` bytes.
    pub fn new(limit: u32) -> Sample {
        Sample { counts: Box::new([0; 256]), bytes: 0, limit, records: Records::NEW, tls: true, ended: false }
    }

    /// Takes the next bytes, in order.
    pub fn feed(&mut self, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min((self.limit - self.bytes) as usize)];
        for &byte in bytes {
            self.counts[usize::from(byte)] += 1;
        }
        self.bytes += bytes.len() as u32;
        if self.tls && !self.ended {
            let mut rest = bytes;
            self.tls = self.records.take(&mut rest, |_, _| {});
        }
    }

    /// So many bytes are missing before those that come next.
    pub fn gap(&mut self, bytes: u64) {
        self.ended |= !self.records.gap(bytes);
    }

    /// Bytes sampled.
    pub fn bytes(&self) -> u32 {
        self.bytes
    }

    /// Whether more bytes would change nothing.
    pub fn full(&self) -> bool {
        self.bytes == self.limit
    }

    /// Shannon entropy in bits per byte; 0 without bytes. Of few bytes it comes out too low: of 8 KiB of random ones by 0.02.
    pub fn entropy(&self) -> f64 {
        let total = f64::from(self.bytes);
        let terms = self.counts.iter().filter(|&&count| count > 0).map(|&count| {
            let share = f64::from(count) / total;
            -share * share.log2()
        });
        terms.sum::<f64>().max(0.0)
    }

    /// Whether the direction begins with TLS records and shows nothing else as far as it was sampled without gaps.
    pub fn is_tls(&self) -> bool {
        self.tls && self.records.begun() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_tells_text_from_random_bytes() {
        let mut all = Sample::default();
        (0..64).for_each(|_| all.feed(&(0..=255).collect::<Vec<u8>>()));
        assert!((all.entropy() - 8.0).abs() < 1e-9);
        let mut text = Sample::default();
        text.feed(&b"the quick brown fox jumps over the lazy dog ".repeat(200));
        assert!(text.bytes() > 8192 && text.entropy() < 5.0 && !text.is_tls());
        assert!(Sample::default().entropy().abs() < f64::EPSILON);
    }

    #[test]
    fn only_the_first_bytes_are_sampled() {
        let mut sample = Sample::new(1000);
        sample.feed(&[b'a'; 999]);
        assert!(!sample.full());
        sample.feed(b"bc");
        assert!(sample.full() && sample.bytes() == 1000);
        sample.feed(b"d");
        assert_eq!(sample.bytes(), 1000);
    }

    #[test]
    fn chained_records_are_tls_and_one_wrong_header_is_not() {
        let record = b"\x17\x03\x03\x00\x04abcd";
        let mut sample = Sample::default();
        record.repeat(100).chunks(7).for_each(|piece| sample.feed(piece));
        assert!(sample.is_tls());
        sample.feed(b"text");
        assert!(!sample.is_tls());
        assert!(!Sample::default().is_tls());
    }

    #[test]
    fn a_gap_beyond_a_record_ends_the_check_but_not_the_answer() {
        let mut sample = Sample::default();
        sample.feed(b"\x16\x03\x01\x00\x04abcd\x17\x03\x03\x01\x00a");
        sample.gap(200);
        sample.feed(&[b'x'; 55]);
        assert!(sample.is_tls());
        sample.gap(1);
        sample.feed(b"anything");
        assert!(sample.is_tls());
    }
}
