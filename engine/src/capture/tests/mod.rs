//! The reader on real bytes, built here field by field.

mod compression;
mod damage;
mod numbering;
mod parts;
mod pcap;
mod pcapng;
mod processes;
mod standing;

use std::io::{Cursor, Read};
use std::path::PathBuf;

use super::order::Order;
use super::{Capture, Frame, Info, OpenError};

/// A time that a capture of our days may have.
const START: u32 = 1_700_000_000;

/// Bytes of a file in the making.
struct Bytes {
    order: Order,
    bytes: Vec<u8>,
}

impl Bytes {
    fn new(order: Order) -> Bytes {
        Bytes { order, bytes: Vec::new() }
    }

    fn u16(mut self, value: u16) -> Bytes {
        self.bytes.extend(if self.order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn u32(mut self, value: u32) -> Bytes {
        self.bytes.extend(if self.order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn u64(mut self, value: u64) -> Bytes {
        self.bytes.extend(if self.order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Bytes {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A pcap file header: microseconds, Ethernet, version 2.4.
    fn pcap(order: Order) -> Bytes {
        Bytes::pcap_with(order, 0xa1b2_c3d4, 262_144, 1)
    }

    fn pcap_with(order: Order, magic: u32, snaplen: u32, network: u32) -> Bytes {
        Bytes::new(order).u32(magic).u16(2).u16(4).u64(0).u32(snaplen).u32(network)
    }

    fn record(self, seconds: u32, fraction: u32, packet: &[u8]) -> Bytes {
        let len = packet.len() as u32;
        self.u32(seconds).u32(fraction).u32(len).u32(len).raw(packet)
    }

    /// `count` records of 60 bytes, a second apart, each filled with its number.
    fn records(self, first: u32, count: u32) -> Bytes {
        (first..first + count).fold(self, |file, number| file.record(START + number, 5, &[number as u8; 60]))
    }

    fn block(self, kind: u32, body: &[u8]) -> Bytes {
        let padded = body.len().next_multiple_of(4);
        let total = padded as u32 + 12;
        self.u32(kind).u32(total).raw(body).raw(&vec![0; padded - body.len()]).u32(total)
    }

    /// A section block; the byte order holds from there on.
    fn section(mut self, order: Order) -> Bytes {
        self.order = order;
        self.block(0x0a0d_0d0a, &Bytes::new(order).u32(0x1a2b_3c4d).u16(1).u16(0).u64(u64::MAX).bytes)
    }

    fn interface(self, link_type: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Bytes {
        let body = Bytes::new(self.order).u16(link_type).u16(0).u32(snaplen).options(options).bytes;
        self.block(1, &body)
    }

    fn options(self, options: &[(u16, &[u8])]) -> Bytes {
        options.iter().fold(self, |file, (code, value)| {
            let pad = value.len().next_multiple_of(4) - value.len();
            file.u16(*code).u16(value.len() as u16).raw(value).raw(&vec![0; pad])
        })
    }

    fn packet(self, interface: u32, ticks: u64, packet: &[u8]) -> Bytes {
        self.packet_with(interface, ticks, packet, packet.len() as u32, &[])
    }

    fn packet_with(self, interface: u32, ticks: u64, packet: &[u8], wire_len: u32, options: &[(u16, &[u8])]) -> Bytes {
        let pad = packet.len().next_multiple_of(4) - packet.len();
        let head = Bytes::new(self.order).u32(interface).u32((ticks >> 32) as u32).u32(ticks as u32);
        let body = head.u32(packet.len() as u32).u32(wire_len).raw(packet).raw(&vec![0; pad]).options(options).bytes;
        self.block(6, &body)
    }

    /// A section of one Ethernet interface and `count` packets of 60 bytes, each filled with its number.
    fn pcapng(order: Order, count: u32) -> Bytes {
        let file = Bytes::new(order).section(order).interface(1, 0, &[]);
        (1..=count).fold(file, |file, number| file.packet(0, u64::from(number), &[number as u8; 60]))
    }
}

/// Everything a capture gave.
struct Reading {
    frames: Vec<Frame>,
    packets: Vec<Vec<u8>>,
    info: Info,
}

impl Reading {
    fn problems(&self) -> Vec<&'static str> {
        self.info.problems.as_slice().iter().map(|problem| problem.name).collect()
    }

    fn times(&self) -> Vec<i64> {
        self.frames.iter().map(|frame| frame.time_ns).collect()
    }

    fn numbers(&self) -> Vec<u64> {
        self.frames.iter().map(|frame| frame.number).collect()
    }

    /// First byte of every packet, by which the tests tell them apart.
    fn firsts(&self) -> Vec<u8> {
        self.packets.iter().map(|packet| packet[0]).collect()
    }

    /// Name, frame and offset of the only problem.
    fn only_problem(&self) -> (&'static str, u64, u64, bool) {
        let [problem] = self.info.problems.as_slice() else { panic!("{:?}", self.info.problems) };
        (problem.name, problem.frame, problem.offset, problem.hides_traffic)
    }
}

fn open(bytes: &[u8]) -> Result<Capture, OpenError> {
    Capture::from_reader(Box::new(Cursor::new(bytes.to_vec())))
}

fn drain(mut capture: Capture, batch: usize) -> Reading {
    let (mut batch_frames, mut frames, mut packets) = (Vec::new(), Vec::new(), Vec::new());
    while capture.next_frames(&mut batch_frames, batch) {
        packets.extend(batch_frames.iter().map(|frame| capture.bytes(frame).to_vec()));
        frames.append(&mut batch_frames);
    }
    Reading { frames, packets, info: capture.info().clone() }
}

fn read(bytes: &[u8]) -> Reading {
    drain(open(bytes).expect("the test's bytes begin like a capture"), 3)
}

fn refusal(bytes: &[u8]) -> String {
    match open(bytes) {
        Ok(_) => panic!("expected a refusal"),
        Err(error) => error.to_string(),
    }
}

/// Gives at most `step` bytes at a time, as a pipe may.
struct Trickle {
    bytes: Cursor<Vec<u8>>,
    step: usize,
}

impl Read for Trickle {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = out.len().min(self.step);
        self.bytes.read(&mut out[..count])
    }
}

/// A file for one test, gone after it.
struct Kept(PathBuf);

impl Kept {
    fn new(name: &str, bytes: &[u8]) -> Kept {
        let path = std::env::temp_dir().join(format!("auditor-capture-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).expect("a folder that takes files");
        Kept(path)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Nothing is worse for a file that stays.
        let _ = std::fs::remove_file(&self.0);
    }
}
