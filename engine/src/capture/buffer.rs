//! The window of the (decompressed) file that is being read.

use std::io::{self, ErrorKind, Read};

/// Bytes asked of the source at once, for 1 GB in the page cache: on one machine 1 MiB took 5 % longer than 256 KiB, on
/// another 256 KiB took 10 % longer than this and 1 MiB 3 % less. 64 KiB was slow on both.
const SIZE: usize = 1 << 19;

/// More bytes are needed, but frames already handed out lie in the buffer, or a live source has none yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Paused;

/// Unread bytes are `bytes[at..end]`; `base` is the file offset of `bytes[0]`.
pub(super) struct Buffer {
    source: Box<dyn Read + Send>,
    bytes: Vec<u8>,
    at: usize,
    end: usize,
    base: u64,
    ended: bool,
    pinned: bool,
    failure: Option<io::Error>,
    is_file: bool,
}

/// Bytes of the file, and where they lie.
#[derive(Clone, Copy)]
pub(super) struct Window<'b> {
    pub bytes: &'b [u8],
    /// Of the first, in the memory that frames refer to.
    pub position: usize,
    /// Of the first, in the file.
    pub offset: u64,
}

impl Buffer {
    pub fn new(source: Box<dyn Read + Send>) -> Buffer {
        let bytes = vec![0; SIZE];
        Buffer { source, bytes, at: 0, end: 0, base: 0, ended: false, pinned: false, failure: None, is_file: false }
    }

    /// The unread bytes read so far, and the source, to start again with a decoder between them.
    pub fn into_parts(mut self) -> (Vec<u8>, Box<dyn Read + Send>) {
        self.bytes.truncate(self.end);
        (self.bytes.split_off(self.at), self.source)
    }

    /// Reads from what `exchange` makes of the source from now on.
    pub fn exchange_source(&mut self, exchange: impl FnOnce(Box<dyn Read + Send>) -> Box<dyn Read + Send>) {
        let source = std::mem::replace(&mut self.source, Box::new(std::io::empty()));
        self.source = exchange(source);
    }

    /// While pinned, bytes stay where they are.
    pub fn pin(&mut self, pinned: bool) {
        self.pinned = pinned;
    }

    /// Makes `need` unread bytes available. `Ok(false)`: the file ends before.
    #[inline]
    pub fn ensure(&mut self, need: usize) -> Result<bool, Paused> {
        if self.end - self.at >= need { Ok(true) } else { self.fill(need) }
    }

    /// For work that moves through the file: only starts when nothing is pinned.
    pub fn free(&self) -> Result<(), Paused> {
        if self.pinned { Err(Paused) } else { Ok(()) }
    }

    #[cold]
    fn fill(&mut self, need: usize) -> Result<bool, Paused> {
        self.free()?;
        // Moving the rest down pays only when it frees half of the buffer; else the buffer grows below.
        if self.at + need > self.bytes.len() && self.at >= self.bytes.len() / 2 {
            self.bytes.copy_within(self.at..self.end, 0);
            self.base += self.at as u64;
            self.end -= self.at;
            self.at = 0;
        }
        while self.end - self.at < need && !self.ended {
            if self.end == self.bytes.len() {
                // Doubled only when full: a hostile length costs no more memory than bytes that came.
                self.bytes.resize(self.bytes.len() * 2, 0);
            }
            match self.source.read(&mut self.bytes[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A live source has nothing now and may have more later.
                Err(error) if error.kind() == ErrorKind::TimedOut => return Err(Paused),
                Err(error) => {
                    self.failure = Some(error);
                    self.ended = true;
                }
            }
        }
        Ok(self.end - self.at >= need)
    }

    /// Gives the memory away with all that was read, and goes on in `spare` with what is unread.
    pub fn hand_over(&mut self, spare: Vec<u8>) -> Vec<u8> {
        let mut next = spare;
        let unread = self.end - self.at;
        if next.len() < SIZE.max(2 * unread) {
            next.resize(SIZE.max(2 * unread), 0);
        }
        next[..unread].copy_from_slice(&self.bytes[self.at..self.end]);
        self.base += self.at as u64;
        (self.at, self.end) = (0, unread);
        std::mem::replace(&mut self.bytes, next)
    }

    /// The unread bytes at hand.
    #[inline]
    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.at..self.end]
    }

    /// The unread bytes at hand, and where they lie.
    #[inline]
    pub fn window(&self) -> Window<'_> {
        Window { bytes: self.unread(), position: self.at, offset: self.offset() }
    }

    /// Goes on at that place of the file, where somebody has made the source go on too. Nothing is pinned.
    pub fn move_to(&mut self, offset: u64) {
        (self.at, self.end, self.base, self.ended) = (0, 0, offset, false);
    }

    /// Position of the unread bytes in the buffer, as [`Buffer::slice`] takes it.
    #[inline]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Moves over at most `count` unread bytes.
    #[inline]
    pub fn advance(&mut self, count: usize) {
        self.at = (self.at + count).min(self.end);
    }

    /// File offset of the first unread byte.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// File offset behind the last byte read.
    pub fn end_offset(&self) -> u64 {
        self.base + self.end as u64
    }

    /// Whether `unread` reaches the end of the file.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Whether a read failed.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// The source never lets anybody wait: as much as a decision needs may be asked of it.
    pub fn is_file(&self) -> bool {
        self.is_file
    }

    /// Notes that it is a file.
    pub fn note_file(&mut self) {
        self.is_file = true;
    }

    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// The bytes from the buffer's begin, for positions as [`Buffer::position`] gives them.
    #[inline]
    pub fn memory(&self) -> &[u8] {
        &self.bytes
    }
}
