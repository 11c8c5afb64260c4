//! What is to be read, and in which order.

use std::path::Path;

use super::open;
use crate::capture::Begin;

/// A capture to be read.
pub(crate) struct Input {
    pub path: String,
    /// How it began when its first packet was looked at: in a ring of files another may be there when its turn comes.
    pub begin: Option<Begin>,
}

/// The order of several captures: by the time of their first packets, then as given.
pub(crate) fn in_order_of_time(paths: Vec<String>) -> Vec<Input> {
    if paths.len() < 2 {
        return paths.into_iter().map(|path| Input { path, begin: None }).collect();
    }
    let mut timed: Vec<(i64, Input)> = paths.into_iter().map(looked_at).collect();
    timed.sort_by_key(|(time, _)| *time);
    timed.into_iter().map(|(_, input)| input).collect()
}

/// A capture with the time of its first packet, the latest possible where there is none.
fn looked_at(path: String) -> (i64, Input) {
    // A pipe gives its bytes once.
    let is_file = std::fs::metadata(&path).is_ok_and(|file| file.is_file());
    let Some(mut capture) = is_file.then(|| open(&path).ok()).flatten() else {
        return (i64::MAX, Input { path, begin: None });
    };
    let mut frames = Vec::with_capacity(1);
    capture.next_frames(&mut frames, 1);
    (frames.first().map_or(i64::MAX, |frame| frame.time_ns), Input { path, begin: capture.begin() })
}

/// Size of all captures in bytes; 0 when one is compressed or not a file.
pub(super) fn total_size(inputs: &[String]) -> u64 {
    let mut total = 0;
    for path in inputs {
        let plain = !matches!(
            Path::new(path).extension().and_then(|suffix| suffix.to_str()),
            Some("gz" | "zst" | "lz4" | "xz" | "bz2")
        );
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_file() && plain => total += meta.len(),
            _ => return 0,
        }
    }
    total
}
