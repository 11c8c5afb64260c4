//! An interface's packets through a ring that the kernel writes and we read: AF_PACKET with TPACKET_V3.
//!
//! The kernel fills blocks of a mapped ring and hands each over when it is full or `RETIRE_MS` old ([`super::block`]).
//! Source: Documentation/networking/packet_mmap.rst of the kernel.

use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::c_int;

use super::absence::Absence;
use super::block::{self, Block};
use super::drops::Drops;
use super::error::OpenError;
use super::filter::{HEADERS, Program};
use super::socket::{self, set};

/// Bytes of a block: the largest segment that a network card hands over fits, and a full one is worth waking up for. A
/// larger one costs the kernel a search for free memory, and leaves the cache before it is read.
pub const BLOCK_BYTES: usize = 1 << 18;

/// Milliseconds after which the kernel hands over a block that is not full: part of how late a finding may be.
const RETIRE_MS: u32 = 50;

/// Bytes kept free before each packet, for the VLAN tag that is put back.
pub(super) const TAG_BYTES: usize = 4;

/// Lengths of packets of which the kernel passed the headers alone, with and without such a tag.
pub(super) const TRIMMED: Range<u32> = HEADERS..HEADERS + TAG_BYTES as u32 + 1;

/// Types of hardware (ARPHRD_) that can be read, and the link types of their packets.
const HARDWARE: [(u16, u16); 3] =
    [(libc::ARPHRD_ETHER, ETHERNET), (libc::ARPHRD_LOOPBACK, ETHERNET), (libc::ARPHRD_NONE, RAW_IP)];
pub(super) const ETHERNET: u16 = 1;
const RAW_IP: u16 = 101;

/// A ring, and where we are in it.
pub struct Ring {
    name: String,
    socket: OwnedFd,
    map: NonNull<u8>,
    blocks: usize,
    current: usize,
    index: c_int,
    pub(super) link_type: u16,
    pub(super) interface: u16,
    pub(super) is_loopback: bool,
    /// Frames so far.
    pub(super) number: u64,
    drops: Drops,
    absence: Absence,
}

// SAFETY: the mapping belongs to the ring alone, and nothing in it depends on the thread.
unsafe impl Send for Ring {}

