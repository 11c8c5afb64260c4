//! Who asks and who answers, by the first bytes that were captured of a TCP flow whose SYN was not.

/// Which end a first message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    /// The one that opened the connection.
    Initiator,
    /// The one that was asked.
    Responder,
}

/// Request methods of RFC 9110, 9.3 and RFC 5789, with the space behind them.
const METHODS: [&[u8]; 9] =
    [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"CONNECT ", b"OPTIONS ", b"TRACE ", b"PATCH "];

/// The sender of a message that only one end ever sends.
pub(super) fn speaker(payload: &[u8]) -> Option<Speaker> {
    match payload {
        // RFC 8446, 4: a handshake record with a ClientHello, or with a ServerHello. RFC 959, 5.4 and RFC 5321, 4.2: an FTP
        // or mail server is ready. RFC 9112, 4: a status line.
        [0x16, 3, 0..=4, _, _, 1, ..] => Some(Speaker::Initiator),
        [0x16, 3, 0..=4, _, _, 2, ..]
        | [b'2', b'2', b'0', b' ' | b'-', ..]
        | [b'H', b'T', b'T', b'P', b'/', b'1', b'.', ..] => Some(Speaker::Responder),
        _ if METHODS.iter().any(|method| payload.starts_with(method)) => Some(Speaker::Initiator),
        _ => None,
    }
}

/// The sender of a message that is either not quite unmistakable or sent by both, one of them first: ports say more.
pub(super) fn likely_speaker(payload: &[u8]) -> Option<Speaker> {
    match payload {
        // RFC 4253, 4.2: both send it, and a server does not wait.
        [b'S', b'S', b'H', b'-', b'1' | b'2', b'.', ..] => Some(Speaker::Responder),
        // RFC 1928, 3: as many methods as are announced.
        [5, count @ 1..=8, methods @ ..] if methods.len() == usize::from(*count) => Some(Speaker::Initiator),
        // SOCKS 4: a command, port and address, and a name ended by zero.
        [4, 1 | 2, _, _, _, _, _, _, .., 0] => Some(Speaker::Initiator),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_messages_tell_their_sender() {
        let cases: [(&[u8], Speaker); 7] = [
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Speaker::Initiator),
            (b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", Speaker::Responder),
            (b"220-welcome\r\n", Speaker::Responder),
            (b"HTTP/1.1 200 OK\r\n", Speaker::Responder),
            (b"GET / HTTP/1.1\r\n", Speaker::Initiator),
            (b"CONNECT backup.example:443 HTTP/1.1\r\n", Speaker::Initiator),
            (b"220 ready", Speaker::Responder),
        ];
        for (payload, expected) in cases {
            assert_eq!(speaker(payload), Some(expected), "{payload:?}");
        }
        for payload in [&b""[..], b"\x16\x03\x01", b"220", b"221 bye", b"GETAWAY", b"\x17\x03\x03\x00\x05hello"] {
            assert_eq!(speaker(payload), None, "{payload:?}");
        }
    }

    #[test]
    fn socks_requests_fit_their_own_counts() {
        assert_eq!(likely_speaker(b"\x05\x02\x00\x02"), Some(Speaker::Initiator));
        assert_eq!(likely_speaker(b"\x05\x02\x00"), None);
        assert_eq!(likely_speaker(b"\x04\x01\x40\x00\xc0\x00\x02\x01me\0"), Some(Speaker::Initiator));
        assert_eq!(likely_speaker(b"\x04\x01\x40\x00\xc0\x00\x02\x01me"), None);
        assert_eq!(likely_speaker(b"SSH-2.0-OpenSSH_9.6\r\n"), Some(Speaker::Responder));
    }
}
