//! What is asked of a scan.

use super::listener::Wishes;
use crate::interest::Interest;
use crate::room::Room;
use crate::wire;

/// What VLAN tags mean to flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VlanMode {
    /// Nothing, but flows of which packets come by several VLANs are told as problems: mirror ports give each direction
    /// its own tag, and different networks may use the same addresses.
    #[default]
    Auto,
    /// Nothing.
    Ignore,
    /// Packets of different VLANs belong to different flows.
    Strict,
}

/// How a scan is to be done.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // switches that do not depend on each other
pub struct Options {
    /// Which flows to hand out as columns; `None`: all.
    pub interest: Option<Interest>,
    /// Also hand out the rows of other flows, for a complete flow table.
    pub keep_all: bool,
    /// What is to be read of payloads.
    pub wishes: Wishes,
    /// Tell who tries many ports of whom.
    pub port_scans: bool,
    /// Fingerprint the payload of the flows that are wanted.
    pub fingerprints: bool,
    /// Treat packets with wrong checksums as Zeek does by default, rather than count them like others.
    pub validate_checksums: bool,
    /// Take packets that a mirror port delivered twice for two.
    pub keep_duplicates: bool,
    /// What VLAN tags mean.
    pub vlan: VlanMode,
    /// How much is kept at once.
    pub room: Room,
    /// Nested encapsulations that are followed.
    pub decode_depth: u8,
    /// Threads at most. Large files are read and decoded by all of them; what comes of it is the same.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            interest: None,
            keep_all: true,
            wishes: Wishes::default(),
            port_scans: true,
            fingerprints: false,
            validate_checksums: false,
            keep_duplicates: false,
            vlan: VlanMode::Auto,
            room: Room::default(),
            decode_depth: wire::DECODE_DEPTH,
            threads: 1,
        }
    }
}
