//! An interface's packets through a ring that the kernel writes and we read: AF_PACKET with TPACKET_V3.
//!
//! The kernel fills blocks of a mapped ring and hands each over when it is full or `RETIRE_MS` old. Packets are read where
//! they lie; only a VLAN tag that the network card or the kernel took off is put back before the packet, into room that
//! was reserved for it. Source: Documentation/networking/packet_mmap.rst of the kernel.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::c_int;

use super::drops::Drops;
use super::error::OpenError;
use super::filter::Program;
use crate::capture::Frame;

/// Bytes of a block: a jumbo frame after the other fits, and a full one is worth waking up for.
pub const BLOCK_BYTES: usize = 1 << 20;

/// Milliseconds after which the kernel hands over a block that is not full: part of how late a finding may be.
const RETIRE_MS: u32 = 50;

/// Bytes kept free before each packet, for the tag that is put back.
const TAG_BYTES: usize = 4;

/// Where a tag stands in an Ethernet frame: behind both addresses.
const TAG_AT: usize = 12;

/// Types of hardware (ARPHRD_) that can be read, and the link types of their packets.
const HARDWARE: [(u16, u16); 3] =
    [(libc::ARPHRD_ETHER, ETHERNET), (libc::ARPHRD_LOOPBACK, ETHERNET), (libc::ARPHRD_NONE, RAW_IP)];
const ETHERNET: u16 = 1;
const RAW_IP: u16 = 101;

/// Fields of the headers of blocks (`tpacket_block_desc`) and packets (`tpacket3_hdr`, behind it a `sockaddr_ll`): their
/// offsets. All are in the machine's byte order.
mod field {
    pub const BLOCK_STATUS: usize = 8;
    pub const BLOCK_PACKETS: usize = 12;
    pub const BLOCK_FIRST: usize = 16;
    pub const NEXT: usize = 0;
    pub const SECONDS: usize = 4;
    pub const NANOSECONDS: usize = 8;
    pub const CAPTURED: usize = 12;
    pub const LENGTH: usize = 16;
    pub const STATUS: usize = 20;
    pub const MAC: usize = 24;
    pub const TAG: usize = 32;
    pub const TAG_TYPE: usize = 36;
    pub const PACKET_TYPE: usize = 58;
}

/// A ring, and where we are in it.
pub struct Ring {
    name: String,
    socket: OwnedFd,
    map: NonNull<u8>,
    blocks: usize,
    current: usize,
    link_type: u16,
    interface: u16,
    is_loopback: bool,
    number: u64,
    drops: Drops,
    down: bool,
}

// SAFETY: the mapping belongs to the ring alone, and nothing in it depends on the thread.
unsafe impl Send for Ring {}

/// A block of packets that is ours until it is dropped; then the kernel may write it again.
pub struct Block<'r> {
    ring: &'r mut Ring,
    left: u32,
    at: usize,
}

/// What stands next in a block.
enum Next {
    Frame(Frame),
    /// A packet that comes twice: loopback shows what goes out once more as what comes in.
    Again,
    /// A header that leads out of its block: nothing behind it can be found.
    Astray,
}

