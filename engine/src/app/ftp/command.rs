//! FTP commands: what a line of the client asks for, and which replies can be meant for it.

use super::endpoint;
use crate::app::event::{Mechanism, Verb};
use crate::wire::Address;

/// A command, as far as it matters here. Holds no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    User,
    /// PASS and ACCT.
    Pass,
    Auth(Mechanism),
    /// Security data of an AUTH that goes on (RFC 2228).
    Adat,
    /// MIC, CONF, ENC: a command that is itself protected (RFC 2228).
    Protected,
    /// PASV, EPSV, LPSV, CPSV.
    Passive,
    Active {
        address: Address,
        port: u16,
        extended: bool,
    },
    /// PORT, EPRT or LPRT whose endpoint cannot be read.
    UnreadableActive,
    Transfer(Verb),
    Prot {
        private: bool,
    },
    Quit,
    Rein,
    Abor,
    Other,
}

impl Command {
    /// From a line; `None` when it is no command.
    pub(super) fn parse(line: &[u8]) -> Option<Command> {
        let line = line.trim_ascii_start();
        let end = line.iter().position(|&byte| byte == b' ' || byte == b'\t').unwrap_or(line.len());
        let (verb, argument) = (&line[..end], line[end..].trim_ascii());
        let letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'@';
        if !(1..=8).contains(&verb.len()) || !verb.iter().all(letter) {
            return None;
        }
        let mut upper = [0; 8];
        upper[..verb.len()].copy_from_slice(verb);
        upper.make_ascii_uppercase();
        Some(match &upper[..verb.len()] {
            b"USER" => Command::User,
            b"PASS" | b"ACCT" => Command::Pass,
            b"AUTH" => Command::Auth(mechanism(argument)),
            b"ADAT" => Command::Adat,
            b"MIC" | b"CONF" | b"ENC" => Command::Protected,
            b"EPSV" if argument.eq_ignore_ascii_case(b"ALL") => Command::Other,
            b"PASV" | b"EPSV" | b"LPSV" | b"CPSV" => Command::Passive,
            b"PORT" => active(endpoint::six_numbers(argument), false),
            b"EPRT" => active(endpoint::extended_argument(argument), true),
            b"LPRT" => Command::UnreadableActive,
            b"STOR" => Command::Transfer(Verb::Stor),
            b"APPE" => Command::Transfer(Verb::Appe),
            b"STOU" => Command::Transfer(Verb::Stou),
            b"RETR" => Command::Transfer(Verb::Retr),
            b"LIST" => Command::Transfer(Verb::List),
            b"NLST" => Command::Transfer(Verb::Nlst),
            b"MLSD" => Command::Transfer(Verb::Mlsd),
            b"PROT" => Command::Prot { private: argument.eq_ignore_ascii_case(b"P") },
            b"QUIT" => Command::Quit,
            b"REIN" => Command::Rein,
            b"ABOR" => Command::Abor,
            _ => Command::Other,
        })
    }

    /// Whether a final reply with that code can be the answer to this command. Errors can answer any.
    pub(super) fn fits(self, code: u16) -> bool {
        if (400..600).contains(&code) {
            return true;
        }
        match self {
            Command::User => matches!(code, 230 | 232 | 331 | 332 | 336),
            Command::Pass => matches!(code, 202 | 230 | 232 | 332),
            Command::Auth(_) => matches!(code, 232 | 234 | 334),
            Command::Adat => matches!(code, 235 | 335),
            Command::Protected => matches!(code, 631..=633),
            Command::Passive => matches!(code, 227..=229),
            Command::Active { .. } | Command::UnreadableActive | Command::Prot { .. } => matches!(code, 200 | 250),
            Command::Transfer(_) => matches!(code, 226 | 250),
            Command::Quit => code == 221,
            Command::Rein => code == 220,
            Command::Abor => matches!(code, 200 | 225 | 226),
            Command::Other => !matches!(code, 220 | 221 | 225..=235 | 331..=335),
        }
    }
}

fn active(endpoint: Option<(Address, u16)>, extended: bool) -> Command {
    match endpoint {
        Some((address, port)) => Command::Active { address, port, extended },
        None => Command::UnreadableActive,
    }
}

fn mechanism(argument: &[u8]) -> Mechanism {
    if argument.eq_ignore_ascii_case(b"SSL") {
        Mechanism::Ssl
    } else if argument.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"TLS")) {
        Mechanism::Tls
    } else {
        Mechanism::Other
    }
}

/// Whether the rest of a line behind these words is a secret.
pub(super) fn secret(line: &[u8]) -> bool {
    let word = line.trim_ascii();
    [b"PASS".as_slice(), b"ACCT", b"ADAT"].iter().any(|verb| word.eq_ignore_ascii_case(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_in_any_case_and_with_blanks() {
        assert_eq!(Command::parse(b"stor a b c"), Some(Command::Transfer(Verb::Stor)));
        assert_eq!(Command::parse(b"  QuIt "), Some(Command::Quit));
        assert_eq!(Command::parse(b"auth tls-c"), Some(Command::Auth(Mechanism::Tls)));
        assert_eq!(Command::parse(b"AUTH GSSAPI"), Some(Command::Auth(Mechanism::Other)));
        assert_eq!(Command::parse(b"EPSV ALL"), Some(Command::Other));
        assert_eq!(Command::parse(b"EPSV 2"), Some(Command::Passive));
        assert_eq!(Command::parse(b"PORT 1,2,3"), Some(Command::UnreadableActive));
    }

    #[test]
    fn what_is_no_word_is_no_command() {
        for line in ["", "Host: x", "220 ready", "\u{1}\u{2}", "verylongword"] {
            assert_eq!(Command::parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn what_follows_a_password_command_is_secret() {
        for line in ["PASS ", "pass\t", " Acct ", "ADAT "] {
            assert!(secret(line.as_bytes()), "{line}");
        }
        assert!(!secret(b"PASSIVE "));
        assert!(!secret(b"STOR PASS "));
    }
}
