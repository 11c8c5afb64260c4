//! LZ4 files of one or many frames, skippable frames passed over, and files of the older frame format.
//!
//! The decoder takes a file that ends between two blocks for one that ends; here it is cut.

use std::io::{self, BufRead, Cursor, ErrorKind, Read};

use lz4_flex::frame::FrameDecoder;

const FRAME: u32 = 0x184d_2204;
/// The format of `lz4 -l`: it has no end mark.
const LEGACY: u32 = 0x184c_2102;
/// Sixteen numbers, the lowest four bits are free.
const SKIPPABLE: u32 = 0x184d_2a50;

/// Decodes frame after frame.
pub(super) struct Lz4<R: BufRead> {
    state: State<R>,
    legacy: bool,
}

enum State<R: BufRead> {
    Frame(Box<FrameDecoder<Watched<R>>>),
    Between(R),
    Ended,
}

/// A source whose next four bytes were read already. Notes whether its end was met.
struct Watched<R> {
    magic: Cursor<[u8; 4]>,
    source: R,
    ended: bool,
}

impl<R: BufRead> Read for Watched<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.magic.read(out)?;
        if count > 0 {
            return Ok(count);
        }
        let count = self.source.read(out)?;
        self.ended |= count == 0 && !out.is_empty();
        Ok(count)
    }
}

impl<R: BufRead> Lz4<R> {
    pub fn new(source: R) -> Lz4<R> {
        Lz4 { state: State::Between(source), legacy: false }
    }

    /// What follows the end of a frame.
    fn next(&mut self, mut source: R) -> io::Result<State<R>> {
        while !source.fill_buf()?.is_empty() {
            let mut magic = [0; 4];
            source.read_exact(&mut magic)?;
            let number = u32::from_le_bytes(magic);
            if matches!(number, FRAME | LEGACY) {
                self.legacy = number == LEGACY;
                let watched = Watched { magic: Cursor::new(magic), source, ended: false };
                return Ok(State::Frame(Box::new(FrameDecoder::new(watched))));
            }
            if number & !0xf != SKIPPABLE {
                let text = format!("behind a frame, another one or the end was expected, {number:08x} was there");
                return Err(io::Error::new(ErrorKind::InvalidData, text));
            }
            let mut length = [0; 4];
            source.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            if io::copy(&mut (&mut source).take(length), &mut io::sink())? < length {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(State::Ended)
    }
}

impl<R: BufRead> Read for Lz4<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Frame(mut frame) => {
                    let count = frame.read(out)?;
                    if count > 0 {
                        self.state = State::Frame(frame);
                        return Ok(count);
                    }
                    let watched = frame.into_inner();
                    if watched.ended && !self.legacy {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                    self.state = State::Between(watched.source);
                }
                State::Between(source) => self.state = self.next(source)?,
                State::Ended => return Ok(0),
            }
        }
    }
}
