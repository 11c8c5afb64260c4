//! Frames in, packets out.

use super::fragment::{Datagram, Piece, Table};
use super::outcome::{Counts, Outcome};
use super::walk::{LAYERS, Next, Step, Stop, Walk};
use super::{
    FRAGMENT_BYTES, FRAGMENT_TABLE, NotIp, Packet, Transport, dot11, ethernet, fast, ipv4, ipv6, link, mpls, ppp,
};

/// Most tunnels within each other, as in Zeek (`Tunnel::max_depth`).
pub const DECODE_DEPTH: u8 = 4;

/// Turns frames into packets. Keeps fragments between calls, so one decoder serves one capture.
pub struct Decoder {
    max_depth: u8,
    validate_checksums: bool,
    counts: Counts,
    fragments: Table,
    /// Payloads of the datagrams handed out by the last call.
    datagrams: Vec<u8>,
}

/// What the headers' code needs beside the bytes.
pub(super) struct Context<'d> {
    pub max_depth: u8,
    pub validate_checksums: bool,
    pub counts: &'d mut Counts,
    fragments: &'d mut Table,
    out: &'d mut Vec<Packet>,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder::new(false, DECODE_DEPTH)
    }
}

impl Decoder {
    /// `validate_checksums` as Zeek does without `-C`; `max_depth` tunnels are unwrapped, at most eight, 0 for none.
    pub fn new(validate_checksums: bool, max_depth: u8) -> Decoder {
        Decoder {
            max_depth: max_depth.min(8),
            validate_checksums,
            counts: Counts::default(),
            fragments: Table::new(FRAGMENT_TABLE, FRAGMENT_BYTES),
            datagrams: Vec::new(),
        }
    }

    /// The same, that keeps no more than so many fragmented datagrams, and so many bytes of them.
    #[must_use]
    pub fn keeping(self, datagrams: usize, bytes: usize) -> Decoder {
        Decoder { fragments: Table::new(datagrams, bytes), ..self }
    }

    /// Another one that decodes as this does, and has seen nothing yet.
    pub(crate) fn alike(&self) -> Decoder {
        let Decoder { max_depth, validate_checksums, ref fragments, .. } = *self;
        Decoder { fragments: fragments.alike(), ..Decoder::new(validate_checksums, max_depth) }
    }

    /// Appends the packets of one frame to `out`, outermost first: the carrier of a UDP tunnel is a packet too,
    /// IP-level carriers (GRE, IP in IP) whose content can be read are not. The packet of a datagram comes with the
    /// fragment that makes it whole; datagrams that are given up may come with any fragment.
    ///
    /// `wire_len` is the frame's length before it was cut; `link_type` a LINKTYPE_ number.
    #[inline]
    pub fn decode(
        &mut self,
        bytes: &[u8],
        link_type: u16,
        wire_len: u32,
        time_ns: i64,
        out: &mut Vec<Packet>,
    ) -> Outcome {
        self.counts.frames += 1;
        let fast = link_type == link::ETHERNET && !self.validate_checksums;
        if fast && fast::packet(bytes, wire_len, time_ns, out).is_some() {
            self.counts.packets += 1;
            return Outcome::Ip;
        }
        self.decode_slowly(bytes, link_type, wire_len, time_ns, out)
    }

    /// Counts frames of which a [`super::Glance`] was enough.
    pub fn count_glances(&mut self, frames: u64) {
        self.counts.frames += frames;
        self.counts.packets += frames;
    }

    /// Payload bytes of the packets with `reassembled` that the last `decode` or `finish` handed out.
    pub fn datagram(&self) -> &[u8] {
        &self.datagrams
    }

    /// How many transport headers were cut by the capture since this was last asked.
    pub fn take_transport_cut(&mut self) -> u64 {
        std::mem::take(&mut self.counts.transport_cut)
    }

    /// What happened since this was last asked.
    pub(crate) fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Adds what happened to another one.
    pub(crate) fn join(&mut self, counts: &Counts) {
        self.counts.join(counts);
    }

    /// What happened so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Ends the capture: hands out the datagrams that never became whole but whose start was seen.
    pub fn finish(&mut self, out: &mut Vec<Packet>) {
        self.datagrams.clear();
        self.fragments.finish(&mut self.counts);
        self.hand_out_datagrams(out);
    }