impl Ring {
    /// Opens an interface with about `bytes` of ring; its frames carry that `number`, and `filter` is what the kernel is to
    /// keep.
    pub fn open(name: &str, number: u16, bytes: usize, filter: Option<&Program>) -> Result<Ring, OpenError> {
        let place = |what: &'static str| move |error: io::Error| OpenError::new(name, what, &error);
        let index = index_of(name).map_err(place("find"))?;
        // Protocol 0: nothing comes before all is set.
        // SAFETY: a plain system call; the result is checked.
        let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if socket < 0 {
            return Err(place("open")(io::Error::last_os_error()));
        }
        // SAFETY: the descriptor is new and nobody else's.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let fd = socket.as_raw_fd();
        let version = libc::tpacket_versions::TPACKET_V3 as c_int;
        set(fd, libc::SOL_PACKET, libc::PACKET_VERSION, &version).map_err(place("set up"))?;
        set(fd, libc::SOL_PACKET, libc::PACKET_RESERVE, &(TAG_BYTES as c_int)).map_err(place("set up"))?;
        if let Some(program) = filter {
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
        let map = map(fd, blocks * BLOCK_BYTES).map_err(place("set up"))?;
        // From here on the ring unmaps what was mapped.
        let mut ring = Ring {
            name: name.to_owned(),
            socket,
            map,
            blocks,
            current: 0,
            link_type: 0,
            interface: number,
            is_loopback: false,
            number: 0,
            drops: Drops::default(),
            down: false,
        };
        let hardware = bind(fd, index).map_err(place("open"))?;
        let known = HARDWARE.iter().find(|(type_, _)| *type_ == hardware);
        ring.link_type = known.map(|(_, link)| *link).ok_or_else(|| OpenError::hardware(name, hardware))?;
        ring.is_loopback = hardware == libc::ARPHRD_LOOPBACK;
        let everything = libc::packet_mreq {
            mr_ifindex: index,
            mr_type: libc::PACKET_MR_PROMISC as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        set(fd, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &everything).map_err(place("set up"))?;
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
        filter.map_or_else(|| super::filter::detach(self.fd()), |program| program.attach(self.fd()))
    }

    /// Whether the socket says that the interface is down or gone; asked once after each time.
    pub fn take_down(&mut self) -> bool {
        std::mem::take(&mut self.down)
    }

    /// Takes the error that waiting met, so that the next wait waits.
    pub fn take_error(&mut self) {
        let mut error: c_int = 0;
        let mut size = size_of::<c_int>() as libc::socklen_t;
        // SAFETY: both pointers are to variables of ours, of the sizes told.
        unsafe {
            libc::getsockopt(self.fd(), libc::SOL_SOCKET, libc::SO_ERROR, (&raw mut error).cast(), &raw mut size);
        }
        self.down = error != 0;
    }

    /// The next block that the kernel handed over.
    pub fn next_block(&mut self) -> Option<Block<'_>> {
        if self.status().load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        let start = self.current * BLOCK_BYTES;
        let (left, first) = {
            let memory = self.memory();
            (u32_at(memory, start + field::BLOCK_PACKETS), u32_at(memory, start + field::BLOCK_FIRST))
        };
        Some(Block { left, at: start + first as usize, ring: self })
    }

    /// The status word of the current block, which the kernel and we write in turn.
    fn status(&self) -> &AtomicU32 {
        let at = self.current * BLOCK_BYTES + field::BLOCK_STATUS;
        // SAFETY: the place lies in the mapping and is aligned; both sides use it atomically.
        unsafe { AtomicU32::from_ptr(self.map.as_ptr().add(at).cast()) }
    }

    /// The whole ring. Only bytes of a block that is ours mean something.
    fn memory(&self) -> &[u8] {
        // SAFETY: the mapping has this size and lives as long as the ring. The kernel writes blocks that are not ours, which
        // nothing reads.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr(), self.blocks * BLOCK_BYTES) }
    }

    /// The current block, which is ours.
    fn block(&mut self) -> &mut [u8] {
        // SAFETY: as above; the status says that this block is ours, and `&mut self` that nobody else looks at it.
        unsafe { std::slice::from_raw_parts_mut(self.map.as_ptr().add(self.current * BLOCK_BYTES), BLOCK_BYTES) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: mapped with this size in `open`, and not used after.
        unsafe { libc::munmap(self.map.as_ptr().cast(), self.blocks * BLOCK_BYTES) };
    }
}

impl Block<'_> {
    /// Clears `frames` and fills it with up to `max` next frames; false when the block has no more.
    pub fn next_frames(&mut self, frames: &mut Vec<Frame>, max: usize) -> bool {
        frames.clear();
        while self.left > 0 && frames.len() < max {
            self.left -= 1;
            match self.frame() {
                Next::Frame(frame) => frames.push(frame),
                Next::Again => {}
                Next::Astray => self.left = 0,
            }
        }
        !frames.is_empty()
    }

    /// Where the frames lie.
    pub fn memory(&self) -> &[u8] {
        self.ring.memory()
    }

    /// The next packet.
    fn frame(&mut self) -> Next {
        let start = self.ring.current * BLOCK_BYTES;
        let end = start + BLOCK_BYTES;
        let at = self.at;
        let header = self.ring.memory().get(at..end).unwrap_or_default();
        if header.len() <= field::PACKET_TYPE {
            return Next::Astray;
        }
        let packet_type = header[field::PACKET_TYPE];
        let word = |offset: usize| u32_at(header, offset);
        let status = word(field::STATUS);
        let (mut len, mut wire_len) = (word(field::CAPTURED), word(field::LENGTH));
        let mut from = at + usize::from(u16_at(header, field::MAC));
        let time_ns = i64::from(word(field::SECONDS)) * 1_000_000_000 + i64::from(word(field::NANOSECONDS));
        let (tag, tag_type) = (word(field::TAG) as u16, u16_at(header, field::TAG_TYPE));
        let next = word(field::NEXT) as usize;
        if from + len as usize > end {
            return Next::Astray;
        }
        self.at = if next == 0 { end } else { at + next };
        if self.ring.is_loopback && packet_type == libc::PACKET_OUTGOING {
            return Next::Again;
        }
        if status & libc::TP_STATUS_VLAN_VALID != 0 && len as usize >= TAG_AT && self.ring.link_type == ETHERNET {
            let tag_type = if status & libc::TP_STATUS_VLAN_TPID_VALID == 0 { 0x8100 } else { tag_type };
            let block = self.ring.block();
            let old = from - start;
            block.copy_within(old..old + TAG_AT, old - TAG_BYTES);
            block[old + TAG_AT - TAG_BYTES..old + TAG_AT - 2].copy_from_slice(&tag_type.to_be_bytes());
            block[old + TAG_AT - 2..old + TAG_AT].copy_from_slice(&tag.to_be_bytes());
            from -= TAG_BYTES;
            len += TAG_BYTES as u32;
            wire_len += TAG_BYTES as u32;
        }
        self.ring.number += 1;
        Next::Frame(Frame {
            time_ns,
            number: self.ring.number,
            file_offset: 0,
            at: from,
            len,
            wire_len: wire_len.max(len),
            link_type: self.ring.link_type,
            interface: self.ring.interface,
            process: 0,
        })
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        self.ring.status().store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.ring.current = (self.ring.current + 1) % self.ring.blocks;
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |four| u32::from_ne_bytes([four[0], four[1], four[2], four[3]]))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |two| u16::from_ne_bytes([two[0], two[1]]))
}

