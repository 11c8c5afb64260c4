//! Commands that wait for their replies.

use std::collections::VecDeque;

use super::command::Command;
use crate::app::event::Event;

/// Commands that wait for their replies (`FTP_PENDING`); past it the oldest is forgotten.
pub const FTP_PENDING: usize = 64;

/// The queue. Replies come in the order of commands, but captures lose and swap segments: a reply goes to the first
/// command that it fits.
#[derive(Debug, Default)]
pub(super) struct Pending {
    commands: VecDeque<Command>,
    answered: bool,
    limit_told: bool,
}

impl Pending {
    /// The server said something.
    pub(super) fn answered(&mut self) {
        self.answered = true;
    }

    /// A command was sent.
    pub(super) fn push(&mut self, command: Command, events: &mut Vec<Event>) {
        self.commands.push_back(command);
        if self.commands.len() > FTP_PENDING {
            self.commands.pop_front();
            // Where only the client was captured, waiting for replies is nothing to speak of.
            if self.answered && !self.limit_told {
                self.limit_told = true;
                events.push(Event::Limit { name: "FTP_PENDING" });
            }
        }
    }

    /// The first command of that kind. Those before it were answered by replies that were not captured.
    pub(super) fn take(&mut self, kind: impl Fn(&Command) -> bool) -> Option<Command> {
        let place = self.commands.iter().position(kind)?;
        self.commands.drain(..=place).next_back()
    }

    /// The command that a final reply with that code answers; where it fits none, the oldest.
    pub(super) fn answered_by(&mut self, code: u16) -> Option<Command> {
        self.take(|command| command.fits(code)).or_else(|| self.commands.pop_front())
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.commands.clear();
    }
}
