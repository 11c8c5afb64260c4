//! The corpora of the fuzz targets, and mutations of them, on any toolchain.
//!
//! The same in every run. `AUDITOR_FUZZ_SECONDS` goes on for so long with each property, `AUDITOR_FUZZ_SEED` takes other
//! mutations. This is not guided by coverage; `fuzz/run` is, where it can be.

#[path = "../fuzz/properties.rs"]
mod properties;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use properties::{ALL, Property};

/// Mutations of each corpus file in an ordinary test run.
const ROUNDS: u32 = 100;

/// Bytes that a mutation grows to at most.
const LONGEST: usize = 4096;

/// Numbers that look random and are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }

    /// Changes bytes, cuts, repeats, or takes over a part of another file.
    fn mutate(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        const TELLING: [u8; 8] = [0, 1, 0x0a, 0x3f, 0x7f, 0x80, 0xc0, 0xff];
        for _ in 0..=self.below(6) {
            let place = self.below(bytes.len());
            match self.below(7) {
                0 if !bytes.is_empty() => bytes[place] = self.below(256) as u8,
                1 if !bytes.is_empty() => bytes[place] = TELLING[self.below(TELLING.len())],
                2 if !bytes.is_empty() => bytes[place] ^= 1 << self.below(8),
                3 => bytes.truncate(place),
                4 => drop(bytes.drain(place..bytes.len().min(place + self.below(20)))),
                5 => {
                    let part = bytes[place..bytes.len().min(place + self.below(60))].to_vec();
                    bytes.splice(place..place, part);
                }
                _ => {
                    let start = self.below(other.len());
                    let part = &other[start..other.len().min(start + self.below(60))];
                    bytes.splice(place..place, part.iter().copied());
                }
            }
        }
        bytes.truncate(LONGEST);
    }
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: expected a whole number")))
}

/// The files of a target's corpus, by name.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<(PathBuf, Vec<u8>)> = entries
        .map(|entry| entry.expect("a folder entry").path())
        .map(|path| (path.clone(), std::fs::read(&path).expect("a corpus file")))
        .collect();
    files.sort();
    files
}

/// Tries bytes; where the property does not hold they are written to a file that its name tells.
fn check(target: &str, property: Property, bytes: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| property(bytes))).is_err() {
        let path = std::env::temp_dir().join(format!("auditor-fuzz-failure-{target}"));
        std::fs::write(&path, bytes).expect("the folder for temporary files takes a file");
        panic!("{target} does not hold for the bytes in {}", path.display());
    }
}

#[test]
fn every_property_holds_for_its_corpus_and_for_mutations_of_it() {
    let seconds = setting("AUDITOR_FUZZ_SECONDS").map(Duration::from_secs);
    let seed = setting("AUDITOR_FUZZ_SEED").unwrap_or(1).max(1);
    for (target, property) in ALL {
        let files = corpus(target);
        assert!(!files.is_empty(), "{target} has no corpus");
        for (_, bytes) in &files {
            check(target, property, bytes);
        }
        let (mut random, start, mut round) = (Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)), Instant::now(), 0);
        while seconds.map_or(round < ROUNDS, |seconds| start.elapsed() < seconds) {
            round += 1;
            for (_, bytes) in &files {
                let (mut mutated, other) = (bytes.clone(), &files[random.below(files.len())].1);
                random.mutate(&mut mutated, other);
                check(target, property, &mutated);
            }
        }
    }
}

#[test]
fn every_target_has_a_property_and_every_property_a_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/targets");
    let entries = folder.read_dir().expect("the folder of fuzz targets");
    let mut targets: Vec<String> =
        entries.map(|entry| entry.expect("a folder entry").file_name().to_string_lossy().replace(".rs", "")).collect();
    let mut names: Vec<String> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    targets.sort();
    names.sort();
    assert_eq!(targets, names);
    for name in names {
        properties::of(&name)(b"");
    }
}
