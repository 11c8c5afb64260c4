//! TLS records: where one ends and the next begins (RFC 8446, 5.1).

/// Bytes in front of every record: content type, version, length.
const HEADER: usize = 5;

/// Longest record: 2^14 bytes and what old versions may add (RFC 5246, 6.2.3).
const LONGEST: u16 = (1 << 14) + 2048;

/// Content type of application data, the only one that may be empty.
const APPLICATION_DATA: u8 = 23;

/// Whether a record can begin with that byte: change cipher spec, alert, handshake, application data.
pub(in crate::app) const fn is_record_type(byte: u8) -> bool {
    matches!(byte, 20..=23)
}

/// Follows the records of one direction from its start, or from any record's start.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::app) struct Records {
    header: [u8; HEADER],
    /// How many bytes of the header there are.
    filled: u8,
    /// Bytes of the record that are still to come.
    left: u16,
    begun: u32,
}

impl Records {
    /// At the start of a record.
    pub(in crate::app) const NEW: Records = Records { header: [0; HEADER], filled: 0, left: 0, begun: 0 };

    /// Takes bytes and hands on the content type and the fragments of records. False when a header is none: then
    /// what is left in `bytes` begins with its first wrong byte.
    pub(in crate::app) fn take(&mut self, bytes: &mut &[u8], mut fragment: impl FnMut(u8, &[u8])) -> bool {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.left > 0 {
                let (taken, rest) = bytes.split_at(bytes.len().min(self.left.into()));
                fragment(self.header[0], taken);
                self.left -= taken.len() as u16;
                *bytes = rest;
                continue;
            }
            let right = match self.filled {
                0 => is_record_type(byte),
                1 => byte == 3,
                2 => byte <= 4,
                _ => true,
            };
            if !right {
                return false;
            }
            self.header[usize::from(self.filled)] = byte;
            let length = u16::from_be_bytes([self.header[3], self.header[4]]);
            if usize::from(self.filled) == HEADER - 1 {
                if length > LONGEST || length == 0 && self.header[0] != APPLICATION_DATA {
                    return false;
                }
                self.filled = 0;
                self.left = length;
                self.begun += 1;
            } else {
                self.filled += 1;
            }
            *bytes = rest;
        }
        true
    }

    /// So many bytes are missing; whether they all lie within the record.
    pub(in crate::app) fn gap(&mut self, bytes: u64) -> bool {
        match u16::try_from(bytes) {
            Ok(bytes) if bytes <= self.left => {
                self.left -= bytes;
                true
            }
            _ => false,
        }
    }

    /// Records of which the header was seen.
    pub(in crate::app) fn begun(&self) -> u32 {
        self.begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_followed_wherever_segments_end() {
        let stream = b"\x16\x03\x01\x00\x03abc\x17\x03\x03\x00\x00\x15\x03\x03\x00\x02xy";
        for cut in 0..stream.len() {
            let (mut records, mut seen) = (Records::default(), Vec::new());
            for mut piece in [&stream[..cut], &stream[cut..]] {
                assert!(
                    records.take(&mut piece, |content, bytes| seen.extend(bytes.iter().map(|&byte| (content, byte))))
                );
            }
            assert_eq!(seen, [(22, b'a'), (22, b'b'), (22, b'c'), (21, b'x'), (21, b'y')]);
            assert_eq!(records.begun(), 3);
        }
    }

    #[test]
    fn text_behind_a_record_is_left_over() {
        let mut bytes = b"\x15\x03\x03\x00\x02xy200 in clear".as_slice();
        assert!(!Records::default().take(&mut bytes, |_, _| {}));
        assert_eq!(bytes, b"200 in clear");
    }

    #[test]
    fn lengths_that_no_record_has_are_refused() {
        for mut bytes in [b"\x16\x03\x01\xff\xff".as_slice(), b"\x16\x03\x01\x00\x00", b"\x16\x02", b"\x18"] {
            assert!(!Records::default().take(&mut bytes, |_, _| {}));
        }
    }

    #[test]
    fn a_gap_within_a_record_does_no_harm() {
        let mut records = Records::default();
        let mut bytes = b"\x17\x03\x03\x00\x10abc".as_slice();
        assert!(records.take(&mut bytes, |_, _| {}));
        assert!(records.gap(13) && records.begun() == 1);
        assert!(!records.gap(1));
    }
}
