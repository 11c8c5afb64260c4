//! What holds for any bytes. The fuzz targets and the replay of their corpora share these.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use auditor_engine::app::{Conversation, Event, Expected, Kind, Piece, Reassembler, Sample, Side, Target, dns, relay};
use auditor_engine::capture::{Capture, Frame, Part};
use auditor_engine::interest::Interest;
use auditor_engine::room::Room;
use auditor_engine::scan::{Options, Scan, Step, Totals, Wishes};
use auditor_engine::wire::{Decoder, Packet, Transport};

/// A property: takes any bytes and panics where it does not hold.
pub type Property = fn(&[u8]);

/// Every property by the name of its target and of its folder in `corpus`.
pub const ALL: [(&str, Property); 14] = [
    ("ftp", |data| conversation(Kind::Ftp, data)),
    ("socks", |data| conversation(Kind::Socks, data)),
    ("http_connect", |data| conversation(Kind::HttpConnect, data)),
    ("tls", |data| conversation(Kind::Tls, data)),
    ("dns_tcp", |data| conversation(Kind::DnsTcp, data)),
    ("sniffed", |data| conversation(Kind::Unknown, data)),
    ("dns_message", dns_message),
    ("relay", relayed),
    ("reassembler", reassembler),
    ("sample", sample),
    ("decode_never_panics", decode_never_panics),
    ("capture_never_panics", capture_never_panics),
    ("parts_make_the_capture", parts_make_the_capture),
    ("flow_table_conserves_packets", flow_table_conserves_packets),
];

/// The property of that name.
#[must_use]
pub fn of(name: &str) -> Property {
    let found = ALL.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no property is called {name}")).1
}

/// What happens on a connection, in order.
enum Turn<'a> {
    Bytes(Side, &'a [u8]),
    Gap(Side),
}

/// Reads turns: one byte with the sender (bit 7: the server), a gap (bit 6) and the length of the bytes behind it (bits 0 to 5).
fn turns(mut data: &[u8]) -> Vec<Turn<'_>> {
    let mut turns = Vec::new();
    while let Some((&head, rest)) = data.split_first() {
        let side = if head & 0x80 == 0 { Side::Client } else { Side::Server };
        if head & 0x40 != 0 {
            turns.push(Turn::Gap(side));
        }
        let (bytes, rest) = rest.split_at(rest.len().min(usize::from(head & 0x3f)));
        turns.push(Turn::Bytes(side, bytes));
        data = rest;
    }
    turns
}

/// A parser tells the same however segments are cut, tells not much more than it was fed, and is silent once it is done.
fn conversation(kind: Kind, data: &[u8]) {
    let kinds = [(21, Kind::Ftp), (1080, Kind::Socks), (8080, Kind::HttpConnect)];
    let everywhere = Interest::new(&[(0, u128::MAX)], &[]);
    let expected = Arc::new(Expected::new(&kinds).sampling(Some(everywhere), &[]));
    let (mut whole, mut bytewise) =
        (Conversation::for_port_kind(kind, &expected), Conversation::for_port_kind(kind, &expected));
    let (mut told, mut told_bytewise) = (Vec::new(), Vec::new());
    for turn in turns(data) {
        let (before, done) = (told.len(), whole.done());
        match turn {
            Turn::Bytes(side, bytes) => {
                whole.feed(side, bytes, &mut told);
                bytes.chunks(1).for_each(|byte| bytewise.feed(side, byte, &mut told_bytewise));
            }
            Turn::Gap(side) => {
                whole.gap(side, &mut told);
                bytewise.gap(side, &mut told_bytewise);
            }
        }
        assert!(!done || told.len() == before, "told after the end: {:?}", &told[before..]);
        assert_eq!(told, told_bytewise);
    }
    let sampled = |conversation: &Conversation| {
        conversation.samples().map(|samples| samples.each_ref().map(|sample| (sample.bytes(), sample.is_tls())))
    };
    assert_eq!(sampled(&whole), sampled(&bytewise));
    assert!(told.len() <= 2 * data.len() + 2, "{} events of {} bytes", told.len(), data.len());
    told.iter().for_each(check_names);
}

/// A message of any length: at most its errors, its limits and one query or answer.
fn dns_message(data: &[u8]) {
    let mut told = Vec::new();
    dns::message(data, data.len() as u32, &mut told);
    dns::message(data, data.len() as u32 + 1, &mut told);
    dns::message(data, data.len() as u32 / 2, &mut told);
    assert!(told.len() <= 12);
    told.iter().for_each(check_names);
}

/// A relayed datagram names somebody only where a look at its first bytes says that it may; names can be printed.
fn relayed(data: &[u8]) {
    if let Some((target, port)) = relay::datagram(data) {
        assert!(relay::may_be(data));
        check_names(&Event::SocksDatagram { from_client: true, target, port });
    }
}

