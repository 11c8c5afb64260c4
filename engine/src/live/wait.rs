//! Waiting for packets.

use std::os::fd::RawFd;

/// Descriptors to wait for.
#[derive(Default)]
pub struct Waiting {
    polled: Vec<libc::pollfd>,
}

impl Waiting {
    /// Waits until one of the descriptors has something, or an error, at most so many milliseconds; whether one has.
    pub fn for_any(&mut self, descriptors: impl Iterator<Item = RawFd>, milliseconds: i32) -> bool {
        self.polled.clear();
        self.polled.extend(descriptors.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 }));
        // SAFETY: the pointer is to as many entries as told, which outlive the call.
        unsafe { libc::poll(self.polled.as_mut_ptr(), self.polled.len() as libc::nfds_t, milliseconds) > 0 }
    }

    /// Whether a descriptor had an error when it was waited for last.
    #[cfg(target_os = "linux")]
    pub fn met_error(&self, fd: RawFd) -> bool {
        self.polled.iter().any(|polled| polled.fd == fd && polled.revents & libc::POLLERR != 0)
    }
}

/// Waits until a descriptor has something, or an error, at most so many milliseconds; whether it has.
pub fn for_one(fd: RawFd, milliseconds: i32) -> bool {
    Waiting::default().for_any(std::iter::once(fd), milliseconds)
}
