//! What a capture says of itself, and what reading it found.

use super::Frame;
use super::limits::{MAX_INTERFACES, MAX_NAME};
use super::process::Processes;
use super::standing::Change;
use crate::problem::Problems;
use crate::wire::is_packet_tap;

/// Container format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// draft-ietf-opsawg-pcap.
    Pcap,
    /// draft-ietf-opsawg-pcapng.
    Pcapng,
}

impl Format {
    /// Name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Pcap => "pcap",
            Format::Pcapng => "pcapng",
        }
    }
}

/// Compression of the file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Plain.
    None,
    /// RFC 1952, one or many members.
    Gzip,
    /// RFC 8878, one or many frames.
    Zstandard,
    /// LZ4's frame format, one or many frames.
    Lz4,
    /// The .xz file format 1.2, one or many streams.
    Xz,
    /// One or many streams.
    Bzip2,
}

impl Compression {
    /// Name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstandard => "zstd",
            Compression::Lz4 => "lz4",
            Compression::Xz => "xz",
            Compression::Bzip2 => "bzip2",
        }
    }
}

/// One capture point of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Name in the file, at most [`MAX_NAME`] bytes of it; empty when it has none.
    pub name: String,
    /// Link type (LINKTYPE_ number).
    pub link_type: u16,
    /// Captured bytes per frame at most; 0 is no limit.
    pub snaplen: u32,
    /// As pcapng writes it: a negative power of ten, or of two with the high bit set (6: microseconds).
    pub resolution: u8,
    /// Packets the interface received by the last statistics block.
    pub received: Option<u64>,
    /// Packets lost for want of resources in the interface, by the last statistics block.
    pub dropped_by_interface: Option<u64>,
    /// Packets lost in the operating system, by the last statistics block.
    pub dropped_by_system: Option<u64>,
    /// Packets lost by the counts in the packet blocks themselves, summed.
    pub dropped_between_packets: u64,
}

impl Interface {
    /// Packets the capture lost here by its own word. Statistics and packet blocks may tell of the
    /// same loss, so it is the larger of the two.
    pub fn drops(&self) -> u64 {
        let counted = self.dropped_by_interface.unwrap_or(0).saturating_add(self.dropped_by_system.unwrap_or(0));
        counted.max(self.dropped_between_packets)
    }
}

/// The facts of one capture.
#[derive(Clone, Debug)]
pub struct Info {
    /// Container format.
    pub format: Format,
    /// Compression around it.
    pub compression: Compression,
    /// Whether some time stamps are finer than microseconds.
    pub nanoseconds: bool,
    /// Interfaces in the order of the file, over all sections; one for pcap. Bounded by [`MAX_INTERFACES`].
    pub interfaces: Vec<Interface>,
    /// Frames handed out.
    pub packets: u64,
    /// Their captured bytes.
    pub captured_bytes: u64,
    /// Their bytes on the wire.
    pub wire_bytes: u64,
    /// Earliest time among them, nanoseconds since 1970; `None` without frames.
    pub first_ns: Option<i64>,
    /// Latest time among them.
    pub last_ns: Option<i64>,
    /// Whether all was read to the end and nothing may have been lost. `false` until the end is reached.
    pub complete: bool,
    /// What was odd.
    pub problems: Problems,
    /// Names of the processes that the file describes; [`Frame::process`] refers to them.
    pub processes: Processes,
    /// Whether packets may tell whose they are: by the file's processes, or by a header of their own.
    pub names_processes: bool,
    /// Number of the last frame, as Wireshark counts: other records with a number are counted too.
    pub(super) number: u64,
}

impl Info {
    pub(super) fn new(format: Format, compression: Compression) -> Info {
        Info {
            format,
            compression,
            nanoseconds: false,
            interfaces: Vec::new(),
            packets: 0,
            captured_bytes: 0,
            wire_bytes: 0,
            first_ns: None,
            last_ns: None,
            complete: false,
            problems: Problems::default(),
            processes: Processes::default(),
            names_processes: false,
            number: 0,
        }
    }

    /// Counts frames that were handed out.
    #[inline]
    pub(super) fn tally(&mut self, frames: &[Frame]) {
        let [one, ..] = frames else { return };
        let mut first = self.first_ns.unwrap_or(one.time_ns);
        let mut last = self.last_ns.unwrap_or(one.time_ns);
        let (mut captured, mut wire) = (0, 0);
        let mut late = 0;
        for frame in frames {
            late += u64::from(frame.time_ns < last);
            captured += u64::from(frame.len);
            wire += u64::from(frame.wire_len);
            first = first.min(frame.time_ns);
            last = last.max(frame.time_ns);
        }
        if late > 0 {
            self.note_late(frames, late);
        }
        self.packets += frames.len() as u64;
        self.captured_bytes += captured;
        self.wire_bytes += wire;
        self.first_ns = Some(first);
        self.last_ns = Some(last);
    }

    /// Reports frames that are older than one before them; called before their times are taken.
    #[cold]
    fn note_late(&mut self, frames: &[Frame], late: u64) {
        let mut last = self.last_ns.unwrap_or(i64::MIN);
        for frame in frames {
            if frame.time_ns < last {
                self.problems.note_many("out-of-order", late, frame.number, frame.file_offset, || {
                    let by = last.saturating_sub(frame.time_ns);
                    format!("its time is {by} ns before that of a frame ahead of it; every packet is taken as it comes")
                });
                return;
            }
            last = last.max(frame.time_ns);
        }
    }

    /// Adds an interface; its index, or `None` when there are too many.
    pub(super) fn add_interface(&mut self, interface: Interface) -> Option<u16> {
        if self.interfaces.len() >= MAX_INTERFACES {
            return None;
        }
        self.names_processes |= is_packet_tap(interface.link_type);
        self.interfaces.push(interface);
        Some((self.interfaces.len() - 1) as u16)
    }

    /// Reports, once the end is reached, what the interfaces say they lost.
    pub(super) fn note_drops(&mut self, offset: u64) {
        for (index, interface) in self.interfaces.iter().enumerate() {
            let drops = interface.drops();
            if drops > 0 {
                self.problems.note("packets-dropped", true, self.number, offset, || {
                    let name = match interface.name.as_str() {
                        "" => String::new(),
                        name => format!(" ({name})"),
                    };
                    format!(
                        "interface {index}{name} says that the capture lost {drops} packets; \
                         what they carried is unknown, and the capture counts as incomplete"
                    )
                });
            }
        }
    }

    /// Reports, once the end is reached, that the file changed while it was read.
    pub(super) fn note_change(&mut self, change: &Change, offset: u64) {
        match *change {
            Change::Grown { from, to, read } => self.problems.note("still-written", false, self.number, offset, || {
                format!(
                    "the file grew from {from} to {to} bytes while it was read: it is still being written; {read} of them \
                     were read, what comes later is not in here"
                )
            }),
            Change::Rewritten { from, to, read } => self.problems.note("rewritten", true, self.number, offset, || {
                format!(
                    "the file had {from} bytes, was cut or begun anew while it was read, and has {to} now; what it held \
                     behind byte {read} before is not in here"
                )
            }),
        }
    }
}

/// A name from a file: cut to [`MAX_NAME`] bytes, anything that is no text replaced.
pub(super) fn name(bytes: &[u8]) -> String {
    let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(&text[..text.len().min(MAX_NAME)]).into_owned()
}
