//! Giving up what is no longer needed once the sockets are open. Only Linux has rights that single threads can give up.
//! Source: capabilities(7), prctl(2).

use std::io;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};

#[cfg(target_os = "linux")]
const VERSION_3: u32 = 0x2008_0522;

/// Whoever is root writes reports into folders of others.
pub const DAC_OVERRIDE: u32 = 1 << 1;

/// Whoever opens interfaces needs this, and nothing else.
pub const NET_RAW: u32 = 1 << 13;

#[cfg(target_os = "linux")]
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[cfg(target_os = "linux")]
#[repr(C)]
#[derive(Clone, Copy)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Gives up all capabilities of this thread and of those that it starts but `kept`, as far as these are there, and the way
/// back to them. The error names the call that the kernel refused.
#[cfg(target_os = "linux")]
pub fn give_up(kept: u32) -> io::Result<()> {
    let header = Header { version: VERSION_3, pid: 0 };
    let mut sets = [Sets { effective: 0, permitted: 0, inheritable: 0 }; 2];
    // SAFETY: both pointers are to structures of the layout that version 3 asks for.
    if unsafe { libc::syscall(libc::SYS_capget, &raw const header, sets.as_mut_ptr()) } != 0 {
        return Err(refused("capget"));
    }
    // SAFETY: plain numbers.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(refused("prctl(PR_SET_NO_NEW_PRIVS)"));
    }
    let kept = sets[0].permitted & kept;
    // What is not inheritable leaves the ambient set as well.
    sets = [
        Sets { effective: kept, permitted: kept, inheritable: 0 },
        Sets { effective: 0, permitted: 0, inheritable: 0 },
    ];
    // SAFETY: structures as above, which the kernel only reads.
    if unsafe { libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) } != 0 {
        return Err(refused("capset"));
    }
    Ok(())
}

/// There is nothing that a thread could give up by itself.
#[cfg(not(target_os = "linux"))]
pub fn give_up(_kept: u32) -> io::Result<()> {
    Ok(())
}

/// Starts a thread that has no capability but `kept`. Where they cannot be given up it does nothing, and that is the error.
pub(super) fn spawn(name: &str, kept: u32, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let (told, answer) = sync_channel(1);
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let given_up = give_up(kept);
        let may_work = given_up.is_ok();
        if told.send(given_up).is_ok() && may_work {
            work();
        }
    })?;
    answer.recv().map_err(io::Error::other)??;
    Ok(thread)
}

#[cfg(target_os = "linux")]
fn refused(call: &str) -> io::Error {
    let error = io::Error::last_os_error();
    io::Error::new(error.kind(), format!("privileges cannot be given up: {call} was refused: {error}"))
}
