//! Packets of findings out of the ring.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::blocks::{self, Found};
use super::evidence::segments_in;

/// A place in the ring: a segment, and bytes into it.
pub type Position = (u64, u64);

/// What one file is to get.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The file, which is appended to.
    pub out: PathBuf,
    /// What each packet is commented with.
    pub comment: String,
    /// Flows, and from where on their packets are wanted.
    pub flows: Vec<(u64, Position)>,
}

/// Appends the packets of flows to files, each time as a section of its own; how many each file got, none where it could
/// not be written, and where the ring ended. No more than about `limit` bytes go to a file at once.
///
/// The ring is read once for all of them.
pub fn extract(folder: &Path, wishes: &[Wish], limit: usize) -> io::Result<(Vec<Option<u64>>, Position)> {
    let mut wanted = HashMap::<u64, Vec<(usize, Position)>>::new();
    for (place, wish) in wishes.iter().enumerate() {
        for &(flow_id, from) in &wish.flows {
            wanted.entry(flow_id).or_default().push((place, from));
        }
    }
    let earliest = wanted.values().flatten().map(|(_, from)| from.0).min().unwrap_or(0);
    let mut found = vec![Taken::default(); wishes.len()];
    let mut end = (0, 0);
    for (stamp, path) in segments_in(folder)? {
        if stamp < earliest {
            continue;
        }
        // It may be gone by now: the ring goes on.
        let Ok(bytes) = fs::read(&path) else { continue };
        let (mut at, mut described) = (0, Vec::<u8>::new());
        while let Some((block, length)) = blocks::first(&bytes[at..]) {
            match block {
                Found::Interface(block) => described.extend(block),
                Found::Packet(flow_id, packet) => {
                    for &(place, from) in wanted.get(&flow_id).into_iter().flatten() {
                        if from <= (stamp, at as u64) && found[place].bytes() < limit {
                            packet.commented(&mut found[place].packets, &wishes[place].comment);
                            found[place].count += 1;
                        }
                    }
                }
                Found::Other => {}
            }
            at += length;
        }
        end = (stamp, at as u64);
        for taken in &mut found {
            taken.end_segment(&described);
        }
    }
    let counts = wishes.iter().zip(&found).map(|(wish, taken)| taken.append_to(&wish.out).ok());
    Ok((counts.collect(), end))
}

/// What one file gets.
#[derive(Clone, Default)]
struct Taken {
    /// Sections that are complete.
    sections: Vec<u8>,
    /// Packets of the segment that is being read.
    packets: Vec<u8>,
    count: u64,
}

impl Taken {
    fn bytes(&self) -> usize {
        self.sections.len() + self.packets.len()
    }

    /// The packets so far stand behind the interfaces of their segment.
    fn end_segment(&mut self, described: &[u8]) {
        if !self.packets.is_empty() {
            blocks::section(&mut self.sections);
            self.sections.extend(described);
            self.sections.append(&mut self.packets);
        }
    }

    fn append_to(&self, out: &Path) -> io::Result<u64> {
        if self.count > 0 {
            File::options().append(true).create(true).open(out)?.write_all(&self.sections)?;
        }
        Ok(self.count)
    }
}
