//! The flow table: packets in, ended flows out.

use super::direction::direct;
use super::ending::{FIXED_SEED, close, count_strays, identity};
use super::expiry::{TCP_ATTEMPT, is_over, patience, schedule};
use super::index::Index;
use super::key::{FlowKey, Side, protocol};
use super::record::{Flow, seen};
use super::succession::{continues, is_new_connection};
use super::take::apply;
use super::tcp::flag;
use super::tombstone::{FLOW_MEMORY, Memory, Tombstone};
use super::wheel::{Timer, Wheel};
use crate::memory;
use crate::wire::Packet;

/// Packets are out of order by less than this: a minute is more than any way through a network takes. Where
/// [`CLOCK_STEP_PACKETS`] in a row are further back, the capture's clock was (`CLOCK_STEP`).
const CLOCK_STEP: i64 = 60_000_000_000;
/// So many.
const CLOCK_STEP_PACKETS: u32 = 256;

/// Timers whose flows are brought near together.
const TIMERS: usize = 32;

/// Where no room is left for a flow, room is made for one in so many.
const EVICTED_SHARE: usize = 64;

/// Flows that a table has room for from the first one on.
const LEAST_ROOM: usize = 64;

/// No slot.
const NOWHERE: u32 = u32::MAX;

/// Flows alive at once before the ones that would end first are closed early (`ACTIVE_FLOWS`).
pub const ACTIVE_FLOWS: usize = 1_000_000;

/// When and where a packet was captured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    /// Nanoseconds since 1970.
    pub time_ns: i64,
    /// Frame number in its capture.
    pub frame: u64,
    /// Index of the capture.
    pub capture: u32,
    /// Interface of the capture.
    pub interface: u16,
}

/// A packet's place in the table: its key, the side that sent it, the key's hash.
#[derive(Clone, Copy, Debug)]
pub struct Addressed {
    key: FlowKey,
    hash: u64,
    side: u32,
    /// Where its flow was when the table was touched; what is there now says whether it still is.
    slot: u32,
}

impl Addressed {
    /// Of a packet with that key that `side` sent, in a table with that seed.
    #[inline]
    pub fn new(key: FlowKey, side: Side, seed: u64) -> Addressed {
        Addressed { key, hash: key.hash(seed), side: side as u32, slot: NOWHERE }
    }

    /// The key's hash.
    #[inline]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The sender's side.
    #[inline]
    pub fn side(&self) -> Side {
        self.side as Side
    }
}

/// What the table did besides making flows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Packets taken.
    pub packets: u64,
    /// Packets that came a second time; not among `packets`.
    pub copies: u64,
    /// Packets older than one before them.
    pub out_of_order: u64,
    /// Flows closed early because `ACTIVE_FLOWS` were alive.
    pub evicted: u64,
    /// Most flows alive at once.
    pub most_active: usize,
}

/// Flows by key.
#[derive(Debug)]
pub struct Table {
    flows: Vec<Flow>,
    free: Vec<u32>,
    index: Index,
    wheel: Wheel,
    due: Vec<Timer>,
    memory: Memory,
    ended: Vec<Flow>,
    /// Captures, first frames and slots of the flows that are left at the end, the last one first.
    rest: Vec<(u32, u64, u32)>,
    seed: u64,
    capture_set: u64,
    clock_ns: i64,
    /// What the clock was before the latest packet.
    before_ns: i64,
    /// Packets in a row from long before the clock.
    long_ago: u32,
    limit: usize,
    counts: Counts,
}

impl Table {
    /// An empty table for at most `limit` flows alive at once.
    ///
    /// `capture_set` names the captures in flow identities; `seed` should vary from run to run.
    pub fn new(limit: usize, capture_set: u64, seed: u64) -> Table {
        Table {
            flows: Vec::new(),
            free: Vec::new(),
            index: Index::new(),
            wheel: Wheel::new(),
            due: Vec::new(),
            memory: Memory::new(FLOW_MEMORY),
            ended: Vec::new(),
            rest: Vec::new(),
            seed,
            capture_set,
            clock_ns: i64::MIN,
            before_ns: i64::MIN,
            long_ago: 0,
            limit: limit.max(1),
            counts: Counts::default(),
        }
    }