/// Names can be printed on any terminal.
fn check_names(event: &Event) {
    let printable = |name: &String| assert!(name.bytes().all(|byte| byte.is_ascii_graphic()), "{name:?}");
    match event {
        Event::SocksDatagram { target: Target::Name(name), .. }
        | Event::SocksRequest { target: Target::Name(name), .. }
        | Event::HttpConnect { target: Target::Name(name), .. }
        | Event::DnsQuery { name, .. }
        | Event::TlsClientHello { sni: Some(name), .. } => printable(name),
        Event::DnsAnswer { name, cnames, .. } => {
            printable(name);
            cnames.iter().for_each(printable);
        }
        _ => {}
    }
}

/// What a reassembler handed out: bytes with their places in the stream.
#[derive(Default)]
struct Came {
    place: usize,
    bytes: Vec<(usize, u8)>,
}

impl Came {
    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Bytes(bytes) => {
                self.bytes.extend((self.place..).zip(bytes.iter().copied()));
                self.place += bytes.len();
            }
            Piece::Gap(bytes) => {
                assert!(bytes > 0);
                self.place += bytes as usize;
            }
        }
    }
}

/// Segments, acknowledgements and FINs: what comes out is what a plain array says.
///
/// Four bytes each: kind (bits 6 and 7) and how much the snap length cut (bits 0 to 2), place (two bytes; the sequence
/// numbers wrap in its middle), length.
fn reassembler(data: &[u8]) {
    const FIRST: u32 = u32::MAX - 0x7fff;
    let mut stream = Reassembler::new();
    let mut expected: Vec<Option<u8>> = vec![None; 0x1_0200];
    let (mut came, mut lossless) = (Came::default(), true);
    stream.begin(FIRST);
    for (number, four) in data.chunks_exact(4).take(200).enumerate() {
        let &[kind, high, low, len] = four else { continue };
        let at = usize::from(u16::from_be_bytes([high, low]));
        let sequence = FIRST.wrapping_add(at as u32);
        match kind >> 6 {
            3 => {
                lossless = false;
                stream.acknowledged(sequence, |piece| came.take(piece));
            }
            2 => stream.fin(sequence),
            _ => {
                let cut = usize::from(len) * usize::from(kind & 7) / 14;
                lossless &= cut == 0;
                let captured = vec![number as u8; usize::from(len) - cut];
                // The first bytes stay; what was handed on or given up does not come again.
                for (place, byte) in expected.iter_mut().enumerate().skip(at).take(captured.len()) {
                    if place >= came.place {
                        byte.get_or_insert(number as u8);
                    }
                }
                stream.segment(sequence, &captured, len.into(), |piece| came.take(piece));
            }
        }
    }
    stream.finish(|piece| came.take(piece));
    assert_eq!(stream.limits_reached(), 0);
    assert!(came.bytes.is_sorted_by_key(|&(place, _)| place));
    for &(place, byte) in &came.bytes {
        assert_eq!(expected[place], Some(byte), "at {place}");
    }
    // A tail that was cut may hide a byte that comes later, and so may an acknowledgement.
    assert!(!lossless || came.bytes.len() == expected.iter().flatten().count());
}

/// A sampler counts no more than it should, and entropy is one.
fn sample(data: &[u8]) {
    let mut sample = Sample::new(1000);
    for piece in data.chunks(100) {
        sample.feed(piece);
        if piece[0] == 0 {
            sample.gap(piece.len() as u64);
        }
    }
    assert_eq!(sample.bytes() as usize, data.len().min(1000));
    assert!((0.0..=8.0).contains(&sample.entropy()));
}

/// Frames of any link type: no panic, payloads lie within their frames, packets are counted.
///
/// Two bytes of link type, then frames, each behind a length of two bytes.
fn decode_never_panics(data: &[u8]) {
    let Some((link_type, mut rest)) = data.split_first_chunk() else { return };
    let link_type = u16::from_be_bytes(*link_type);
    let (mut decoder, mut packets, mut count) = (Decoder::default(), Vec::new(), 0);
    let mut time_ns = 0;
    while let Some((length, after)) = rest.split_first_chunk() {
        let (frame, after) = after.split_at(after.len().min(u16::from_be_bytes(*length).into()));
        rest = after;
        packets.clear();
        decoder.decode(frame, link_type, u16::from_be_bytes(*length).into(), time_ns, &mut packets);
        time_ns += 40_000_000_000;
        count += packets.len() as u64;
        for packet in &packets {
            let bytes = if packet.reassembled { decoder.datagram() } else { frame };
            let end = packet.payload_at as usize + packet.payload_captured as usize;
            assert!(end <= bytes.len(), "{packet:?}");
        }
    }
    packets.clear();
    decoder.finish(&mut packets);
    assert_eq!(decoder.counts().packets, count + packets.len() as u64);
}

