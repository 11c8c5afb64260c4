//! Packets that a mirror port delivers twice.
//!
//! A SPAN port that copies what enters and what leaves a switch shows a packet twice; one that sees both sides of a
//! router shows it again with another VLAN, other link addresses, a smaller hop limit and so another IP checksum. The
//! second is a *copy*: it is counted and goes no further, so that it is neither traffic nor a retransmission.
//!
//! A retransmission is a new packet with old data, and real. What tells the two apart:
//!
//! - **The IP identification.** Every packet that is sent gets a new one, and its copies keep it. With the same sequence
//!   and acknowledgement numbers, flags, window, length and transport checksum (which covers the TCP timestamps and the
//!   payload), within [`COPY_WINDOW_NS`] and [`COPY_WINDOW_PACKETS`], there is no doubt. Some senders give every packet
//!   the same number, or none (RFC 6864 lets them, where the packet must not be fragmented), and IPv6 has none. Then:
//! - **The way it took.** Another hop limit, VLAN or interface than the first: it came past a second time.
//! - **Time.** No timer of TCP repeats a segment within [`COPY_INSTANT_NS`], and what the other end provokes has its
//!   packets in between. So a segment with payload, SYN or FIN that comes twice at once is a copy; so is an ICMP
//!   message: echoes are numbered, and errors quote a packet that is.
//!
//! Without any of these nothing is dropped: acknowledgements, resets and datagrams without identification repeat
//! themselves for good reasons (RFC 5681, 2: duplicate acknowledgements), and look just like copies.
//!
//! - **A mirror port is steady.** What it copies it copies all along. Of a flow a packet or two of which came twice, none
//!   was mirrored: a host showed its own SYN twice, a switch flooded a multicast. Nothing is wrong with the capture then,
//!   and when the flow ends they are counted as what they are, packets (`MIRRORED_PACKETS`, `MIRRORED_SHARE`).
//!
//! The last packets stand in a ring, found by a hash of what they carry. That is cheaper than to keep them with the flow:
//! the ring stays in the cache, the flows do not. It also serves traffic that has no flow.

use super::key::{Side, protocol};
use super::tcp::flag;
use crate::wire::{Packet, Transport};

/// A copy comes this soon after its packet (`COPY_WINDOW_NS`), 50 ms: what packet brokers allow by default. A firewall
/// passes packets on within a few; retransmission timers wait for 200 and more.
pub const COPY_WINDOW_NS: i64 = 50_000_000;

/// So many packets may lie between a packet and its copy at most (`COPY_WINDOW_PACKETS`).
pub const COPY_WINDOW_PACKETS: usize = 512;

/// Packets without identification that come again this soon were not sent again (`COPY_INSTANT_NS`), 1 ms: the shortest
/// timer, Linux's tail loss probe, waits for two.
pub const COPY_INSTANT_NS: i64 = 1_000_000;

/// Copies that a flow of a mirror port has at least (`MIRRORED_PACKETS`).
const MIRRORED_PACKETS: u64 = 3;
/// And of its packets at least one in so many comes twice (`MIRRORED_SHARE`). A port that mirrors what comes in and goes
/// out doubles all packets between two mirrored hosts, and one that also sees a router a half of them.
const MIRRORED_SHARE: u64 = 4;

/// Packets of one hash that are looked at; the rest of a flood of equal ones are not told from real ones.
const CHAIN: usize = 8;
/// Packets that are looked at to tell whether a sender gives all of its packets one identification.
const NEIGHBOURS: usize = 32;
/// Hash values.
const HEADS: usize = 2048;
/// Points that have a place of their own.
const PLACES: usize = 4096;
/// Times are kept in units of 2^10 ns.
const TICK: u32 = 10;
const RING: usize = COPY_WINDOW_PACKETS;

/// Where a packet was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Interface of the capture.
    pub interface: u16,
    /// VLAN tags, as in [`Packet::vlan`].
    pub vlan: u64,
}

/// A copy that was recognised: where the packet was seen first, and where the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Of the packet.
    pub first: Point,
    /// Of its copy.
    pub again: Point,
    /// Routers between the two, by the hop limit.
    pub routed: bool,
}

/// What is kept of a packet: half a cache line, so that the ring takes little of the cache from the flows.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(32))]
struct Trace {
    /// Hash of the flow's key; its low bits give way to hop limit (16 to 9), TCP flags (8 to 1) and sending side (0).
    flow: u64,
    /// Sequence and acknowledgement number.
    numbers: u64,
    /// Identification, checksum, window, length. Longer packets than 64 KiB differ in the checksum.
    marks: u64,
    /// Time in microseconds of 1024 ns, the low bits.
    time: u32,
    /// How far back the packet before with the same hash value is; 0: none.
    before: u16,
    /// Where it was seen, an index of `points`.
    place: u16,
}

impl Trace {
    const FLOW: u64 = !0x1_ffff;
    const SIDE: u64 = 1;
    const HOPS: u64 = 0x1_fe00;

    fn id(&self) -> u64 {
        self.marks >> 48
    }

    /// Whether both say the same; another hop limit makes no difference.
    #[inline]
    fn is_like(&self, other: &Trace) -> bool {
        self.marks == other.marks && self.numbers == other.numbers && (self.flow ^ other.flow) & !Trace::HOPS == 0
    }

    /// Whether both are of one flow, sent by the same side.
    fn is_of_sender(&self, other: &Trace) -> bool {
        (self.flow ^ other.flow) & (Trace::FLOW | Trace::SIDE) == 0
    }

    /// Whether both are of one flow, sent by different sides.
    fn is_of_peer(&self, other: &Trace) -> bool {
        (self.flow ^ other.flow) & (Trace::FLOW | Trace::SIDE) == Trace::SIDE
    }
}

