//! Bytes read ahead in a thread of their own: to decompress takes longer than all that is done with what comes of it.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use crate::beside;

/// Bytes of one piece.
const PIECE: usize = 256 << 10;
/// Pieces that wait to be taken (`PIECES_AHEAD`).
const PIECES_AHEAD: usize = 4;

type Source = Box<dyn Read + Send>;

/// What another thread reads.
struct Ahead {
    pieces: Receiver<io::Result<Vec<u8>>>,
    spares: Sender<Vec<u8>>,
    piece: Vec<u8>,
    /// Bytes of the piece that have been taken.
    at: usize,
    /// There is nothing behind the piece.
    ended: bool,
}

/// Reads `source` ahead, or as before where there is no thread to be had.
pub(super) fn ahead(source: Source) -> Source {
    let (sender, pieces) = sync_channel(PIECES_AHEAD);
    let (spares, spared) = channel();
    match beside::start("unpacking", source, move |source| read_on(source, &sender, &spared)) {
        Ok(_) => Box::new(Ahead { pieces, spares, piece: Vec::new(), at: 0, ended: false }),
        Err(source) => source,
    }
}

/// Reads to the end, to the first failure, or until nobody takes any more.
fn read_on(mut source: Source, pieces: &SyncSender<io::Result<Vec<u8>>>, spares: &Receiver<Vec<u8>>) {
    loop {
        // Without a spare one, or with nobody to give any, there is fresh memory; `send` below tells whether anybody waits.
        let mut piece = spares.try_recv().unwrap_or_default();
        piece.resize(PIECE, 0);
        let read = loop {
            match source.read(&mut piece) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let goes_on = read.as_ref().is_ok_and(|&count| count > 0);
        let piece = read.map(|count| {
            piece.truncate(count);
            piece
        });
        if pieces.send(piece).is_err() || !goes_on {
            return;
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() && !self.ended {
            // Nobody may be left to take it, or nothing be left to read.
            let _ = self.spares.send(std::mem::take(&mut self.piece));
            self.at = 0;
            // At the end an empty piece comes. Without one the thread has failed, and what it read is not all.
            let next =
                self.pieces.recv().unwrap_or_else(|_| Err(io::Error::other("the thread that unpacks has failed")));
            self.ended = next.as_ref().map_or(true, Vec::is_empty);
            self.piece = next?;
        }
        let count = out.len().min(self.piece.len() - self.at);
        out[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives what it holds in pieces of one to `most` bytes, then fails or ends.
    struct Slow {
        left: Vec<u8>,
        most: usize,
        failure: Option<io::Error>,
    }

    impl Read for Slow {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.left.is_empty() {
                return self.failure.take().map_or(Ok(0), Err);
            }
            let count = self.most.min(self.left.len()).min(out.len());
            out[..count].copy_from_slice(&self.left[..count]);
            self.left.drain(..count);
            Ok(count)
        }
    }

    fn bytes(count: usize) -> Vec<u8> {
        (0..count).map(|number| (number * 7 % 251) as u8).collect()
    }

    #[test]
    fn what_is_read_ahead_is_what_is_there() {
        for (count, most) in [(0, 1), (1, 1), (1000, 7), (3 * PIECE + 5, PIECE), (2_000_000, 100_000)] {
            let source = Slow { left: bytes(count), most, failure: None };
            let mut read = Vec::new();
            ahead(Box::new(source)).read_to_end(&mut read).unwrap();
            assert_eq!(read, bytes(count));
        }
    }

    #[test]
    fn a_failure_comes_after_what_came_before_it() {
        let failure = Some(io::Error::new(ErrorKind::InvalidData, "damaged"));
        let mut reader = ahead(Box::new(Slow { left: bytes(600_000), most: 1 << 20, failure }));
        let mut read = Vec::new();
        assert_eq!(reader.read_to_end(&mut read).unwrap_err().to_string(), "damaged");
        assert_eq!(read, bytes(600_000));
        assert_eq!(reader.read(&mut [0; 9]).unwrap(), 0);
    }

    #[test]
    fn a_thread_that_fails_is_no_end_of_the_file() {
        struct Broken(usize);
        impl Read for Broken {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                assert!(self.0 < 4, "a test's own failure");
                Ok(out.len())
            }
        }
        let mut read = Vec::new();
        let error = ahead(Box::new(Broken(0))).read_to_end(&mut read).unwrap_err();
        assert_eq!((read.len(), error.to_string().as_str()), (3 * PIECE, "the thread that unpacks has failed"));
    }

    #[test]
    fn nobody_is_left_behind_when_it_is_dropped_half_way() {
        let mut reader = ahead(Box::new(io::repeat(3)));
        assert_eq!(reader.read(&mut [0; 9]).unwrap(), 9);
        drop(reader);
    }
}
