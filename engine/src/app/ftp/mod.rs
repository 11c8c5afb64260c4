//! FTP control connections (RFC 959, RFC 2428, RFC 4217): commands, their replies, and where clear text ends.

mod command;
mod endpoint;
mod pending;
mod protection;
mod reply;
#[cfg(test)]
mod tests;

use super::event::{Event, Mechanism, Side};
use super::line::Lines;
use super::tls::is_record_type;
use command::Command;
pub use pending::FTP_PENDING;
use pending::Pending;
use protection::Protection;
pub use reply::FTP_REPLY_LINES;
use reply::{Line, Replies, Reply};

/// Lines in a row that are no command or reply, after which the connection is taken for something else (`FTP_BAD_LINES`).
pub const FTP_BAD_LINES: u32 = 64;

/// A line with bytes that no text has counts for so many.
const BINARY_LINE: u32 = 8;

/// A control connection.
#[derive(Debug)]
pub(super) struct Control {
    client: End,
    server: End,
    replies: Replies,
    pending: Pending,
    protection: Protection,
    /// A transfer was accepted and has not ended.
    running: bool,
    failed: bool,
    /// Clear text is missing, and that was told.
    holed: bool,
}

/// One direction.
#[derive(Debug)]
struct End {
    lines: Lines,
    protected: bool,
    bad: u32,
}

impl End {
    fn new(secret: fn(&[u8]) -> bool) -> End {
        End { lines: Lines::control(secret), protected: false, bad: 0 }
    }
}

impl Control {
    /// From the start of a connection or from its middle.
    pub(super) fn new() -> Control {
        Control {
            client: End::new(command::secret),
            server: End::new(|_| false),
            replies: Replies::default(),
            pending: Pending::default(),
            protection: Protection::default(),
            running: false,
            failed: false,
            holed: false,
        }
    }

    /// Takes the next bytes of one direction.
    pub(super) fn feed(&mut self, from: Side, mut bytes: &[u8], events: &mut Vec<Event>) {
        while !self.failed {
            let end = match from {
                Side::Client => &mut self.client,
                Side::Server => &mut self.server,
            };
            end.lines.skip_rest_of_end(&mut bytes);
            let Some(&first) = bytes.first() else { return };
            if end.protected {
                end.protected = self.protection.take(from, &mut bytes, events);
            } else if !end.lines.begun() && is_record_type(first) {
                end.protected = true;
            } else if end.lines.take(&mut bytes) {
                self.line(from, events);
            }
        }
    }

    /// Bytes of one direction are missing: which reply belongs to which command is not known any more.
    pub(super) fn gap(&mut self, from: Side, events: &mut Vec<Event>) {
        let end = self.end(from);
        if end.protected {
            self.protection.gap(from, events);
            return;
        }
        end.lines.gap();
        if !self.holed && !self.done() {
            self.holed = true;
            events.push(Event::Lost { protocol: "ftp" });
        }
        self.pending.clear();
        if from == Side::Server {
            self.replies.reset();
            self.running = false;
        }
    }

    /// Memory that the beginnings of hellos take, bytes.
    pub(super) fn held_memory(&self) -> usize {
        self.protection.held_memory()
    }

    /// Nothing more can come.
    pub(super) fn done(&self) -> bool {
        self.failed || self.protection.blind()
    }

