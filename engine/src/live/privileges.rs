//! Giving up what is no longer needed once the sockets are open. Source: capabilities(7), prctl(2).

use std::io;

const VERSION_3: u32 = 0x2008_0522;

/// Whoever is root writes reports into folders of others.
pub const DAC_OVERRIDE: u32 = 1 << 1;

/// Whoever opens interfaces needs this, and nothing else.
pub const NET_RAW: u32 = 1 << 13;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Gives up all capabilities of this thread and of those that it starts but `kept`, as far as these are there, and the way
/// back to them.
pub fn give_up(kept: u32) -> io::Result<()> {
    let header = Header { version: VERSION_3, pid: 0 };
    let mut sets = [Sets { effective: 0, permitted: 0, inheritable: 0 }; 2];
    // SAFETY: both pointers are to structures of the layout that version 3 asks for.
    if unsafe { libc::syscall(libc::SYS_capget, &raw const header, sets.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let kept = sets[0].permitted & kept;
    sets = [
        Sets { effective: kept, permitted: kept, inheritable: 0 },
        Sets { effective: 0, permitted: 0, inheritable: 0 },
    ];
    // SAFETY: plain numbers, and structures as above that the kernel only reads.
    let done = unsafe {
        libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) == 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}