    #[cold]
    #[inline(never)]
    fn decode_slowly(
        &mut self,
        bytes: &[u8],
        link_type: u16,
        wire_len: u32,
        time_ns: i64,
        out: &mut Vec<Packet>,
    ) -> Outcome {
        self.datagrams.clear();
        let end = bytes.len().max(wire_len as usize);
        let walk = Walk { data: bytes, end, time_ns, ..Walk::default() };
        let stop = self.context(out).run(walk, Next::LinkType(link_type));
        self.hand_out_datagrams(out);
        let outcome = match stop {
            Stop::Done => Outcome::Ip,
            Stop::NotIp(kind, ethertype) => Outcome::NotIp { kind, ethertype },
            Stop::UnsupportedLinkType(number) => Outcome::UnsupportedLinkType(number),
            Stop::BadHeaderChecksum => Outcome::BadHeaderChecksum,
            Stop::Malformed(error) => Outcome::Malformed(error),
        };
        self.counts.add(&outcome);
        outcome
    }

    fn context<'d>(&'d mut self, out: &'d mut Vec<Packet>) -> Context<'d> {
        Context {
            max_depth: self.max_depth,
            validate_checksums: self.validate_checksums,
            counts: &mut self.counts,
            fragments: &mut self.fragments,
            out,
        }
    }

    /// Decodes the datagrams that are ready. They may hold fragments themselves, and so make others ready.
    fn hand_out_datagrams(&mut self, out: &mut Vec<Packet>) {
        while let Some(Datagram { ip, walk, bytes, length, complete }) = self.fragments.ready.pop_front() {
            // Out of `self` while it is read; appended to, so that earlier packets keep their payload positions.
            let mut store = std::mem::take(&mut self.datagrams);
            let at = store.len();
            store.extend_from_slice(&bytes);
            let end = at + length as usize;
            let walk = Walk { data: &store, at, end, reassembled: true, incomplete: !complete, ..walk };
            if matches!(self.context(out).run(walk, Next::Payload(ip)), Stop::Malformed(_)) {
                self.counts.malformed += 1;
            }
            self.datagrams = store;
        }
    }
}

impl Context<'_> {
    /// Hands out a packet.
    pub fn push(&mut self, packet: Packet) {
        self.counts.packets += 1;
        match packet.transport {
            Transport::Whole => {}
            Transport::Short { cut: true, .. } => self.counts.transport_cut += 1,
            Transport::Short { cut: false, .. } => self.counts.transport_malformed += 1,
            Transport::BadChecksum => self.counts.bad_checksums += 1,
        }
        self.out.push(packet);
    }

    /// Keeps a fragment.
    pub fn fragment(&mut self, walk: &Walk, piece: &Piece) -> Stop {
        self.counts.fragments += 1;
        self.fragments.add(walk, piece, self.counts);
        Stop::Done
    }

    /// Goes into a tunnel that begins at `walk`; `None` if too many lie around it.
    pub fn enter(&mut self, mut walk: Walk, first: fn(&mut Walk) -> Step) -> Option<Stop> {
        if walk.depth >= self.max_depth {
            self.counts.depth_reached += 1;
            return None;
        }
        walk.depth += 1;
        Some(match first(&mut walk) {
            Ok(next) => self.run(walk, next),
            Err(stop) => stop,
        })
    }

    /// Goes from header to header to the end. Recursion is bounded by `max_depth`, and by one for aggregates.
    fn run(&mut self, mut walk: Walk, mut next: Next) -> Stop {
        let walk = &mut walk;
        for _ in 0..LAYERS {
            let step = match next {
                Next::LinkType(number) => link::start(walk, number),
                Next::Ethernet => ethernet::frame(walk),
                Next::EtherType(ethertype) => ethernet::payload(walk, ethertype),
                Next::Llc => ethernet::llc(walk),
                Next::Ppp => ppp::frame(walk),
                Next::Mpls => mpls::stack(walk),
                Next::Dot11 => dot11::frame(walk),
                Next::Aggregate => Err(self.aggregate(walk)),
                Next::Ip => ipv4::any(self, walk),
                Next::Payload(ip) => Err(ipv6::extensions(self, walk, ip)),
            };
            match step {
                Ok(following) => next = following,
                Err(stop) => return stop,
            }
        }
        walk.malformed("frame", 1, "number of headers, which is too large")
    }

    /// The frames of an 802.11 aggregate (A-MSDU): addresses, length, LLC, padding to four bytes.
    fn aggregate(&mut self, walk: &mut Walk) -> Stop {
        const HEADER: usize = 14;
        let mut outcome = None;
        while let Some(header) = walk.peek::<HEADER>() {
            let length = usize::from(u16::from_be_bytes([header[12], header[13]]));
            let inner = Walk { at: walk.at + HEADER, end: walk.end.min(walk.at + HEADER + length), ..*walk };
            let stop = self.run(inner, Next::Llc);
            // IP in any of them makes the frame one with IP.
            if outcome.is_none() || matches!(stop, Stop::Done) {
                outcome = Some(stop);
            }
            walk.at += (HEADER + length).next_multiple_of(4);
        }
        outcome.unwrap_or(Stop::NotIp(NotIp::WifiControl, 0))
    }
}
