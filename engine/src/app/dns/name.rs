//! Domain names, with compression (RFC 1035, 4.1.4).

use crate::app::host::push_escaped;

/// Longest name in its wire form (RFC 1035, 2.3.4).
const LONGEST: usize = 255;

/// Pointers that one name may follow: as many as it can have labels.
const POINTERS: u32 = 127;

/// Reads the name at `at`: its text and where the bytes after it begin. `None` when it is cut or malformed.
///
/// A pointer has to point before everything read so far, so that no loop is possible.
pub(super) fn read(message: &[u8], at: usize) -> Option<(String, usize)> {
    let (mut name, mut wire, mut pointers) = (String::new(), 0, 0);
    let (mut here, mut lowest, mut after) = (at, at, None);
    loop {
        let length = *message.get(here)?;
        match length >> 6 {
            0 if length == 0 => break,
            0 => {
                let label = message.get(here + 1..here + 1 + usize::from(length))?;
                wire += 1 + label.len();
                if wire >= LONGEST {
                    return None;
                }
                if !name.is_empty() {
                    name.push('.');
                }
                for &byte in label {
                    // A dot within a label is not the one between labels.
                    if byte == b'.' { name.push_str("\\046") } else { push_escaped(&mut name, byte) }
                }
                here += 1 + label.len();
            }
            3 => {
                let low = *message.get(here + 1)?;
                after = after.or(Some(here + 2));
                here = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                pointers += 1;
                if here >= lowest || pointers > POINTERS {
                    return None;
                }
                lowest = here;
            }
            _ => return None,
        }
    }
    if name.is_empty() {
        name.push('.');
    }
    Some((name, after.unwrap_or(here + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_pointers_and_end_before_them() {
        let message = b"\x03NET\x00\x02rb\xc0\x00\x01x\xc0\x05!";
        assert_eq!(read(message, 0), Some(("net".into(), 5)));
        assert_eq!(read(message, 5), Some(("rb.net".into(), 10)));
        assert_eq!(read(message, 10), Some(("x.rb.net".into(), 14)));
    }

    #[test]
    fn pointers_that_do_not_go_back_are_refused() {
        assert_eq!(read(b"\xc0\x00", 0), None);
        assert_eq!(read(b"\x01a\xc0\x04\x01b\xc0\x00", 0), None);
        assert_eq!(read(b"\x01a\xc0\x00", 0), None);
    }

    #[test]
    fn cut_and_odd_labels_are_refused() {
        for message in [b"".as_slice(), b"\x03ab", b"\x40a\x00", b"\x80a\x00", b"\xc0", b"\x01a"] {
            assert_eq!(read(message, 0), None);
        }
        assert_eq!(read(&[b"\x3f".as_slice(), &[b'a'; 63]].concat().repeat(5), 0), None);
    }

    #[test]
    fn labels_are_escaped_and_the_root_is_a_dot() {
        assert_eq!(read(b"\x03a.\x00\x00", 0), Some(("a\\046\\000".into(), 5)));
        assert_eq!(read(b"\x00", 0), Some((".".into(), 1)));
    }
}
