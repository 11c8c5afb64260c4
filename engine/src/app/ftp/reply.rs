//! FTP replies: lines of the server put together (RFC 959, 4.2).

use super::endpoint;
use crate::wire::Address;

/// Lines of one reply (`FTP_REPLY_LINES`); past it the reply is taken to have ended.
pub const FTP_REPLY_LINES: u32 = 1024;

/// A whole reply. Holds no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// What a 227 or 229 announces.
    pub(super) endpoint: Option<(Option<Address>, u16)>,
}

/// What a line of the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It ends a reply.
    Reply(Reply),
    /// It belongs to a reply that goes on.
    Within,
    /// It is none of a reply.
    Bad,
    /// The reply goes on for too long.
    TooLong,
}

/// A reply that goes on.
#[derive(Debug, Default)]
pub(super) struct Replies {
    open: Option<Reply>,
    lines: u32,
}

impl Replies {
    /// Takes the next line.
    pub(super) fn take(&mut self, line: &[u8]) -> Line {
        let (code, last) = match parse(line) {
            Some(start) => start,
            None if self.open.is_none() => return Line::Bad,
            None => (0, false),
        };
        let mut reply = self.open.take().unwrap_or(Reply { code, endpoint: None });
        if code == reply.code {
            let text = line.get(3..).unwrap_or_default();
            reply.endpoint = announced(code, text).or(reply.endpoint);
            if last {
                self.lines = 0;
                return Line::Reply(reply);
            }
        }
        self.lines += 1;
        if self.lines >= FTP_REPLY_LINES {
            self.lines = 0;
            return Line::TooLong;
        }
        self.open = Some(reply);
        Line::Within
    }

    /// Forgets a reply of which the rest is missing.
    pub(super) fn reset(&mut self) {
        *self = Replies::default();
    }
}

/// The code of a line, and whether it is the last line of its reply.
fn parse(line: &[u8]) -> Option<(u16, bool)> {
    let (&[a @ b'1'..=b'6', b @ b'0'..=b'9', c @ b'0'..=b'9'], rest) = line.split_first_chunk()? else { return None };
    let code = [a, b, c].iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest.first() {
        None | Some(b' ' | b'\t') => Some((code, true)),
        Some(b'-') => Some((code, false)),
        Some(_) => None,
    }
}

fn announced(code: u16, text: &[u8]) -> Option<(Option<Address>, u16)> {
    match code {
        227 => endpoint::six_numbers(text).map(|(address, port)| (Some(address), port)),
        229 => endpoint::extended_reply(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(code: u16) -> Line {
        Line::Reply(Reply { code, endpoint: None })
    }

    #[test]
    fn a_reply_of_many_lines_ends_with_its_own_code_and_a_blank() {
        let mut replies = Replies::default();
        for line in ["211-Features", " 211 padded", "226 not the end", "211-more", "", "\u{ff}", "2110"] {
            assert_eq!(replies.take(line.as_bytes()), Line::Within, "{line}");
        }
        assert_eq!(replies.take(b"211 End"), plain(211));
        assert_eq!(replies.take(b"226"), plain(226));
    }

    #[test]
    fn text_outside_of_a_reply_is_bad() {
        for line in ["hello", "", "22", "2x0 a", "720 a", "220x", " 220 a"] {
            assert_eq!(Replies::default().take(line.as_bytes()), Line::Bad, "{line}");
        }
    }

    #[test]
    fn an_endpoint_may_stand_in_any_line_of_its_reply() {
        let mut replies = Replies::default();
        replies.take(b"227-Passive (10,0,0,1,1,2)");
        let endpoint = Some((Some(Address::from_v4([10, 0, 0, 1])), 258));
        assert_eq!(replies.take(b"227 ready"), Line::Reply(Reply { code: 227, endpoint }));
    }

    #[test]
    fn a_reply_without_end_is_given_up() {
        let mut replies = Replies::default();
        replies.take(b"220-");
        let lines: Vec<Line> = (1..FTP_REPLY_LINES).map(|_| replies.take(b"text")).collect();
        assert_eq!(lines.last(), Some(&Line::TooLong));
        assert_eq!(replies.take(b"220 ok"), plain(220));
    }
}
