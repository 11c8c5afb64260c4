//! Waiting for packets.

use std::os::fd::RawFd;

/// Waits until one of the descriptors has something, or an error, at most so many milliseconds; whether one has.
pub fn for_any(descriptors: &[RawFd], milliseconds: i32) -> bool {
    let mut polled: Vec<libc::pollfd> =
        descriptors.iter().map(|&fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 }).collect();
    // SAFETY: the pointer is to as many entries as told, which outlive the call.
    unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, milliseconds) > 0 }
}
