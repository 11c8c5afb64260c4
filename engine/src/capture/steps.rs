//! Decompression in steps, so that what stands before damage is handed out before the damage is reported.

use std::io::{self, ErrorKind, Read};

/// Bytes decoded at a time. What the decoder made of such a step is lost when the step meets damage.
const STEP: usize = 16 << 10;
/// Bytes handed out at once, so that a batch of frames is worth its call.
const BATCH: usize = 128 << 10;

/// A decoder, and the failure that is due once its bytes have been handed out.
pub(super) struct Steps<D> {
    decoder: D,
    /// Name of the format, as in "the gzip data ends within a member".
    format: &'static str,
    /// What its files consist of: member, frame, stream.
    part: &'static str,
    failure: Option<io::Error>,
}

impl<D: Read> Steps<D> {
    pub fn new(decoder: D, format: &'static str, part: &'static str) -> Steps<D> {
        Steps { decoder, format, part, failure: None }
    }

    /// Sorts the decoder's errors: cut, too large for our memory, damaged, or of the operating system.
    fn explain(&self, error: &io::Error) -> io::Error {
        let Steps { format, part, .. } = self;
        match error.kind() {
            ErrorKind::UnexpectedEof => {
                io::Error::new(ErrorKind::UnexpectedEof, format!("the {format} data ends within a {part}"))
            }
            ErrorKind::InvalidInput
            | ErrorKind::InvalidData
            | ErrorKind::Unsupported
            | ErrorKind::OutOfMemory
            | ErrorKind::Other => {
                io::Error::new(ErrorKind::InvalidData, format!("the {format} data is damaged ({error})"))
            }
            kind => io::Error::new(kind, error.to_string()),
        }
    }
}

impl<D: Read> Read for Steps<D> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let target = out.len().min(BATCH);
        let mut filled = 0;
        while filled < target {
            let end = target.min(filled + STEP);
            match self.decoder.read(&mut out[filled..end]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if filled == 0 => return Err(self.explain(&error)),
                Err(error) => {
                    self.failure = Some(self.explain(&error));
                    break;
                }
            }
        }
        Ok(filled)
    }
}
