//! Text lines of control protocols.

use super::secret::wipe;

/// Bytes of a line that are kept (`LINE_BYTES`); what follows up to its end is skipped.
pub const LINE_BYTES: usize = 1024;

/// Bytes after which a Telnet subnegotiation is taken for text that only looks like one.
const TELNET_SUBNEGOTIATION: u8 = 64;

/// Whether what follows these first words of a line is secret: it is dropped as it arrives.
pub(super) type Secret = fn(&[u8]) -> bool;

/// Where in a Telnet command (RFC 854) the text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telnet {
    Text,
    Command,
    Option,
    Subnegotiation(u8),
}

/// How much of a line has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Nothing,
    /// Bytes, be they kept or not.
    Begun,
    /// The rest is not kept.
    Skipping,
}

/// Puts lines together. Runs of blanks become one.
#[derive(Debug)]
pub(super) struct Lines {
    line: Vec<u8>,
    progress: Progress,
    after_return: bool,
    telnet: Telnet,
    /// FTP: a lone CR ends a line, Telnet commands are taken out. HTTP: neither.
    control: bool,
    secret: Secret,
}

impl Lines {
    /// FTP's lines: end with CR LF, LF, CR or CR NUL and may hold Telnet commands (RFC 959, 5.3).
    pub(super) fn control(secret: Secret) -> Lines {
        Lines {
            line: Vec::new(),
            progress: Progress::Nothing,
            after_return: false,
            telnet: Telnet::Text,
            control: true,
            secret,
        }
    }

    /// HTTP's lines: end with CR LF or LF.
    pub(super) fn header(secret: Secret) -> Lines {
        Lines { control: false, ..Lines::control(secret) }
    }

    /// Takes bytes up to the end of a line; whether there was one. Then it is in [`Lines::line`] until [`Lines::next`].
    pub(super) fn take(&mut self, bytes: &mut &[u8]) -> bool {
        self.skip_rest_of_end(bytes);
        while let Some((&byte, rest)) = bytes.split_first() {
            *bytes = rest;
            if self.progress == Progress::Nothing {
                self.progress = Progress::Begun;
            }
            if byte == b'\n' || byte == b'\r' && self.control {
                if self.telnet == Telnet::Command {
                    self.push(255);
                }
                self.telnet = Telnet::Text;
                self.after_return = byte == b'\r';
                return true;
            }
            if self.control {
                self.telnet(byte);
            } else if byte != b'\r' {
                self.push(byte);
            }
        }
        false
    }

    /// Takes the LF or NUL after a CR that ended a line.
    pub(super) fn skip_rest_of_end(&mut self, bytes: &mut &[u8]) {
        if let (true, Some((first, rest))) = (self.after_return, bytes.split_first()) {
            self.after_return = false;
            if matches!(first, b'\n' | 0) {
                *bytes = rest;
            }
        }
    }

    /// The line without its end.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// Whether a line has begun.
    pub(super) fn begun(&self) -> bool {
        self.progress != Progress::Nothing
    }

    /// Wipes the line; the next one can come.
    pub(super) fn next(&mut self) {
        wipe(&mut self.line);
        self.progress = Progress::Nothing;
    }

    /// Bytes are missing: what has come of the line is dropped, the next byte begins one.
    pub(super) fn gap(&mut self) {
        self.next();
        self.after_return = false;
        self.telnet = Telnet::Text;
    }

    fn telnet(&mut self, byte: u8) {
        self.telnet = match (self.telnet, byte) {
            (Telnet::Text, 255) => Telnet::Command,
            (Telnet::Command, 251..=254) => Telnet::Option,
            (Telnet::Command, 250) => Telnet::Subnegotiation(0),
            // Interrupt, data mark and the like: without operand.
            (Telnet::Command, 240..=249) | (Telnet::Option, _) | (Telnet::Subnegotiation(_), 240) => Telnet::Text,
            (Telnet::Subnegotiation(count), _) if count < TELNET_SUBNEGOTIATION => Telnet::Subnegotiation(count + 1),
            (Telnet::Command, 255) => {
                self.push(255);
                Telnet::Text
            }
            // No Telnet command: the 255 before was text (ISO 8859-1).
            (Telnet::Command, _) => {
                self.push(255);
                self.push(byte);
                Telnet::Text
            }
            (Telnet::Text | Telnet::Subnegotiation(_), _) => {
                self.push(byte);
                Telnet::Text
            }
        };
    }

    fn push(&mut self, byte: u8) {
        if self.progress == Progress::Skipping {
            return;
        }
        let blank = |byte: u8| byte == b' ' || byte == b'\t';
        if blank(byte) && self.line.last().is_some_and(|&last| blank(last)) {
            return;
        }
        self.line.push(byte);
        if self.line.len() == LINE_BYTES || blank(byte) && (self.secret)(&self.line) {
            self.progress = Progress::Skipping;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never(_: &[u8]) -> bool {
        false
    }

    fn read(lines: &mut Lines, pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut read = Vec::new();
        for piece in pieces {
            let mut bytes = *piece;
            while lines.take(&mut bytes) {
                read.push(lines.line().to_vec());
                lines.next();
            }
        }
        read
    }

    #[test]
    fn every_end_of_line_ends_one_line() {
        let mut lines = Lines::control(never);
        let read = read(&mut lines, &[b"a\r", b"\nb\nc\rd\r", b"\0e\r\n"]);
        assert_eq!(read, [b"a", b"b", b"c", b"d", b"e"]);
        assert!(!lines.begun());
    }

    #[test]
    fn telnet_commands_are_taken_out_wherever_segments_end() {
        let text = b"\xff\xf4\xff\xf2AB\xff\xfb\x03OR\xff\xfa\x18\x01x\xff\xf0\r\n\xff\xffx\xffy\xff\r\n";
        for cut in 0..text.len() {
            let mut lines = Lines::control(never);
            let read = read(&mut lines, &[&text[..cut], &text[cut..]]);
            assert_eq!(read, [b"ABOR".as_slice(), b"\xffx\xffy\xff"], "{cut}");
        }
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_one_is_whole() {
        let mut lines = Lines::control(never);
        let read = read(&mut lines, &[&[b'x'; 5000], b"\r\nshort\r\n"]);
        assert_eq!((read[0].len(), read[1].as_slice()), (LINE_BYTES, b"short".as_slice()));
    }

    #[test]
    fn a_secret_is_never_in_the_buffer() {
        let mut lines = Lines::control(|line| line == b"PASS ");
        let mut bytes = b"PASS hunter2".as_slice();
        assert!(!lines.take(&mut bytes));
        assert_eq!(lines.line(), b"PASS ");
        bytes = b"more\r\n";
        assert!(lines.take(&mut bytes));
        assert_eq!(lines.line(), b"PASS ");
    }

    #[test]
    fn a_return_within_an_http_line_does_not_end_it() {
        let mut lines = Lines::header(never);
        assert_eq!(read(&mut lines, &[b"a\rb  \t c\r\n\r\n"]), [b"ab c".as_slice(), b""]);
    }
}
