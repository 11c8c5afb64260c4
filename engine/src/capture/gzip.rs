//! Gzip files of one or many members (RFC 1952).

use std::io::{self, BufRead, ErrorKind, Read};

use flate2::bufread::GzDecoder;

/// Bytes decoded at a time. What the decoder made of such a step is lost when the step meets damage.
const STEP: usize = 16 << 10;
/// Bytes handed out at once, so that a batch of frames is worth its call.
const BATCH: usize = 128 << 10;

/// Decodes member after member; zeros behind the last one are padding.
pub(super) struct Gzip<R: BufRead> {
    state: State<R>,
    failure: Option<io::Error>,
}

enum State<R: BufRead> {
    Member(Box<GzDecoder<R>>),
    Between(R),
    Ended,
}

impl<R: BufRead> Gzip<R> {
    pub fn new(source: R) -> Gzip<R> {
        Gzip { state: State::Member(Box::new(GzDecoder::new(source))), failure: None }
    }

    fn step(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Member(mut member) => {
                    let count = member.read(out).map_err(|error| explain(&error))?;
                    self.state = if count == 0 { State::Between(member.into_inner()) } else { State::Member(member) };
                    if count > 0 {
                        return Ok(count);
                    }
                }
                State::Between(mut source) => {
                    if !at_member(&mut source)? {
                        return Ok(0);
                    }
                    self.state = State::Member(Box::new(GzDecoder::new(source)));
                }
                State::Ended => return Ok(0),
            }
        }
    }
}

/// Whether another member follows; zeros are passed over.
fn at_member(source: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = source.fill_buf()?;
        match bytes.iter().position(|&byte| byte != 0) {
            _ if bytes.is_empty() => return Ok(false),
            Some(0) if bytes[0] == 0x1f => return Ok(true),
            Some(at) => {
                let byte = bytes[at];
                return Err(io::Error::new(
                    ErrorKind::InvalidData,
                    format!("behind a gzip member, another one or the end was expected, byte {byte:02x} was there"),
                ));
            }
            None => {
                let count = bytes.len();
                source.consume(count);
            }
        }
    }
}

/// Sorts the decoder's errors: cut, damaged, or of the operating system.
fn explain(error: &io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => io::Error::new(ErrorKind::UnexpectedEof, "the gzip data ends within a member"),
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::Other => {
            io::Error::new(ErrorKind::InvalidData, format!("the gzip data is damaged ({error})"))
        }
        kind => io::Error::new(kind, error.to_string()),
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let target = out.len().min(BATCH);
        let mut filled = 0;
        while filled < target {
            let end = target.min(filled + STEP);
            match self.step(&mut out[filled..end]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if filled == 0 => return Err(error),
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        Ok(filled)
    }
}
