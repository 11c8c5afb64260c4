//! The first kilobytes of every wanted flow on disk, in a ring of segments of which the oldest go.
//!
//! The reading thread only fills buffers. Another one writes them; where the disk is too slow for it, packets are counted
//! as lost and reading goes on. A segment is a pcapng file of its own, which any program can open.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use super::blocks::{self, Found};
use super::privileges;
use crate::capture::Frame;

/// Segments that the ring is made of: what goes at once is this part of it.
const SEGMENTS: u64 = 16;

/// Buffers that may wait for the disk (`EVIDENCE_BUFFERS`); packets of further ones are counted and lost.
pub const EVIDENCE_BUFFERS: usize = 64;

/// Bytes from which on a buffer is handed over.
const BUFFER_BYTES: usize = 256 << 10;

const SUFFIX: &str = ".pcapng";

/// Where and how much.
#[derive(Clone, Debug)]
pub struct EvidencePlan {
    /// Folder of the segments; made where it is not there.
    pub folder: PathBuf,
    /// Bytes of all segments.
    pub bytes: u64,
    /// Age at which a segment goes.
    pub age: Duration,
    /// IP bytes of a flow, both directions, of which the packets are kept.
    pub flow_bytes: u64,
}

enum Message {
    /// Interfaces known so far, for the beginning of further segments.
    Interfaces(Vec<u8>),
    /// Whole blocks.
    Blocks(Vec<u8>),
}

/// The reading thread's end of the ring.
pub(super) struct Evidence {
    sender: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
    interfaces: Vec<(u32, u16)>,
    described: Vec<u8>,
    buffer: Vec<u8>,
    buffered: u64,
    kept: u64,
    lost: Arc<AtomicU64>,
}

impl Evidence {
    /// `buffers` may wait for the disk.
    pub fn begin(plan: EvidencePlan, buffers: usize) -> io::Result<Evidence> {
        fs::create_dir_all(&plan.folder)?;
        let (sender, receiver) = sync_channel(buffers);
        let lost = Arc::new(AtomicU64::new(0));
        let mut segments = Segments { plan, file: None, header: Vec::new(), written: 0, began: SystemTime::UNIX_EPOCH };
        segments.open()?; // what cannot be written is told at once
        let theirs = Arc::clone(&lost);
        let thread = privileges::spawn("evidence", privileges::DAC_OVERRIDE, move || {
            write_all(&mut segments, &receiver, &theirs);
        })?;
        Ok(Evidence {
            sender: Some(sender),
            thread: Some(thread),
            interfaces: Vec::new(),
            described: Vec::new(),
            buffer: Vec::with_capacity(BUFFER_BYTES),
            buffered: 0,
            kept: 0,
            lost,
        })
    }

    /// Packets kept so far, and those that the disk was too slow for.
    pub fn counts(&self) -> (u64, u64) {
        (self.kept, self.lost.load(Ordering::Relaxed))
    }

    /// Takes a packet of a source.
    pub fn take(&mut self, source: u32, name: &str, frame: &Frame, memory: &[u8], flow_id: u64) {
        let key = (source, frame.link_type);
        let interface = self.interfaces.iter().position(|known| *known == key).unwrap_or_else(|| {
            self.flush();
            self.interfaces.push(key);
            let mut block = Vec::new();
            blocks::interface(&mut block, name, frame.link_type);
            self.described.extend(&block);
            self.buffer.extend(&block);
            self.flush();
            self.send(Message::Interfaces(self.described.clone()), 0);
            self.interfaces.len() - 1
        });
        blocks::packet(&mut self.buffer, interface as u32, frame.time_ns, frame.bytes(memory), frame.wire_len, flow_id);
        self.buffered += 1;
        self.kept += 1;
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush();
        }
    }

    /// Hands over what is buffered.
    pub fn flush(&mut self) {
        if !self.buffer.is_empty() {
            let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(BUFFER_BYTES));
            let packets = std::mem::take(&mut self.buffered);
            self.send(Message::Blocks(full), packets);
        }
    }

    /// Waits until all is written.
    pub fn finish(&mut self) {
        self.flush();
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    fn send(&self, message: Message, packets: u64) {
        let Some(sender) = &self.sender else { return };
        match (sender.try_send(message), packets) {
            (Ok(()), _) => {}
            // Without its interfaces a segment cannot be read: this is rare, small, and waited for.
            (Err(TrySendError::Full(message)), 0) => {
                let _ = sender.send(message);
            }
            (Err(_), packets) => {
                self.lost.fetch_add(packets, Ordering::Relaxed);
            }
        }
    }
}

