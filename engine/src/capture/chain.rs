//! The next sound record or block after damage.

use super::buffer::Buffer;
use super::limits::RESYNC_AHEAD;

/// What the bytes behind a place look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// Plausible records or blocks in a row.
    pub links: usize,
    /// How the chain stopped.
    pub stop: Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Enough links were seen.
    Enough,
    /// Something implausible.
    Broken,
    /// Exactly at the last byte at hand.
    Exact,
    /// The last byte at hand lies within a record or block that may be plausible.
    Open,
}

/// Follows a chain for up to `enough` links. `link` says where the one at the start of its bytes ends:
/// `None` implausible, `Some(n)` after `n` bytes, which may be more than there are.
pub(super) fn follow(bytes: &[u8], enough: usize, mut link: impl FnMut(&[u8]) -> Option<usize>) -> Chain {
    let (mut at, mut links) = (0, 0);
    while links < enough {
        let rest = &bytes[at..];
        if rest.is_empty() {
            return Chain { links, stop: Stop::Exact };
        }
        match link(rest) {
            None => return Chain { links, stop: Stop::Broken },
            Some(end) if end > rest.len() => return Chain { links, stop: Stop::Open },
            Some(end) => at += end,
        }
        links += 1;
    }
    Chain { links, stop: Stop::Enough }
}

/// Moves the buffer, by at least one byte, to the first place that `sound` accepts; it gets the bytes
/// from there and whether they reach the end of the file. The bytes passed over, and whether there was
/// such a place. Linear: each place is looked at once, with [`RESYNC_AHEAD`] bytes behind it.
pub(super) fn search(buffer: &mut Buffer, mut sound: impl FnMut(&[u8], bool) -> bool) -> (u64, bool) {
    let from = buffer.offset();
    buffer.advance(1);
    loop {
        // The caller has checked that nothing is pinned, so this cannot pause.
        let _ = buffer.ensure(2 * RESYNC_AHEAD);
        let (bytes, ended) = (buffer.unread(), buffer.ended());
        let places = if ended { bytes.len() } else { bytes.len().saturating_sub(RESYNC_AHEAD) };
        // No more than that, even where more is at hand: how much is depends on who read before, and how.
        let behind = |at: usize| &bytes[at..bytes.len().min(at + RESYNC_AHEAD)];
        let found = (0..places).find(|&at| sound(behind(at), ended && at + RESYNC_AHEAD >= bytes.len()));
        buffer.advance(found.unwrap_or(places));
        if found.is_some() || ended {
            return (buffer.offset() - from, found.is_some());
        }
    }
}

/// The end of a message: what was done about damage.
pub(super) fn outcome((passed, found): (u64, bool), what: &str) -> String {
    if found {
        format!("{passed} bytes passed over to the next plausible {what}")
    } else {
        format!("no plausible {what} follows, the last {passed} bytes were not read")
    }
}