/// The interface's number.
fn index_of(name: &str) -> io::Result<c_int> {
    let text = CString::new(name).map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
    // SAFETY: the text ends with a zero byte and outlives the call.
    let index = unsafe { libc::if_nametoindex(text.as_ptr()) };
    if index == 0 { Err(io::Error::last_os_error()) } else { Ok(index as c_int) }
}

/// Sets a socket option.
pub(super) fn set<T>(fd: RawFd, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    // SAFETY: the pointer is to a live value of the size told, which the kernel only reads.
    let done = unsafe {
        libc::setsockopt(fd, level, name, std::ptr::from_ref(value).cast(), size_of::<T>() as libc::socklen_t)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Maps the ring.
fn map(fd: RawFd, bytes: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: a new mapping at a place of the kernel's choice; the result is checked.
    let map =
        unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, fd, 0) };
    if map == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(map.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))
}

/// Lets the interface's packets in; what kind of hardware it is (ARPHRD_).
fn bind(fd: RawFd, index: c_int) -> io::Result<u16> {
    // SAFETY: all fields are plain numbers, for which zero is a value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index;
    let mut size = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the address is of the size told and outlives both calls; the second may write that much.
    let done = unsafe {
        libc::bind(fd, (&raw const address).cast(), size) == 0
            && libc::getsockname(fd, (&raw mut address).cast(), &raw mut size) == 0
    };
    if done { Ok(address.sll_hatype) } else { Err(io::Error::last_os_error()) }
}

/// The counters of the interface itself, as the kernel lists them: received, and lost before any program could see it.
pub(super) fn interface_counters(name: &str) -> Option<(u64, u64)> {
    // Of this thread's network namespace, which /sys need not show.
    let text = io::read_to_string(File::open("/proc/thread-self/net/dev").ok()?).ok()?;
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(name)?.strip_prefix(':'))?;
    let numbers: Vec<u64> = line.split_ascii_whitespace().map_while(|word| word.parse().ok()).collect();
    // receive: bytes packets errs drop fifo frame …
    Some((*numbers.get(1)?, numbers.get(3)?.saturating_add(*numbers.get(4)?)))
}