/// What the writing thread has.
struct Segments {
    plan: EvidencePlan,
    file: Option<File>,
    header: Vec<u8>,
    written: u64,
    began: SystemTime,
}

fn write_all(segments: &mut Segments, receiver: &Receiver<Message>, lost: &AtomicU64) {
    while let Ok(message) = receiver.recv() {
        match message {
            Message::Interfaces(described) => segments.header = described,
            Message::Blocks(bytes) => {
                if segments.write(&bytes).is_err() {
                    // Full, or gone. The next one tries again with a new segment.
                    lost.fetch_add(count_packets(&bytes), Ordering::Relaxed);
                    segments.file = None;
                }
            }
        }
    }
}

fn count_packets(mut bytes: &[u8]) -> u64 {
    let mut count = 0;
    while let Some((found, length)) = blocks::first(bytes) {
        count += u64::from(matches!(found, Found::Packet(..)));
        bytes = &bytes[length..];
    }
    count
}

impl Segments {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let over = self.written + bytes.len() as u64 > self.plan.bytes / SEGMENTS
            || self.began.elapsed().unwrap_or_default() > self.plan.age / SEGMENTS as u32;
        if self.file.is_none() || over && self.written > 0 {
            self.open()?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
            self.written += bytes.len() as u64;
        }
        Ok(())
    }

    /// Begins a segment, and lets old ones go.
    fn open(&mut self) -> io::Result<()> {
        self.began = SystemTime::now();
        let stamp = self.began.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let path = self.plan.folder.join(format!("{stamp:020}{SUFFIX}"));
        let mut header = Vec::new();
        blocks::section(&mut header);
        header.extend(&self.header);
        let mut file = File::create(&path)?;
        if let Err(error) = file.write_all(&header) {
            // A full disk: each try would leave an empty file.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        self.file = Some(file);
        self.written = 0;
        self.prune(stamp)
    }

    fn prune(&self, now: u128) -> io::Result<()> {
        let mut left = segments_in(&self.plan.folder)?;
        let mut bytes: u64 = left.iter().map(|(_, path)| path.metadata().map_or(0, |meta| meta.len())).sum();
        // Room for the one that begins now.
        let limit = self.plan.bytes - self.plan.bytes / SEGMENTS;
        left.pop();
        for (stamp, path) in left {
            let is_old = now.saturating_sub(u128::from(stamp)) > self.plan.age.as_nanos();
            if bytes <= limit && !is_old {
                break;
            }
            bytes = bytes.saturating_sub(path.metadata().map_or(0, |meta| meta.len()));
            fs::remove_file(&path)?;
        }
        Ok(())
    }
}

