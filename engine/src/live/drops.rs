//! What was lost on the way from the wire to us, by cause.

// Only rings tell of it.
#![cfg_attr(not(target_os = "linux"), allow(dead_code))]

#[cfg(target_os = "linux")]
use std::os::fd::RawFd;

#[cfg(target_os = "linux")]
use super::socket::interface_counters;

/// Losses since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// Packets for which the ring had no room.
    pub kernel: u64,
    /// How often the ring was full.
    pub freezes: u64,
    /// Packets that the interface itself lost, for want of buffers of its own.
    pub interface: u64,
    /// The interface's counter when it was read last.
    counter: u64,
}

#[cfg(target_os = "linux")]
impl Drops {
    /// Counts from now on what the interface of that name loses.
    pub fn begin(&mut self, interface: &str) {
        self.counter = interface_counters(interface).map_or(0, |(_, lost)| lost);
    }

    /// Adds what was lost since the last time; the kernel's counters begin anew with each look.
    pub fn read(&mut self, socket: RawFd, interface: &str) {
        let mut counts = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        let mut size = size_of::<libc::tpacket_stats_v3>() as libc::socklen_t;
        // SAFETY: both pointers are to variables of ours, of the sizes told.
        let done = unsafe {
            libc::getsockopt(socket, libc::SOL_PACKET, libc::PACKET_STATISTICS, (&raw mut counts).cast(), &raw mut size)
        };
        if done == 0 {
            self.kernel += u64::from(counts.tp_drops);
            self.freezes += u64::from(counts.tp_freeze_q_cnt);
        }
        if let Some((_, lost)) = interface_counters(interface) {
            self.interface += lost.saturating_sub(self.counter);
            self.counter = lost;
        }
    }
}

impl Drops {
    /// All packets that are known to be lost.
    pub fn packets(&self) -> u64 {
        self.kernel + self.interface
    }
}