    /// The same, that remembers no more than so many flows which have ended.
    #[must_use]
    pub fn remembering(self, most: usize) -> Table {
        Table { memory: Memory::new(most), ..self }
    }

    /// Names the captures in the identities of flows that end from now on.
    pub fn set_capture_set(&mut self, capture_set: u64) {
        self.capture_set = capture_set;
    }

    /// The latest time seen, ns; what of a clock that was set back it is now.
    #[cfg(test)]
    pub fn clock_ns(&self) -> i64 {
        self.clock_ns
    }

    /// Counters.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How many ended flows wait to be taken.
    #[inline]
    pub fn ended(&self) -> usize {
        self.ended.len()
    }

    /// The flows that have ended first since this was last asked, at most so many, in no order that means anything. `room`
    /// takes the others and the next ones.
    pub fn take_ended(&mut self, mut room: Vec<Flow>, most: usize) -> Vec<Flow> {
        room.extend(self.ended.drain(most.min(self.ended.len())..));
        std::mem::replace(&mut self.ended, room)
    }

    /// What hashes of keys begin with.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Brings what packets with these addresses will touch into the cache.
    ///
    /// Looked up one after the other, each packet waits for its own cache misses; those of a group of packets overlap.
    #[inline]
    pub fn touch<'a>(&self, group: impl Iterator<Item = &'a mut Addressed>) {
        for addressed in group {
            if let Some(slot) = self.index.candidate(addressed.hash)
                && let Some(flow) = self.flows.get(slot as usize)
            {
                addressed.slot = slot;
                flow.touch();
            } else {
                self.memory.touch(addressed.key.hash(FIXED_SEED));
            }
        }
    }

    /// Brings the part of the index that leads to a flow into the cache, for [`Table::touch`].
    #[inline]
    pub fn touch_index(&self, addressed: &Addressed) {
        self.index.touch(addressed.hash);
    }

    /// Takes a packet; returns its flow. `payload` gives the captured bytes of the packet's, which only few are asked for.
    #[inline]
    pub fn update<'p>(
        &mut self,
        addressed: &Addressed,
        packet: &Packet,
        payload: impl Fn() -> &'p [u8],
        moment: Moment,
    ) -> &mut Flow {
        self.counts.packets += 1;
        self.before_ns = self.clock_ns;
        if moment.time_ns < self.clock_ns {
            self.counts.out_of_order += 1;
            if self.clock_ns.saturating_sub(moment.time_ns) > CLOCK_STEP {
                self.look_at_the_clock(moment.time_ns);
            }
        } else {
            self.clock_ns = moment.time_ns;
            self.long_ago = 0;
            if self.wheel.is_due(self.clock_ns) {
                self.sweep();
            }
        }
        let side = addressed.side();
        let slot = match self.slot_of(addressed) {
            Some(slot) => match self.splits(slot, side, packet, moment.time_ns) {
                None => slot,
                Some(inherits) => {
                    self.end(slot, addressed.hash);
                    self.create(addressed, packet, payload(), moment, inherits)
                }
            },
            None => self.create(addressed, packet, payload(), moment, true),
        };
        let flow = &mut self.flows[slot as usize];
        apply(flow, side, packet, moment);
        // The timer of its beginning finds out as well, while that is still to come.
        if schedule(flow) && self.wheel.has_passed(flow.start_ns.saturating_add(TCP_ATTEMPT)) {
            let timer = Timer { slot, generation: flow.generation };
            self.wheel.set(flow.expires_ns, timer);
        }
        flow
    }

    /// Where the living flow of packets with that address is.
    #[inline]
    fn slot_of(&self, addressed: &Addressed) -> Option<u32> {
        let is_it = |slot: u32| self.flows.get(slot as usize).is_some_and(|flow| flow.key == addressed.key);
        if is_it(addressed.slot) { Some(addressed.slot) } else { self.index.find(addressed.hash, is_it) }
    }

    /// Takes a packet from long before the latest time seen. One says nothing; when no others come, somebody has set the
    /// clock back, or another capture begins in the same file, and time goes on from there.
    #[cold]
    fn look_at_the_clock(&mut self, time_ns: i64) {
        self.long_ago += 1;
        if self.long_ago > CLOCK_STEP_PACKETS {
            self.long_ago = 0;
            self.clock_ns = time_ns;
            self.before_ns = time_ns;
            self.wheel.rewind(time_ns);
        }
    }

    /// Takes a packet that came a second time: it does nothing to its flow, but the flow may count it when it ends.
    pub fn take_copy(&mut self, addressed: &Addressed, packet: &Packet) {
        self.counts.copies += 1;
        if let Some(slot) = self.slot_of(addressed) {
            let flow = &mut self.flows[slot as usize];
            let twice = &mut flow.twice.get_or_insert_default()[addressed.side()];
            if packet.payload_len > 0 && twice.letters == 0 && flow.ends[addressed.side()].seen & seen::RST == 0 {
                twice.letters = flow.letters;
            }
            twice.packets += 1;
            twice.ip_bytes += u64::from(packet.ip_len);
            twice.payload += u64::from(packet.payload_len);
            twice.with_payload += u32::from(packet.payload_len > 0);
        }
    }

    /// Whether a packet cannot belong to the flow any more; if so, whether what follows is a piece of the same flow.
    #[inline]
    fn splits(&mut self, slot: u32, side: Side, packet: &Packet, time_ns: i64) -> Option<bool> {
        let flow = &mut self.flows[slot as usize];
        if self.clock_ns >= flow.expires_ns && is_over(flow, self.before_ns, self.clock_ns) {
            // Timers follow the latest time seen, as Zeek's do: in a capture whose times run backwards a flow can be
            // over before its next packet. Only TCP then knows that the packet goes on with it.
            return Some(time_ns >= flow.expires_ns || flow.key.protocol() == protocol::TCP);
        }
        if flow.key.protocol() == protocol::TCP
            && packet.tcp_flags & flag::SYN != 0
            && is_new_connection(flow, side, packet)
        {
            return Some(false);
        }
        None
    }

    /// Ends what has been silent too long.
    #[cold]
    fn sweep(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.wheel.advance(self.clock_ns, &mut due);
        for group in due.chunks(TIMERS) {
            self.touch_due(group);
            for &timer in group {
                let flow = &mut self.flows[timer.slot as usize];
                if flow.generation != timer.generation {
                    continue;
                }
                if is_over(flow, self.before_ns, self.clock_ns) {
                    let hash = flow.key.hash(self.seed);
                    self.end(timer.slot, hash);
                } else {
                    self.wheel.set(flow.expires_ns, timer);
                }
            }
        }
        due.clear();
        self.due = due;
    }

    /// Brings what the ends of these timers' flows will touch into the cache, as [`Table::touch`] does for packets.
    fn touch_due(&self, timers: &[Timer]) {
        let flows = || timers.iter().filter_map(|timer| self.flows.get(timer.slot as usize));
        flows().for_each(Flow::touch_whole);
        for flow in flows() {
            self.index.touch(flow.key.hash(self.seed));
            self.memory.touch(flow.key.hash(FIXED_SEED));
        }
    }

    /// Closes the flows that would end first, to make some room.
    #[cold]
    fn evict(&mut self) {
        while self.active() >= self.limit {
            let timers = self.wheel.take_first((self.limit / EVICTED_SHARE).max(1));
            if timers.is_empty() {
                return;
            }
            for timer in timers {
                let flow = &self.flows[timer.slot as usize];
                if flow.generation == timer.generation {
                    let hash = flow.key.hash(self.seed);
                    self.end(timer.slot, hash);
                    self.counts.evicted += 1;
                }
            }
        }
    }

    fn active(&self) -> usize {
        self.flows.len() - self.free.len()
    }

    /// Takes a flow out of the table.
    fn end(&mut self, slot: u32, hash: u64) {
        self.index.remove(hash, slot);
        let flow = &mut self.flows[slot as usize];
        count_strays(flow, &self.counts);
        let name = close(flow, self.capture_set);
        self.memory.put(name, Tombstone::of(flow));
        let generation = flow.generation.wrapping_add(1);
        self.ended.push(std::mem::take(flow));
        flow.generation = generation;
        self.free.push(slot);
    }

    fn create(
        &mut self,
        addressed: &Addressed,
        packet: &Packet,
        payload: &[u8],
        moment: Moment,
        may_continue: bool,
    ) -> u32 {
        let Addressed { key, hash, .. } = *addressed;
        let side = addressed.side();
        if self.active() >= self.limit {
            self.evict();
        }
        let name = key.hash(FIXED_SEED);
        let before = self.memory.take(name).filter(|known| may_continue && continues(known, &key, packet));
        let slot = self.free.pop().unwrap_or_else(|| {
            if self.flows.len() == self.flows.capacity() {
                self.grow();
            }
            self.flows.push(Flow::default());
            self.flows.len() as u32 - 1
        });
        self.counts.most_active = self.counts.most_active.max(self.flows.len() - self.free.len());
        let flow = &mut self.flows[slot as usize];
        flow.key = key;
        flow.start_ns = moment.time_ns;
        flow.last_ns = moment.time_ns;
        flow.first_frame = moment.frame;
        flow.capture = moment.capture;
        flow.vlan = packet.vlan;
        flow.interface = moment.interface;
        flow.tunnel = packet.tunnel;
        // What is read of a flow refers to it while it lives.
        flow.flow_id = identity(name, self.capture_set, moment.time_ns);
        direct(flow, side, packet, payload);
        if let Some(known) = before {
            if flow.initiator != known.initiator {
                // A flow keeps its direction, and then its history has no change of roles.
                flow.letters = 0;
            }
            flow.initiator = known.initiator;
            flow.basis = known.basis;
            flow.flow_id = known.flow_id;
            flow.piece = known.piece + 1;
            flow.syn_sequence = known.syn_sequence;
        }
        flow.expires_ns = moment.time_ns.saturating_add(patience(&key));
        let timer = Timer { slot, generation: flow.generation };
        self.wheel.set(flow.expires_ns, timer);
        self.index.insert(hash, slot);
        slot
    }

    /// Makes room for as many flows again, in fresh memory: what is moved would lie in small pages from then on.
    #[cold]
    fn grow(&mut self) {
        let mut larger = Vec::with_capacity((self.flows.capacity() * 2).max(LEAST_ROOM));
        memory::prefer_large_pages(&larger);
        larger.append(&mut self.flows);
        self.flows = larger;
    }

    /// The time is at least that, although no packet says so: ends what has been silent too long.
    pub fn advance(&mut self, now_ns: i64) {
        self.clock_ns = self.clock_ns.max(now_ns);
        if self.wheel.is_due(self.clock_ns) {
            self.sweep();
        }
    }

    /// The flows that are alive, in order of slots.
    pub fn alive(&self) -> impl Iterator<Item = &Flow> {
        self.flows.iter().filter(|flow| flow.first_frame != 0)
    }

    /// The living flow of packets with that address.
    pub fn find(&self, addressed: &Addressed) -> Option<&Flow> {
        self.slot_of(addressed).map(|slot| &self.flows[slot as usize])
    }

    /// A living flow's record as it would be if nothing more came.
    pub fn so_far(&self, flow: &Flow) -> Flow {
        let mut record = flow.so_far();
        count_strays(&mut record, &self.counts);
        close(&mut record, self.capture_set);
        record
    }

    /// Ends all that is left.
    pub fn finish(&mut self) {
        self.end_rest(usize::MAX);
    }

    /// Ends what is left, by capture and first frame, at most so many flows at once; true while there are more. Nothing
    /// may be taken any more.
    pub fn end_rest(&mut self, most: usize) -> bool {
        if self.rest.is_empty() {
            let flows = self.flows.iter().zip(0..).filter(|(flow, _)| flow.first_frame != 0);
            self.rest = flows.map(|(flow, slot)| (flow.capture, flow.first_frame, slot)).collect();
            self.rest.sort_unstable_by(|one, other| other.cmp(one));
        }
        for (.., slot) in self.rest.split_off(self.rest.len().saturating_sub(most)).into_iter().rev() {
            let flow = &mut self.flows[slot as usize];
            count_strays(flow, &self.counts);
            close(flow, self.capture_set);
            self.ended.push(std::mem::take(flow));
        }
        if self.rest.is_empty() {
            self.flows = Vec::new();
            self.free = Vec::new();
            self.index = Index::new();
            self.wheel = Wheel::new();
            self.memory = Memory::new(1);
        }
        !self.rest.is_empty()
    }
}