    fn end(&mut self, from: Side) -> &mut End {
        match from {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn line(&mut self, from: Side, events: &mut Vec<Event>) {
        let good = match from {
            Side::Client => match Command::parse(self.client.lines.line()) {
                Some(command) => {
                    self.command(command, events);
                    true
                }
                None => false,
            },
            Side::Server => {
                self.pending.answered();
                let line = self.replies.take(self.server.lines.line());
                match line {
                    Line::Reply(reply) => self.reply(reply, events),
                    Line::TooLong => events.push(Event::Limit { name: "FTP_REPLY_LINES" }),
                    Line::Within | Line::Bad => {}
                }
                line != Line::Bad
            }
        };
        let end = self.end(from);
        let line = end.lines.line();
        if good {
            end.bad = 0;
        } else if !line.is_empty() {
            let binary = line.iter().any(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | 0x1b));
            end.bad += if binary { BINARY_LINE } else { 1 };
        }
        end.lines.next();
        if end.bad >= FTP_BAD_LINES {
            self.failed = true;
            events.push(Event::ProtocolError { protocol: "ftp", what: "lines that are neither command nor reply" });
        }
    }

    fn command(&mut self, command: Command, events: &mut Vec<Event>) {
        match command {
            Command::User => events.push(Event::FtpUser),
            Command::Pass => events.push(Event::FtpPass),
            Command::Auth(mechanism) => events.push(Event::FtpAuth { mechanism, accepted: None }),
            Command::Active { address, port, extended } => {
                events.push(Event::FtpActive { address, port, extended, accepted: None });
            }
            Command::UnreadableActive => events.push(Event::FtpUnreadableEndpoint { code: 0 }),
            Command::Transfer(verb) => events.push(Event::FtpTransfer { verb, accepted: None }),
            Command::Quit => events.push(Event::FtpQuit),
            Command::Protected => self.protection.begins(events),
            _ => {}
        }
        self.pending.push(command, events);
    }

    fn reply(&mut self, reply: Reply, events: &mut Vec<Event>) {
        let Reply { code, endpoint } = reply;
        match code {
            125 | 150 => {
                let transfer = |command: &Command| matches!(command, Command::Transfer(_));
                if let Some(Command::Transfer(verb)) = self.pending.take(transfer) {
                    self.running = true;
                    events.push(Event::FtpTransfer { verb, accepted: Some(true) });
                }
            }
            0..200 => {}
            220 => {
                if self.pending.take(|command| *command == Command::Rein).is_none() {
                    events.push(Event::FtpGreeting);
                }
            }
            221 | 421 => {
                self.pending.clear();
                if code == 421 {
                    self.end_transfer(false, events);
                }
                events.push(Event::FtpClosing { code });
            }
            226 | 250 | 400..600 if self.running => self.end_transfer(code < 400, events),
            _ => {
                let announced = match endpoint {
                    Some((address, port)) => Some(Event::FtpPassive { address, port, extended: code == 229 }),
                    None if matches!(code, 227..=229) => Some(Event::FtpUnreadableEndpoint { code }),
                    None => None,
                };
                events.extend(announced);
                let command = self.pending.answered_by(code);
                self.answer(command, code, events);
            }
        }
    }

    /// What a final reply says to its command.
    fn answer(&mut self, command: Option<Command>, code: u16, events: &mut Vec<Event>) {
        let (refused, fits) = (code >= 400, command.is_some_and(|command| command.fits(code)));
        match command {
            Some(Command::User | Command::Pass) if fits && (refused || code < 300) => {
                events.push(Event::FtpLogin { accepted: !refused });
            }
            Some(Command::Auth(mechanism)) if refused => {
                events.push(Event::FtpAuth { mechanism, accepted: Some(false) });
            }
            // Some servers say 334 where RFC 4217 wants 234; with other mechanisms 334 asks for more.
            Some(Command::Auth(mechanism)) if code == 234 || code == 334 && mechanism != Mechanism::Other => {
                self.auth(mechanism, events);
            }
            None if code == 234 => self.auth(Mechanism::Tls, events),
            Some(Command::Adat) if refused || code == 235 => {
                self.protection.accepted |= !refused;
                events.push(Event::FtpAuth { mechanism: Mechanism::Other, accepted: Some(!refused) });
            }
            Some(Command::Active { address, port, extended }) => {
                events.push(Event::FtpActive { address, port, extended, accepted: Some(!refused) });
            }
            // The first answer to a transfer is its last.
            Some(Command::Transfer(verb)) => {
                events.push(Event::FtpTransfer { verb, accepted: Some(!refused) });
                if !refused {
                    events.push(Event::FtpTransferDone { ok: true });
                }
            }
            Some(Command::Prot { private }) if !refused => events.push(Event::FtpSecuredData { private }),
            None if code == 230 => events.push(Event::FtpLogin { accepted: true }),
            _ if matches!(code, 631..=633) => self.protection.begins(events),
            _ => {}
        }
    }

    fn auth(&mut self, mechanism: Mechanism, events: &mut Vec<Event>) {
        self.protection.accepted = true;
        events.push(Event::FtpAuth { mechanism, accepted: Some(true) });
        if mechanism != Mechanism::Other {
            self.pending.clear();
            // A client that has not ended its line yet goes on in clear.
            self.client.protected |= !self.client.lines.begun();
            self.server.protected = true;
        }
    }

    fn end_transfer(&mut self, ok: bool, events: &mut Vec<Event>) {
        if self.running {
            self.running = false;
            events.push(Event::FtpTransferDone { ok });
        }
    }
}
