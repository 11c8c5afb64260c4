//! Zstandard files of one or many frames (RFC 8878), skippable frames passed over.

use std::io::{self, BufRead, ErrorKind, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::limits::MAX_ZSTD_WINDOW;

/// An empty last block and room for a checksum: makes the decoder let go of what it keeps as history.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// Decodes frame after frame.
pub(super) struct Zstandard<R: BufRead> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
    failure: Option<io::Error>,
}

impl<R: BufRead> Zstandard<R> {
    pub fn new(source: R) -> Zstandard<R> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_ZSTD_WINDOW);
        Zstandard { source, decoder, in_frame: false, failure: None }
    }

    /// Begins the next frame; `false` at the end of the file.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.source) {
                Ok(()) => {
                    self.in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.source).take(length), &mut io::sink())? < length {
                        return Err(self.explain("a skippable frame is cut"));
                    }
                }
                Err(error) => return Err(self.explain(&error)),
            }
        }
        Ok(false)
    }

    /// Decodes one block. Damage is kept until the bytes before it have been handed out.
    fn decode(&mut self) {
        if let Err(error) = self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1)) {
            self.failure = Some(self.explain(&error));
            if self.decoder.decode_blocks(&LAST_BLOCK[..], BlockDecodingStrategy::All).is_err() {
                // Nothing more can be had from this frame; the failure above says so.
                self.decoder = FrameDecoder::new();
            }
        }
    }

    /// Compares the checksum of a frame that was handed out whole, when it has one.
    fn finish(&mut self) {
        self.in_frame = false;
        let stored = self.decoder.get_checksum_from_data();
        if self.failure.is_none() && stored.is_some() && stored != self.decoder.get_calculated_checksum() {
            self.failure = Some(io::Error::new(
                ErrorKind::InvalidData,
                "the zstd data is damaged (a frame's checksum is not that of its content)",
            ));
        }
    }

    fn explain(&mut self, error: impl std::fmt::Display) -> io::Error {
        match self.source.fill_buf() {
            Ok([]) => io::Error::new(ErrorKind::UnexpectedEof, "the zstd data ends within a frame"),
            Ok(_) => io::Error::new(ErrorKind::InvalidData, format!("the zstd data is damaged ({error})")),
            Err(error) => error,
        }
    }
}

impl<R: BufRead> Read for Zstandard<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(out);
            }
            if self.in_frame && self.decoder.is_finished() {
                self.finish();
            }
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if self.in_frame {
                self.decode();
            } else if !self.begin()? {
                return Ok(0);
            }
        }
    }
}
