//! What becomes of a file while it is read: whoever captures may write on, or begin it anew in a ring of files.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Seek, SeekFrom};

/// Bytes at its begin by which a file is known again: more than file header, interfaces and the time of a first packet take.
const BEGIN: usize = 4096;

/// How a file begins. Whoever writes on leaves that as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Begin {
    len: usize,
    digest: u64,
}

impl Begin {
    /// Of as many of the file's first bytes as there are, `most` at most.
    fn of(file: &File, most: usize) -> io::Result<Begin> {
        let mut bytes = [0; BEGIN];
        let len = read_at_begin(file, &mut bytes[..most.min(BEGIN)])?;
        let mut hasher = DefaultHasher::new();
        hasher.write(&bytes[..len]);
        Ok(Begin { len, digest: hasher.finish() })
    }
}

/// A regular file as it was when it was opened.
pub(super) struct Standing {
    file: File,
    size: u64,
    begin: Begin,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It was `from` bytes long and now is `to`; `read` of them were read.
    Grown { from: u64, to: u64, read: u64 },
    /// It is another one now, or shorter than what was there before.
    Rewritten { from: u64, to: u64, read: u64 },
}

impl Standing {
    /// None of pipes, devices, and where the system does not tell.
    pub fn of(file: &File) -> Option<Standing> {
        let found = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some(Standing { file: file.try_clone().ok()?, size: found.len(), begin: Begin::of(file, BEGIN).ok()? })
    }

    /// Its bytes, then.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The file once more, with the same position.
    pub fn file(&self) -> Option<File> {
        self.file.try_clone().ok()
    }

    /// Has whoever reads go on at that place; false where that failed.
    pub fn go_to(&mut self, offset: u64) -> bool {
        self.file.seek(SeekFrom::Start(offset)).is_ok()
    }

    /// How it began.
    pub fn begin(&self) -> Begin {
        self.begin
    }

    /// Whether it began as that did, which was seen before: as far as there was something to see.
    pub fn began_as(&self, before: Begin) -> bool {
        Begin::of(&self.file, before.len).is_ok_and(|now| now == before)
    }

    /// What became of it so far.
    pub fn change(&mut self) -> Option<Change> {
        let to = self.file.metadata().ok()?.len();
        // A clone's position is that of whoever reads.
        let (from, read) = (self.size, self.file.stream_position().ok()?);
        if to < from.max(read) || !self.began_as(self.begin) {
            return Some(Change::Rewritten { from, to, read });
        }
        (to > from).then_some(Change::Grown { from, to, read })
    }
}

#[cfg(unix)]
fn read_at_begin(file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, 0)
}

/// Elsewhere that would move the position of whoever reads: sizes alone tell.
#[cfg(not(unix))]
fn read_at_begin(_: &File, _: &mut [u8]) -> io::Result<usize> {
    Ok(0)
}
