//! Writes pcapng (draft-ietf-opsawg-pcapng), little-endian.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::capture::Interface;

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
/// Process information, as Apple's tcpdump writes it; no part of the draft.
const PROCESS: u32 = 0x8000_0001;
const BYTE_ORDER: u32 = 0x1A2B_3C4D;

const OPT_COMMENT: u16 = 1;
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const PROCESS_NAME: u16 = 2;
const EPB_PROCESS: u16 = 0x8001;

/// Longest comment, bytes of UTF-8: an option's length has 16 bits. Longer ones are cut.
const LONGEST_TEXT: usize = 0xffff;

/// Capture and interface in it.
pub type Place = (usize, u16);

/// A section in the making. Interfaces are described before their first packet.
pub struct Writer<W: Write> {
    out: W,
    known: HashMap<Place, (u32, u64)>, // number here, nanoseconds of a tick
    processes: HashMap<String, u32>,   // number here by name
    block: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins the section.
    pub fn new(out: W, program: &str, comment: &str) -> io::Result<Writer<W>> {
        let mut writer = Writer { out, known: HashMap::new(), processes: HashMap::new(), block: Vec::new() };
        writer.word(BYTE_ORDER);
        writer.block.extend([1, 0, 0, 0]); // version 1.0
        writer.block.extend(u64::MAX.to_le_bytes()); // length not told
        writer.text(OPT_COMMENT, comment);
        writer.text(SHB_USERAPPL, program);
        writer.end_of_options();
        writer.end(SECTION)?;
        Ok(writer)
    }

    /// Whether the interface has been described.
    pub fn knows(&self, place: Place) -> bool {
        self.known.contains_key(&place)
    }

    /// Describes an interface: link type, snap length and time resolution as they were.
    pub fn interface(&mut self, place: Place, interface: &Interface, link_type: u16, path: &str) -> io::Result<()> {
        // times are held in nanoseconds, so that coarser decimal ticks are exact and others become nanoseconds
        let resolution = if interface.resolution <= 9 { interface.resolution } else { 9 };
        let tick = 10u64.pow(9 - u32::from(resolution));
        let number = self.known.len() as u32;
        self.known.insert(place, (number, tick));
        self.block.extend(link_type.to_le_bytes());
        self.block.extend([0, 0]);
        self.word(interface.snaplen);
        if !path.is_empty() {
            self.text(OPT_COMMENT, &format!("from {path}"));
            self.text(IF_NAME, &interface.name);
        }
        self.option(IF_TSRESOL, &[resolution]);
        self.end_of_options();
        self.end(INTERFACE)
    }

    /// A frame that was never captured, on an interface of its own: an Ethernet loop test between nobody and nobody, which no
    /// reader takes for traffic. It marks a time.
    pub fn anchor(&mut self, time_ns: i64, comment: &str) -> io::Result<()> {
        const PLACE: Place = (usize::MAX, 0);
        const SHORTEST: usize = 60; // of Ethernet frames, without their checksum
        if !self.knows(PLACE) {
            let interface = Interface { name: "auditor".to_owned(), resolution: 9, ..Interface::default() };
            self.interface(PLACE, &interface, 1, "nowhere: these frames were not captured")?;
        }
        let mut frame = [0; SHORTEST];
        frame[12..14].copy_from_slice(&[0x90, 0x00]);
        self.packet(PLACE, time_ns, SHORTEST as u32, &frame, None, &[comment.to_owned()])
    }

    /// The number of the process with that name, which is described when it is first asked for. Which of the system's
    /// processes it was is not known: the number that the system gave it is 0.
    pub fn process(&mut self, name: &str) -> io::Result<u32> {
        if let Some(&number) = self.processes.get(name) {
            return Ok(number);
        }
        let number = self.processes.len() as u32;
        self.processes.insert(name.to_owned(), number);
        self.word(0);
        self.text(PROCESS_NAME, name);
        self.end_of_options();
        self.end(PROCESS)?;
        Ok(number)
    }

    /// A packet of an interface that has been described, and the number of the process that it belongs to.
    pub fn packet(
        &mut self,
        place: Place,
        time_ns: i64,
        wire_len: u32,
        bytes: &[u8],
        process: Option<u32>,
        comments: &[String],
    ) -> io::Result<()> {
        let (number, tick) = self.known.get(&place).copied().unwrap_or((0, 1));
        let ticks = (time_ns.max(0) as u64) / tick;
        self.word(number);
        self.word((ticks >> 32) as u32);
        self.word(ticks as u32);
        self.word(bytes.len() as u32);
        self.word(wire_len);
        self.block.extend_from_slice(bytes);
        self.pad();
        for comment in comments {
            self.text(OPT_COMMENT, comment);
        }
        if let Some(number) = process {
            self.option(EPB_PROCESS, &number.to_le_bytes());
        }
        if process.is_some() || !comments.is_empty() {
            self.end_of_options();
        }
        self.end(PACKET)
    }

    /// Hands on what is buffered.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn word(&mut self, number: u32) {
        self.block.extend(number.to_le_bytes());
    }

    fn pad(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    fn text(&mut self, code: u16, text: &str) {
        if !text.is_empty() {
            let mut end = text.len().min(LONGEST_TEXT);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            self.option(code, &text.as_bytes()[..end]);
        }
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        self.block.extend(code.to_le_bytes());
        self.block.extend((value.len() as u16).to_le_bytes());
        self.block.extend_from_slice(value);
        self.pad();
    }

    fn end_of_options(&mut self) {
        self.word(0);
    }

    fn end(&mut self, kind: u32) -> io::Result<()> {
        let length = (self.block.len() as u32 + 12).to_le_bytes();
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&length)?;
        self.out.write_all(&self.block)?;
        self.out.write_all(&length)?;
        self.block.clear();
        Ok(())
    }
}
