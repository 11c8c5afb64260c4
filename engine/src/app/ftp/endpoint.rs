//! Where a data connection goes, as FTP writes it.

use crate::app::host;
use crate::wire::Address;

/// The endpoint in a PORT argument or in the text of a 227 reply: `h1,h2,h3,h4,p1,p2` (RFC 959, 4.1.2).
///
/// Servers put other words and brackets around it, or none (RFC 1123, 4.1.2.6), so the first six numbers in a row count. A number above 255
/// or port 0 makes it unreadable.
pub(super) fn six_numbers(text: &[u8]) -> Option<(Address, u16)> {
    let mut rest = text;
    while let Some(start) = rest.iter().position(u8::is_ascii_digit) {
        rest = &rest[start..];
        let mut numbers = [0; 6];
        match comma_separated(rest, &mut numbers) {
            Ok(()) => {
                let [a, b, c, d, high, low] = numbers.map(u8::try_from);
                let port = u16::from_be_bytes([high.ok()?, low.ok()?]);
                return (port != 0).then_some((Address::from_v4([a.ok()?, b.ok()?, c.ok()?, d.ok()?]), port));
            }
            Err(read) => rest = &rest[read..],
        }
    }
    None
}

/// Reads numbers with commas between them, blanks allowed. Otherwise says how many bytes hold no beginning of six.
fn comma_separated(text: &[u8], numbers: &mut [u16; 6]) -> Result<(), usize> {
    let mut at = 0;
    let blanks = |at: usize| text[at..].iter().take_while(|&&byte| byte == b' ').count();
    let mut first_end = 0;
    for (place, value) in numbers.iter_mut().enumerate() {
        let digits = text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Err(first_end);
        }
        *value = number(&text[at..at + digits]).unwrap_or(u16::MAX);
        at += digits;
        if place == 0 {
            first_end = at;
        }
        if place < 5 {
            at += blanks(at);
            if text.get(at) != Some(&b',') {
                return Err(first_end);
            }
            at += 1;
            at += blanks(at);
        }
    }
    Ok(())
}

fn number(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The endpoint in the text of a 229 reply: `(|||port|)` with any delimiter (RFC 2428, 3). Some servers fill in
/// the address.
pub(super) fn extended_reply(text: &[u8]) -> Option<(Option<Address>, u16)> {
    let inner = if let Some(start) = text.iter().position(|&byte| byte == b'(') {
        &text[start + 1..]
    } else {
        // Without brackets: three equal signs in a row, then a digit.
        let place = text.windows(4).position(|four| {
            four[0] == four[1] && four[1] == four[2] && is_delimiter(four[0]) && four[3].is_ascii_digit()
        });
        &text[place?..]
    };
    let (_, address, port) = fields(inner)?;
    Some((if address.is_empty() { None } else { host::address(address) }, port))
}

/// The argument of EPRT: `|protocol|address|port|` with any delimiter (RFC 2428, 2).
pub(super) fn extended_argument(text: &[u8]) -> Option<(Address, u16)> {
    let (protocol, address, port) = fields(text)?;
    let address = host::address(address)?;
    let right = match protocol {
        b"1" => address.is_v4(),
        b"2" => true,
        _ => false,
    };
    right.then_some((address, port))
}

fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_graphic() && !byte.is_ascii_digit()
}

/// Protocol, address and port between four equal delimiters.
fn fields(text: &[u8]) -> Option<(&[u8], &[u8], u16)> {
    let (&delimiter, rest) = text.split_first()?;
    if !is_delimiter(delimiter) {
        return None;
    }
    let mut parts = rest.split(|&byte| byte == delimiter);
    let (protocol, address, port) = (parts.next()?, parts.next()?, parts.next()?);
    // A fourth part: the port's delimiter stands there.
    parts.next()?;
    let port = if port.iter().all(u8::is_ascii_digit) { number(port)? } else { return None };
    (port != 0).then_some((protocol, address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(a: u8, b: u8, c: u8, d: u8) -> Address {
        Address::from_v4([a, b, c, d])
    }

    #[test]
    fn six_numbers_are_found_in_odd_texts() {
        let there = Some((v4(10, 0, 0, 1), 0x4E20));
        for text in [
            " Entering Passive Mode (10,0,0,1,78,32).",
            " Entering Passive Mode 10,0,0,1,78,32",
            " Entering Passive Mode. 10, 0, 0, 1, 78, 32",
            " =10,0,0,1,78,32",
            "10 , 0,0,1,78,32",
            " at 2 nodes, 7, now (010,000,0,001,078,032)",
            " 1,2,(10,0,0,1,78,32)",
        ] {
            assert_eq!(six_numbers(text.as_bytes()), there, "{text}");
        }
    }

    #[test]
    fn numbers_that_are_no_bytes_are_refused() {
        for text in [
            "(10,0,0,256,78,32)",
            "(10,0,0,1,99999999999,32)",
            "(10,0,0,1,78)",
            "(10,0,0,1,0,0)",
            "",
            "(,,,,,)",
            "1,2,3",
        ] {
            assert_eq!(six_numbers(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn extended_replies_may_use_any_delimiter() {
        for text in [" Entering (|||6446|)", " (!!!6446!)", " ok |||6446|", "(###6446#) bye", "... :::6446:"] {
            assert_eq!(extended_reply(text.as_bytes()), Some((None, 6446)), "{text}");
        }
        assert_eq!(extended_reply(b"(|1|10.0.0.1|6446|)"), Some((Some(v4(10, 0, 0, 1)), 6446)));
    }

    #[test]
    fn extended_replies_without_a_port_are_refused() {
        for text in ["(|||0|)", "(|||70000|)", "(|||6446)", "(||6446|)", "(1116446)", "(|||+44|)", "(", "", "nothing"] {
            assert_eq!(extended_reply(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn extended_arguments_name_either_protocol() {
        assert_eq!(extended_argument(b"|1|10.0.0.1|6446|"), Some((v4(10, 0, 0, 1), 6446)));
        assert_eq!(extended_argument(b"|2|2001:db8::5|6446|"), Some((host::address(b"2001:db8::5").unwrap(), 6446)));
        for text in
            ["|1|2001:db8::5|6446|", "|3|10.0.0.1|6446|", "||10.0.0.1|6446|", "|1|name|6446|", "|1|10.0.0.1|6446"]
        {
            assert_eq!(extended_argument(text.as_bytes()), None, "{text}");
        }
    }
}
