//! Gzip files of one or many members (RFC 1952).

use std::io::{self, BufRead, ErrorKind, Read};

use flate2::bufread::GzDecoder;

/// Decodes member after member; zeros behind the last one are padding.
pub(super) struct Gzip<R: BufRead> {
    state: State<R>,
}

enum State<R: BufRead> {
    Member(Box<GzDecoder<R>>),
    Between(R),
    Ended,
}

impl<R: BufRead> Gzip<R> {
    pub fn new(source: R) -> Gzip<R> {
        Gzip { state: State::Member(Box::new(GzDecoder::new(source))) }
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
                    format!("behind a member, another one or the end was expected, byte {byte:02x} was there"),
                ));
            }
            None => {
                let count = bytes.len();
                source.consume(count);
            }
        }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Member(mut member) => {
                    let count = member.read(out)?;
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
