//! System calls on packet sockets and interfaces. Sources: packet(7), netdevice(7).

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::mem::size_of;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;

use libc::c_int;

/// A packet socket that nothing comes to yet.
pub fn open() -> io::Result<OwnedFd> {
    // Protocol 0: nothing comes before all is set.
    // SAFETY: a plain system call; the result is checked.
    let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

/// The interface's number.
pub fn index_of(name: &str) -> io::Result<c_int> {
    let text = CString::new(name).map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
    // SAFETY: the text ends with a zero byte and outlives the call.
    let index = unsafe { libc::if_nametoindex(text.as_ptr()) };
    if index == 0 { Err(io::Error::last_os_error()) } else { Ok(index as c_int) }
}

/// Sets a socket option.
pub fn set<T>(fd: RawFd, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    // SAFETY: the pointer is to a live value of the size told, which the kernel only reads.
    let done = unsafe {
        libc::setsockopt(fd, level, name, std::ptr::from_ref(value).cast(), size_of::<T>() as libc::socklen_t)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Maps the ring.
pub fn map(fd: RawFd, bytes: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: a new mapping at a place of the kernel's choice; the result is checked.
    let map =
        unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, fd, 0) };
    if map == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(map.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))
}

/// Lets the interface's packets in; what kind of hardware it is (ARPHRD_).
pub fn bind(fd: RawFd, index: c_int) -> io::Result<u16> {
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

/// Asks for all frames on the wire, whomever they are for.
pub fn see_everything(fd: RawFd, index: c_int) -> io::Result<()> {
    let everything = libc::packet_mreq {
        mr_ifindex: index,
        mr_type: libc::PACKET_MR_PROMISC as u16,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    set(fd, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &everything)
}

/// The error that waiting met, which is taken so that the next wait waits; whether there was one.
pub fn take_error(fd: RawFd) -> bool {
    let mut error: c_int = 0;
    let mut size = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: both pointers are to variables of ours, of the sizes told.
    unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, (&raw mut error).cast(), &raw mut size) };
    error != 0
}

/// Whether there is an interface of that name that is up.
pub fn is_up(fd: RawFd, name: &str) -> bool {
    ask(fd, name, libc::SIOCGIFFLAGS).is_some_and(|answer| {
        // SAFETY: this is what that question fills in; any bits are a number.
        let flags = unsafe { answer.ifr_ifru.ifru_flags };
        c_int::from(flags) & libc::IFF_UP != 0
    })
}

/// What kind of hardware the interface of that name is (ARPHRD_).
pub fn hardware_of(fd: RawFd, name: &str) -> Option<u16> {
    // SAFETY: this is what that question fills in; any bits are a number.
    ask(fd, name, libc::SIOCGIFHWADDR).map(|answer| unsafe { answer.ifr_ifru.ifru_hwaddr.sa_family })
}

/// Asks something about an interface; nothing where there is none of that name.
fn ask(fd: RawFd, name: &str, question: libc::Ioctl) -> Option<libc::ifreq> {
    // SAFETY: all fields are plain numbers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let room = request.ifr_name.len() - 1;
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes().take(room)) {
        *to = from as libc::c_char;
    }
    // SAFETY: the request has a name that ends with a zero byte, and outlives the call.
    (unsafe { libc::ioctl(fd, question, &raw mut request) } == 0).then_some(request)
}

/// The counters of the interface itself, as the kernel lists them: received, and lost before any program could see it.
pub fn interface_counters(name: &str) -> Option<(u64, u64)> {
    // Of this thread's network namespace, which /sys need not show.
    let text = io::read_to_string(File::open("/proc/thread-self/net/dev").ok()?).ok()?;
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(name)?.strip_prefix(':'))?;
    let numbers: Vec<u64> = line.split_ascii_whitespace().map_while(|word| word.parse().ok()).collect();
    // receive: bytes packets errs drop fifo frame …
    Some((*numbers.get(1)?, numbers.get(3)?.saturating_add(*numbers.get(4)?)))
}
