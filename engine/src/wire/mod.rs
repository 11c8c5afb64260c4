//! Frame bytes to IP packets and their transport headers.
//!
//! [`Decoder`] goes from the link header inwards, through VLAN tags, tunnels and fragments, and hands out one
//! [`Packet`] per IP packet that a reader would call traffic. Lengths are those of the headers, so a short snap length
//! loses nothing. Whatever the bytes are, nothing panics: [`Outcome`] says what a frame was, [`Counts`] how often.

mod address;
mod checksum;
mod decoder;
mod dot11;
mod encapsulation;
mod erf;
mod ethernet;
mod fast;
mod fragment;
mod glance;
mod gre;
mod ipv4;
mod ipv6;
mod link;
mod mpls;
mod outcome;
mod packet;
mod packet_tap;
mod ppp;
#[cfg(test)]
mod tests;
mod transport;
mod udp_tunnel;
mod walk;

pub use address::Address;
pub use decoder::{DECODE_DEPTH, Decoder};
pub use encapsulation::{Encapsulation, tunnel_path};
pub use fragment::{FRAGMENT_BYTES, FRAGMENT_COPY_NS, FRAGMENT_TABLE, FRAGMENT_TIMEOUT_NS};
pub use glance::Glance;
pub use link::ETHERNET as LINKTYPE_ETHERNET;
pub use outcome::{Counts, LayerError, NotIp, Outcome};
pub use packet::{Packet, Transport, VLAN_TAGS, vlan_ids};
pub use packet_tap::{is_packet_tap, packet_tap_process};
#[cfg(target_os = "linux")]
pub(crate) use udp_tunnel::PORTS as TUNNEL_PORTS;
