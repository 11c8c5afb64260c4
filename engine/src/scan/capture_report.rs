//! What is told of one capture after it was read.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::capture::{Frame, Info, MAX_PROCESSES};
use crate::link_type::link_type_name;
use crate::problem::{Problem, Problems};
use crate::wire::{NotIp, Outcome};

/// One capture's facts and problems.
#[derive(Clone, Debug, Default)]
pub struct CaptureReport {
    /// As given; `-` is standard input.
    pub path: String,
    /// Why it could not be opened.
    pub error: Option<String>,
    /// `pcap` or `pcapng`.
    pub format: &'static str,
    /// `none`, `gzip`, `zstd`, `lz4`, `xz` or `bzip2`.
    pub compression: &'static str,
    /// Names of the link types of its interfaces.
    pub link_types: Vec<String>,
    /// Names of its interfaces; empty where the capture gives none.
    pub interface_names: Vec<String>,
    /// Packets.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Their captured bytes.
    pub captured_bytes: u64,
    /// Packets that were captured shorter than they were.
    pub snapped: u64,
    /// The first of them.
    first_snapped: Frame,
    /// Lengths to which whoever reads cut packets itself, since nobody asks for more of them: no snap length did that.
    pub trimmed: Range<u32>,
    /// Packets lost, as the capture itself says.
    pub drops: u64,
    /// First packet, ns.
    pub first_ns: Option<i64>,
    /// Last packet, ns.
    pub last_ns: Option<i64>,
    /// All was read and nothing may have been lost.
    pub complete: bool,
    /// What was odd in the file and in its packets.
    pub problems: Problems,
    /// Bytes read, decompressed.
    pub size: u64,
    /// Number of the last frame, while it is being read.
    pub last_frame: u64,
}

impl CaptureReport {
    /// Of a capture that is being read.
    pub fn new(path: String) -> CaptureReport {
        CaptureReport { path, ..CaptureReport::default() }
    }

    /// Of a capture that cannot be opened.
    pub fn failed(path: String, error: String) -> CaptureReport {
        CaptureReport { path, error: Some(error), ..CaptureReport::default() }
    }

    /// Adds what was told of some of its frames, which were numbered from 1 where that is `before` + 1.
    pub fn join(&mut self, of_some: &CaptureReport, before: u64) {
        if self.snapped == 0 {
            self.first_snapped = Frame { number: of_some.first_snapped.number + before, ..of_some.first_snapped };
        }
        self.snapped += of_some.snapped;
        self.problems.join_after(&of_some.problems, before);
    }

    /// Takes what became of a frame that brought no packet.
    #[cold]
    pub fn note(&mut self, outcome: Outcome, frame: &Frame) {
        let (number, offset) = (frame.number, frame.file_offset);
        match outcome {
            Outcome::UnsupportedLinkType(link_type) => {
                self.problems.note("unsupported-link-type", true, number, offset, || {
                    format!(
                        "link type {link_type} ({}) cannot be decoded; its packets are counted and not audited",
                        link_type_name(link_type)
                    )
                });
            }
            Outcome::Malformed(error) => {
                self.problems
                    .note("malformed-packet", true, number, offset, || format!("{error}; the packet is in no flow"));
            }
            Outcome::BadHeaderChecksum => {
                self.problems.note("bad-ip-checksum", false, number, offset, || {
                    "the IPv4 header checksum is wrong; the packet is in no flow".to_owned()
                });
            }
            Outcome::NotIp { kind: kind @ (NotIp::Macsec | NotIp::WifiOpaque), .. } => {
                self.problems.note("encrypted-frame", true, number, offset, || {
                    format!("{}: its content cannot be read; it is in no flow", kind.name())
                });
            }
            Outcome::NotIp { .. } | Outcome::Ip => {}
        }
    }

    /// Takes the size of a frame; one of more than `oversized` bytes is told.
    #[inline]
    pub fn note_size(&mut self, frame: &Frame, oversized: u32) {
        if frame.len < frame.wire_len && !self.trimmed.contains(&frame.len) {
            self.note_snapped(frame);
        }
        if frame.wire_len > oversized {
            self.note_oversized(frame);
        }
    }

    /// Takes that a frame was captured shorter than it was.
    #[inline]
    fn note_snapped(&mut self, frame: &Frame) {
        self.snapped += 1;
        if self.snapped == 1 {
            self.first_snapped = *frame;
        }
    }

    /// Takes a frame that is larger than a packet on the wire.
    #[cold]
    fn note_oversized(&mut self, frame: &Frame) {
        let length = frame.wire_len;
        self.problems.note("oversized-frame", false, frame.number, frame.file_offset, || {
            format!(
                "a frame of {length} bytes: several packets that the network card takes apart or has put together \
                 (offload), or a link with a larger MTU; it counts as one packet"
            )
        });
    }

    /// Takes that so many packets were cut within TCP's or another transport's header.
    pub fn note_headers_cut(&mut self, count: u64) {
        if count > 0 {
            self.problems.push(Problem {
                name: "header-cut",
                count,
                frame: 0,
                offset: 0,
                message:
                    "the snap length leaves no whole transport header; where it is TCP's, the packet is in no flow"
                        .to_owned(),
                hides_traffic: true,
            });
        }
    }

    /// Takes a packet whose IP length is 0.
    #[cold]
    pub fn note_lengthless(&mut self, frame: &Frame) {
        self.problems.note("ip-length-zero", false, frame.number, frame.file_offset, || {
            "the IP length is 0, left to the network card (offload); the length of the frame was used".to_owned()
        });
    }

    /// Takes that names of processes were met which are not kept.
    #[cold]
    pub fn note_too_many_processes(&mut self, frame: &Frame) {
        self.problems.note("too-many-processes", false, frame.number, frame.file_offset, || {
            format!(
                "at most {MAX_PROCESSES} names of processes are kept; packets of further ones are of no known process"
            )
        });
    }

    /// Takes what kind of capture it is.
    pub fn describe(&mut self, info: &Info) {
        self.format = info.format.name();
        self.compression = info.compression.name();
        let types: BTreeSet<u16> = info.interfaces.iter().map(|interface| interface.link_type).collect();
        self.link_types = types.into_iter().map(|number| link_type_name(number).into_owned()).collect();
        self.interface_names = info.interfaces.iter().map(|interface| interface.name.clone()).collect();
    }

    /// Takes the reader's facts at the end of the capture.
    pub fn close(&mut self, info: &Info) {
        self.describe(info);
        self.packets = info.packets;
        self.bytes = info.wire_bytes;
        self.report_snapped();
        self.captured_bytes = info.captured_bytes;
        self.drops = info.interfaces.iter().map(crate::capture::Interface::drops).sum();
        self.first_ns = info.first_ns;
        self.last_ns = info.last_ns;
        self.problems.join(&info.problems);
        self.complete = info.complete && !self.problems.as_slice().iter().any(|problem| problem.hides_traffic);
    }

    /// Tells of packets that were captured shorter than they were, if there are any.
    pub fn report_snapped(&mut self) {
        if self.snapped > 0 {
            let Frame { number: frame, file_offset: offset, len, wire_len, .. } = self.first_snapped;
            self.problems.push(Problem {
                name: "snapped-packet",
                count: self.snapped,
                frame,
                offset,
                message: format!(
                    "{len} of {wire_len} bytes were captured (snap length); lengths are counted from the headers, and \
                     what needs the payload is judged only as far as it goes"
                ),
                hides_traffic: false,
            });
        }
    }
}