/// The segments in a folder by the time of their beginning, the oldest first.
pub(super) fn segments_in(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(SUFFIX));
        if let Some(stamp) = name.filter(|name| name.len() == 20).and_then(|name| name.parse().ok()) {
            found.push((stamp, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::extraction::{Position, Wish, extract};
    use super::*;

    /// Takes one flow out; how many packets came, and where the ring ended.
    fn take(folder: &Path, out: &Path, flow: (u64, Position), comment: &str) -> (Option<u64>, Position) {
        let wish = Wish { out: out.to_owned(), comment: comment.to_owned(), flows: vec![flow] };
        let (counts, end) = extract(folder, &[wish], 1 << 20).unwrap();
        (counts[0], end)
    }

    fn plan(name: &str, bytes: u64) -> EvidencePlan {
        let folder = std::env::temp_dir().join(format!("auditor-evidence-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        EvidencePlan { folder, bytes, age: Duration::from_secs(3600), flow_bytes: 1 << 20 }
    }

    fn frame(at: usize, len: u32) -> Frame {
        Frame {
            time_ns: 1_700_000_000_123_456_789,
            number: 1,
            at,
            len,
            wire_len: len,
            link_type: 1,
            ..Frame::default()
        }
    }

    #[test]
    fn packets_of_a_flow_come_out_once_with_their_comment() {
        let plan = plan("once", 1 << 20);
        let (folder, out) = (plan.folder.clone(), plan.folder.join("finding"));
        let mut evidence = Evidence::begin(plan, EVIDENCE_BUFFERS).unwrap();
        let memory: Vec<u8> = (0..100).collect();
        for flow_id in [7, 8, 7] {
            evidence.take(0, "eth1", &frame(3, 61), &memory, flow_id);
        }
        evidence.finish();
        let (count, end) = take(&folder, &out, (7, (0, 0)), "finding");
        assert_eq!(count, Some(2));
        assert_eq!(take(&folder, &out, (7, end), "finding").0, Some(0));
        let mut capture = crate::capture::Capture::open(&out).unwrap();
        let mut frames = Vec::new();
        assert!(capture.next_frames(&mut frames, 9));
        assert_eq!(frames.len(), 2);
        assert_eq!(frames[1].time_ns, 1_700_000_000_123_456_789);
        assert_eq!(capture.bytes(&frames[1]), &memory[3..64]);
        assert!(fs::read(&out).unwrap().windows(7).any(|part| part == b"finding"));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_ring_never_takes_more_than_its_bytes() {
        let plan = plan("bytes", 1 << 20);
        let folder = plan.folder.clone();
        let mut evidence = Evidence::begin(plan, EVIDENCE_BUFFERS).unwrap();
        let memory = vec![0; 1500];
        for flow_id in 0..4000 {
            evidence.take(0, "eth1", &frame(0, 1500), &memory, flow_id);
            if flow_id % 20 == 0 {
                evidence.flush();
                std::thread::sleep(Duration::from_micros(300));
            }
        }
        evidence.finish();
        let sizes: u64 = segments_in(&folder).unwrap().iter().map(|(_, path)| path.metadata().unwrap().len()).sum();
        assert!(sizes <= 1 << 20, "{sizes}");
        assert!(sizes > 1 << 19, "{sizes}");
        assert_eq!(evidence.counts().0, 4000);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn one_reading_serves_many_files_and_one_that_cannot_be_written_spoils_no_other() {
        let plan = plan("many", 1 << 20);
        let folder = plan.folder.clone();
        let mut evidence = Evidence::begin(plan, EVIDENCE_BUFFERS).unwrap();
        for flow_id in [7, 8, 7, 9] {
            evidence.take(0, "eth1", &frame(0, 50), &[1; 60], flow_id);
        }
        evidence.finish();
        let wish = |name: &str, flows: &[u64]| Wish {
            out: folder.join(name),
            comment: name.to_owned(),
            flows: flows.iter().map(|flow_id| (*flow_id, (0, 0))).collect(),
        };
        let wishes = [wish("a", &[7, 8]), wish("no/b", &[7]), wish("c", &[7, 9])];
        assert_eq!(extract(&folder, &wishes, 1 << 20).unwrap().0, [Some(3), None, Some(3)]);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_segment_that_was_left_half_written_is_read_as_far_as_it_goes() {
        let plan = plan("half", 1 << 20);
        let (folder, out) = (plan.folder.clone(), plan.folder.join("finding"));
        let mut evidence = Evidence::begin(plan, EVIDENCE_BUFFERS).unwrap();
        for _ in 0..3 {
            evidence.take(0, "eth1", &frame(0, 50), &[1; 60], 7);
        }
        evidence.finish();
        let (_, segment) = segments_in(&folder).unwrap().pop().unwrap();
        let bytes = fs::read(&segment).unwrap();
        fs::write(&segment, &bytes[..bytes.len() - 5]).unwrap();
        assert_eq!(take(&folder, &out, (7, (0, 0)), "").0, Some(2));
        fs::remove_dir_all(&folder).unwrap();
    }
}