/// A file of any content: no panic, every frame's bytes are there, and frames are counted.
fn capture_never_panics(data: &[u8]) {
    let Ok(mut capture) = Capture::from_reader(Box::new(Cursor::new(data.to_vec()))) else { return };
    let (mut frames, mut count) = (Vec::new(), 0);
    while capture.next_frames(&mut frames, 7) {
        count += frames.len() as u64;
        for frame in &frames {
            assert_eq!(capture.bytes(frame).len(), frame.len as usize);
            assert!(frame.wire_len >= frame.len);
        }
    }
    assert_eq!(capture.info().packets, count);
}

/// A file read in parts of a size that its first byte tells, wherever that goes, gives the frames that it gives in turn; the
/// bytes behind are the file.
fn parts_make_the_capture(data: &[u8]) {
    let Some((&size, bytes)) = data.split_first() else { return };
    let place = |frame: &Frame| (frame.number, frame.file_offset, frame.time_ns, frame.len, frame.wire_len);
    let file = Kept::new(bytes);
    let (Ok(mut in_turn), Ok(mut capture)) = (Capture::open(&file.0), Capture::open(&file.0)) else { return };
    let (mut frames, mut expected, mut found) = (Vec::new(), Vec::new(), Vec::new());
    while in_turn.next_frames(&mut frames, 7) {
        expected.extend(frames.iter().map(place));
    }
    let (mut part, size) = (Part::default(), 1 + 4 * u64::from(size));
    while capture.next_frames(&mut frames, 1) {
        found.extend(frames.iter().map(place));
        let Some(parts) = capture.parts() else { continue };
        let mut from = parts.offset();
        while parts.read(from, from + size, from == parts.offset(), &mut part).is_ok() && capture.take(&mut part) {
            assert!(part.frames.iter().all(|frame| frame.bytes(&part.memory).len() == frame.len as usize));
            found.extend(part.frames.iter().map(place));
            from += size;
        }
    }
    assert_eq!(found, expected);
    assert_eq!(format!("{:?}", capture.info()), format!("{:?}", in_turn.info()));
}

/// Whatever a capture holds, each packet is in one flow, or in what was put aside, or a copy of one that is. A copy may be
/// in its flow all the same: it is left out only where a mirror port was at work.
///
/// Not counted are those that the table leaves out on purpose: wrong checksums, and TCP headers that are cut or lie. The
/// first byte says which flows are wanted (bit 0: TCP port 80 only), whether others are kept (bit 1), whether checksums
/// are validated (bit 2) and how many flows may be alive (above); then a capture.
fn flow_table_conserves_packets(data: &[u8]) {
    let Some((&choice, capture)) = data.split_first() else { return };
    let options = Options {
        interest: (choice & 1 == 1).then(|| Interest::new(&[], &[80])),
        keep_all: choice & 2 == 0,
        validate_checksums: choice & 4 != 0,
        room: Room { active_flows: 1 + usize::from(choice >> 3), ..Room::default() },
        wishes: Wishes {
            kinds: vec![(21, Kind::Ftp), (53, Kind::DnsTcp), (80, Kind::HttpConnect), (1080, Kind::Socks)],
            samples: Some(Interest::new(&[(0, u128::MAX)], &[])),
            names: vec!["www.example.com".into()],
        },
        ..Options::default()
    };
    let decoder = Decoder::new(options.validate_checksums, options.decode_depth);
    let believable = believable_packets(decoder, capture);
    let without = counted(capture, options.clone());
    assert!(without.flow_packets <= believable && believable <= without.flow_packets + without.copies);
    let with = counted(capture, Options { keep_duplicates: true, ..options });
    assert_eq!((with.flow_packets, with.copies), (believable, 0));
}

/// What a scan of the capture counts.
fn counted(capture: &[u8], options: Options) -> Totals {
    let file = Kept::new(capture);
    let mut scan = Scan::new(vec![file.0.to_string_lossy().into_owned()], options);
    while !matches!(scan.step(100), Step::End) {}
    scan.totals()
}

/// A file, as long as somebody reads it.
struct Kept(PathBuf);

impl Kept {
    fn new(bytes: &[u8]) -> Kept {
        let name = format!("auditor-fuzz-{}-{:?}", std::process::id(), std::thread::current().id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).expect("the folder for temporary files takes a file");
        Kept(path)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // The next one overwrites it.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Packets of a capture that count.
fn believable_packets(mut decoder: Decoder, capture: &[u8]) -> u64 {
    let Ok(mut capture) = Capture::from_reader(Box::new(Cursor::new(capture.to_vec()))) else { return 0 };
    let (mut frames, mut packets) = (Vec::new(), Vec::new());
    while capture.next_frames(&mut frames, 64) {
        for frame in &frames {
            decoder.decode(capture.bytes(frame), frame.link_type, frame.wire_len, frame.time_ns, &mut packets);
        }
    }
    decoder.finish(&mut packets);
    let counts = |packet: &&Packet| match packet.transport {
        Transport::Whole => true,
        Transport::Short { .. } => packet.protocol != 6,
        Transport::BadChecksum => false,
    };
    packets.iter().filter(counts).count() as u64
}