/// The packets of late.
#[derive(Debug)]
pub struct Duplicates {
    ring: Box<[Trace; RING]>,
    /// By hash value: when a packet had it last, as the low bits of `clock`.
    heads: Box<[u16; HEADS]>,
    /// Packets put into the ring.
    clock: u32,
    /// Where the latest packet was seen, and its index.
    point: Point,
    place: u16,
    /// By a hash of them: a capture has few, and two that share a place share a name.
    points: Vec<Point>,
}

impl Default for Duplicates {
    fn default() -> Duplicates {
        Duplicates {
            ring: Box::new([Trace::default(); RING]),
            heads: Box::new([0; HEADS]),
            // Begins where everything that `heads` could mean lies too far back.
            clock: RING as u32 + 1,
            point: Point::default(),
            place: 0,
            points: vec![Point::default(); PLACES],
        }
    }
}

impl Duplicates {
    /// Whether a packet is a copy of one before; if not, it is remembered. `hash` is that of its flow's key.
    #[inline]
    pub fn recognise(&mut self, packet: &Packet, side: Side, hash: u64, interface: u16) -> Option<Seen> {
        if packet.transport != Transport::Whole || packet.ip_id | packet.checksum == 0 {
            // Nothing that could be compared.
            return None;
        }
        if packet.vlan != self.point.vlan || interface != self.point.interface {
            self.turn_to(Point { interface, vlan: packet.vlan });
        }
        let mut trace = Trace {
            flow: hash & Trace::FLOW
                | u64::from(packet.hop_limit) << 9
                | u64::from(packet.tcp_flags) << 1
                | side as u64,
            numbers: u64::from(packet.sequence) << 32 | u64::from(packet.acknowledgement),
            marks: u64::from(packet.ip_id) << 48
                | u64::from(packet.checksum) << 32
                | u64::from(packet.window) << 16
                | u64::from(packet.ip_len as u16),
            time: (packet.time_ns >> TICK) as u32,
            before: 0,
            place: self.place,
        };
        // Not seeded: what is recognised must not vary from run to run. Who chooses collisions hides his own copies.
        let value = (trace.numbers ^ trace.marks.rotate_left(21)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let head = &mut self.heads[value as usize % HEADS];
        let back = (self.clock as u16).wrapping_sub(*head);
        if usize::from(back) <= RING {
            trace.before = back;
            if let Some(far) = find(&self.ring, self.clock, &trace)
                && judge(&self.ring, self.clock, far, &trace, packet)
            {
                let known = &self.ring[self.clock.wrapping_sub(far as u32) as usize % RING];
                return Some(Seen {
                    first: self.points[usize::from(known.place) % PLACES],
                    again: self.point,
                    routed: (known.flow ^ trace.flow) & Trace::HOPS != 0,
                });
            }
        }
        *head = self.clock as u16;
        self.ring[self.clock as usize % RING] = trace;
        self.clock = self.clock.wrapping_add(1);
        None
    }

    /// The packets that follow were seen there.
    fn turn_to(&mut self, point: Point) {
        self.point = point;
        let tags = point.vlan ^ point.vlan >> 21 ^ u64::from(point.interface) << 7;
        self.place = tags as u16 % PLACES as u16;
        self.points[usize::from(self.place)] = point;
    }
}

/// Whether so many copies among packets (each counted once) are a mirror port's work.
pub fn is_mirrored(copies: u64, packets: u64) -> bool {
    copies >= MIRRORED_PACKETS && copies * MIRRORED_SHARE >= packets
}

/// How far back the packet is that says the same as `trace`.
#[inline]
fn find(ring: &[Trace; RING], clock: u32, trace: &Trace) -> Option<usize> {
    let mut back = trace.before;
    let mut far = 0;
    for _ in 0..CHAIN {
        far += usize::from(back);
        if back == 0 || far > RING {
            return None;
        }
        let known = &ring[clock.wrapping_sub(far as u32) as usize % RING];
        if known.is_like(trace) {
            return Some(far);
        }
        back = known.before;
    }
    None
}

/// Whether a packet that says the same as the one `far` back is a copy of it.
#[cold]
fn judge(ring: &[Trace; RING], clock: u32, far: usize, trace: &Trace, packet: &Packet) -> bool {
    let at = |far: usize| &ring[clock.wrapping_sub(far as u32) as usize % RING];
    let known = at(far);
    let apart = i64::from(trace.time.wrapping_sub(known.time) as i32).abs() << TICK;
    if apart > COPY_WINDOW_NS {
        return false;
    }
    // The same identification in another packet of this sender, or in several of others, says nothing. One of another
    // flow may be this very packet, before or after an address translation.
    let namesakes = (1..(far + NEIGHBOURS).min(RING))
        .map(at)
        .filter(|other| other.id() == trace.id() && !other.is_like(trace))
        .map(|other| if other.is_of_sender(trace) { 2 } else { 1 });
    let identified = trace.id() != 0 && namesakes.sum::<u32>() < 2;
    if identified || packet.checksum == 0 {
        return identified;
    }
    let another_way = known.place != trace.place || (known.flow ^ trace.flow) & Trace::HOPS != 0;
    another_way
        || apart <= COPY_INSTANT_NS
            && match packet.protocol {
                protocol::TCP => {
                    let takes_place = packet.payload_len > 0 || packet.tcp_flags & (flag::SYN | flag::FIN) != 0;
                    takes_place && !(1..far).map(at).any(|between| between.is_of_peer(trace))
                }
                protocol::ICMP | protocol::ICMP6 => true,
                _ => false,
            }
}

#[cfg(test)]
#[path = "duplicate_tests.rs"]
mod tests;