impl Ring {
    /// Opens an interface with about `bytes` of ring; its frames carry that `number`, and `filter` is what the kernel is to
    /// keep.
    pub fn open(name: &str, number: u16, bytes: usize, filter: Option<&Program>) -> Result<Ring, OpenError> {
        let place = |what: &'static str| move |error: io::Error| OpenError::new(name, what, &error);
        let index = socket::index_of(name).map_err(place("find"))?;
        let socket = socket::open().map_err(place("open"))?;
        let fd = socket.as_raw_fd();
        let version = libc::tpacket_versions::TPACKET_V3 as c_int;
        set(fd, libc::SOL_PACKET, libc::PACKET_VERSION, &version).map_err(place("set up"))?;
        set(fd, libc::SOL_PACKET, libc::PACKET_RESERVE, &(TAG_BYTES as c_int)).map_err(place("set up"))?;
        let is_ethernet = socket::hardware_of(fd, name).and_then(link_type_of) == Some(ETHERNET);
        if let Some(program) = filter.filter(|_| is_ethernet) {
            program.attach(fd).map_err(place("set up"))?;
        }
        let blocks = (bytes / BLOCK_BYTES).max(2);
        let request = libc::tpacket_req3 {
            tp_block_size: BLOCK_BYTES as u32,
            tp_block_nr: blocks as u32,
            tp_frame_size: 2048,
            tp_frame_nr: (BLOCK_BYTES / 2048 * blocks) as u32,
            tp_retire_blk_tov: RETIRE_MS,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        set(fd, libc::SOL_PACKET, libc::PACKET_RX_RING, &request).map_err(place("set up"))?;
        let map = socket::map(fd, blocks * BLOCK_BYTES).map_err(place("set up"))?;
        // From here on the ring unmaps what was mapped.
        let mut ring = Ring {
            name: name.to_owned(),
            socket,
            map,
            blocks,
            current: 0,
            index,
            link_type: 0,
            interface: number,
            is_loopback: false,
            number: 0,
            drops: Drops::default(),
            absence: Absence::default(),
        };
        let hardware = socket::bind(fd, index).map_err(place("open"))?;
        ring.link_type = link_type_of(hardware).ok_or_else(|| OpenError::hardware(name, hardware))?;
        ring.is_loopback = hardware == libc::ARPHRD_LOOPBACK;
        socket::see_everything(fd, index).map_err(place("set up"))?;
        ring.drops.begin(name);
        Ok(ring)
    }

    /// LINKTYPE_ number of its packets.
    pub fn link_type(&self) -> u16 {
        self.link_type
    }

    /// What to wait for.
    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// What was lost so far, read anew.
    pub fn drops(&mut self) -> Drops {
        let fd = self.fd();
        self.drops.read(fd, &self.name);
        self.drops
    }

    /// Takes another filter. What lies in the ring already has passed the old one.
    pub fn refilter(&self, filter: Option<&Program>) -> io::Result<()> {
        let filter = filter.filter(|_| self.link_type == ETHERNET);
        filter.map_or_else(|| super::filter::detach(self.fd()), |program| program.attach(self.fd()))
    }

    /// When the interface was down or gone.
    pub fn absence(&self) -> Absence {
        self.absence
    }

    /// Takes the error that waiting met: the interface went down, or away.
    pub fn take_error(&mut self) {
        if socket::take_error(self.fd()) {
            self.absence.begin();
        }
    }

    /// Looks, now and then, whether an interface that was down or gone is there again, and reads on where it is.
    pub fn look_after(&mut self) {
        if !self.absence.is_due() || !socket::is_up(self.fd(), &self.name) {
            return;
        }
        if socket::hardware_of(self.fd(), &self.name).and_then(link_type_of) != Some(self.link_type) {
            return; // of another kind: what it brings is not what was asked for
        }
        match socket::index_of(&self.name) {
            Ok(index) if index == self.index => self.absence.end(),
            // Another one of that name. What lies in the ring stays there; binding asks for no privilege.
            Ok(index) if self.turn_to(index).is_ok() => self.absence.end(),
            _ => {}
        }
    }

    /// Reads from another interface of the same name and kind.
    fn turn_to(&mut self, index: c_int) -> io::Result<()> {
        socket::bind(self.fd(), index)?;
        socket::see_everything(self.fd(), index)?;
        self.index = index;
        self.drops.begin(&self.name);
        Ok(())
    }

    /// The next block that the kernel handed over.
    pub fn next_block(&mut self) -> Option<Block<'_>> {
        if self.status().load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        Some(Block::begin(self))
    }

    /// Where the current block begins in the ring.
    pub(super) fn block_start(&self) -> usize {
        self.current * BLOCK_BYTES
    }

    /// Gives the current block back and goes on to the next.
    pub(super) fn release(&mut self) {
        self.status().store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.current = (self.current + 1) % self.blocks;
    }

    /// The status word of the current block, which the kernel and we write in turn.
    fn status(&self) -> &AtomicU32 {
        let at = self.block_start() + block::STATUS_AT;
        // SAFETY: the place lies in the mapping and is aligned; both sides use it atomically.
        unsafe { AtomicU32::from_ptr(self.map.as_ptr().add(at).cast()) }
    }

    /// The whole ring. Only bytes of a block that is ours mean something.
    pub(super) fn memory(&self) -> &[u8] {
        // SAFETY: the mapping has this size and lives as long as the ring. The kernel writes blocks that are not ours, which
        // nothing reads.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr(), self.blocks * BLOCK_BYTES) }
    }

    /// The current block, which is ours.
    pub(super) fn block(&mut self) -> &mut [u8] {
        // SAFETY: as above; the status says that this block is ours, and `&mut self` that nobody else looks at it.
        unsafe { std::slice::from_raw_parts_mut(self.map.as_ptr().add(self.block_start()), BLOCK_BYTES) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: mapped with this size in `open`, and not used after.
        unsafe { libc::munmap(self.map.as_ptr().cast(), self.blocks * BLOCK_BYTES) };
    }
}

fn link_type_of(hardware: u16) -> Option<u16> {
    HARDWARE.iter().find(|(type_, _)| *type_ == hardware).map(|(_, link)| *link)
}
