//! Files read in parts, against the same files read in turn.

use super::super::{Format, Part};
use super::*;

/// Numbers that look random and are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.below(256) as u8).collect()
    }
}

/// All frames, where what follows on some that were read in turn comes in parts as long as that goes. And how many did.
fn in_parts(mut capture: Capture, chance: &mut Random) -> (Reading, usize) {
    let (mut frames, mut packets, mut batch, mut from_parts) = (Vec::new(), Vec::new(), Vec::new(), 0);
    while capture.next_frames(&mut batch, 1 + chance.below(4)) {
        packets.extend(batch.iter().map(|frame| capture.bytes(frame).to_vec()));
        frames.append(&mut batch);
        let Some(parts) = capture.parts() else { continue };
        let size = 1 + chance.below(900) as u64;
        let mut part = Part::default();
        for (number, from) in (parts.offset()..u64::MAX).step_by(size as usize).enumerate() {
            parts.read(from, from + size, number == 0, &mut part).expect("the file can be read");
            if !capture.take(&mut part) {
                break;
            }
            assert_eq!(capture.info().number, part.frames[part.frames.len() - 1].number);
            packets.extend(part.frames.iter().map(|frame| frame.bytes(&part.memory).to_vec()));
            from_parts += part.frames.len();
            frames.append(&mut part.frames);
        }
    }
    (Reading { frames, packets, info: capture.info().clone() }, from_parts)
}

/// A capture with records of many lengths, some of them odd; `sound`: none are.
fn made(format: Format, order: Order, chance: &mut Random, sound: bool) -> Vec<u8> {
    let mut file = match format {
        Format::Pcap => Bytes::pcap(order),
        Format::Pcapng => Bytes::new(order).section(order).interface(1, 0, &[]),
    };
    for number in 0..200 {
        let most = if chance.below(9) == 0 { 2_000 } else { 90 };
        let packet = chance.bytes(most);
        let (seconds, fraction) = (START + number, chance.below(1_000_000) as u32);
        let odd = if sound { 0 } else { chance.below(60) };
        file = match (format, odd) {
            (_, 1) => file.raw(&chance.bytes(200)),
            (_, 2) => file.raw(&[0; 40]),
            (Format::Pcap, 3) => file.raw(&Bytes::pcap_with(order, 0xa1b2_3c4d, 65_535, 113).bytes),
            (Format::Pcap, 4) => file.u32(seconds).u32(fraction).u32(60).u32(40).raw(&[7; 60]),
            (Format::Pcap, _) => file.record(seconds, fraction, &[&[1], &packet[..]].concat()),
            (Format::Pcapng, 3) => file.section(order).interface(113, 0, &[(9, &[9])]),
            (Format::Pcapng, 4) => file.packet_with(0, 5, &packet, 3_000, &[(4, &[1, 0, 0, 0, 0, 0, 0, 1])]),
            (Format::Pcapng, 5) => file.interface(1, 96, &[]),
            (Format::Pcapng, 6) => file.block(4, &[0; 4]),
            (Format::Pcapng, _) => file.packet(0, u64::from(seconds) * 1_000_000 + u64::from(fraction), &packet),
        };
    }
    if !sound && chance.below(2) == 0 {
        file.bytes.truncate(file.bytes.len() - chance.below(100));
    }
    file.bytes
}

#[test]
fn a_file_read_in_parts_gives_what_it_gives_in_turn() {
    let mut chance = Random(7);
    let (mut in_turn, mut apart) = (0, 0);
    for round in 0..160 {
        let format = [Format::Pcap, Format::Pcapng][round % 2];
        let order = [Order::Little, Order::Big][round / 2 % 2];
        let sound = round % 3 == 0;
        let file = Kept::new("parts", &made(format, order, &mut chance, sound));
        let open = || Capture::open(&file.0).expect("the test's bytes begin like a capture");
        let wanted = drain(open(), 7);
        let (got, from_parts) = in_parts(open(), &mut chance);

        let places = |reading: &Reading| {
            let place = |frame: &Frame| (frame.number, frame.time_ns, frame.file_offset, frame.len, frame.wire_len);
            let source = |frame: &Frame| (frame.link_type, frame.interface);
            reading.frames.iter().map(|frame| (place(frame), source(frame))).collect::<Vec<_>>()
        };
        assert_eq!(places(&got), places(&wanted), "round {round}");
        assert_eq!(got.packets, wanted.packets, "round {round}");
        assert_eq!(format!("{:?}", got.info), format!("{:?}", wanted.info), "round {round}");
        in_turn += wanted.frames.len() - from_parts;
        apart += from_parts;
    }
    assert!(in_turn > 1_000, "what is odd is read in turn");
    assert!(apart > 20_000, "{apart} frames came in parts");
}

#[test]
fn only_plain_files_have_parts() {
    let bytes = Bytes::pcap(Order::Little).records(1, 40).bytes;
    let begun = |mut capture: Capture| {
        assert!(capture.next_frames(&mut Vec::new(), 1));
        capture
    };
    let file = Kept::new("plain.pcap", &bytes);
    assert!(begun(Capture::open(&file.0).expect("a capture")).parts().is_some());
    assert!(begun(open(&bytes).expect("a capture")).parts().is_none(), "a stream is read once");
    let packed = Kept::new("packed.pcap", &lz4(&bytes));
    assert!(begun(Capture::open(&packed.0).expect("a capture")).parts().is_none(), "offsets are those of the content");
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    std::io::Write::write_all(&mut encoder, bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}
