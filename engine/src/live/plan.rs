//! What is to be watched, and how.

use std::io::PipeReader;
use std::time::Duration;

use super::evidence::EvidencePlan;
#[cfg(target_os = "linux")]
use super::filter::Program;
use crate::interest::Interest;
use crate::room::Room;
use crate::scan::{Options, VlanMode, Wishes};

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Aim {
    /// Address ranges of wanted flows; `None`: all are wanted.
    pub networks: Option<Vec<(u128, u128)>>,
    /// TCP ports of wanted flows, with `networks`.
    pub ports: Vec<u16>,
    /// What to read of payloads.
    pub wishes: Wishes,
    /// Let the kernel turn away what is not wanted, instead of its payload alone.
    pub kernel_filter: bool,
}

/// An interface that is read elsewhere in this program, and written here as a capture while that goes on.
#[derive(Debug)]
pub struct Feed {
    /// The interface.
    pub name: String,
    /// Where its capture comes from.
    pub reader: PipeReader,
}

/// What is to be watched, and how.
#[derive(Debug, Default)]
pub struct Plan {
    /// Interfaces of which the kernel writes the packets into a ring; on Linux only.
    pub interfaces: Vec<String>,
    /// Interfaces that are read elsewhere.
    pub feeds: Vec<Feed>,
    /// Captures that are written meanwhile: paths, `-` for standard input.
    pub streams: Vec<String>,
    /// Time between two ticks.
    pub tick: Duration,
    /// Bytes of each interface's ring.
    pub ring_bytes: usize,
    /// How much is kept at once.
    pub room: Room,
    /// Take what a mirror port delivered twice as two packets.
    pub keep_duplicates: bool,
    /// What VLAN tags mean to flows.
    pub vlan: VlanMode,
    /// What to look for.
    pub aim: Aim,
    /// Where to keep packets; none are kept without.
    pub evidence: Option<EvidencePlan>,
}

impl Aim {
    pub(super) fn interest(&self) -> Option<Interest> {
        self.networks.as_ref().map(|networks| Interest::new(networks, &self.ports))
    }

    #[cfg(target_os = "linux")]
    pub(super) fn program(&self) -> Option<Program> {
        Program::new(self.networks.as_ref()?, &self.ports, self.kernel_filter)
    }
}

impl Plan {
    /// How packets become flows.
    pub(super) fn options(&self) -> Options {
        Options {
            interest: self.aim.interest(),
            wishes: self.aim.wishes.clone(),
            keep_all: false,
            room: self.room.clone(),
            keep_duplicates: self.keep_duplicates,
            vlan: self.vlan,
            ..Options::default()
        }
    }
}
