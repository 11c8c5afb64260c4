//! The plainest frame at a glance: untagged Ethernet, IPv4 without options or fragments, whole TCP or UDP.
//!
//! Most frames of most captures belong to flows that nobody asks about, and a few fields tell. These are read here into
//! registers; a whole [`super::Packet`] is written only for those that somebody may want. Whatever is odd in any way has
//! no glance and is left to the decoder. Where there is one, the decoder's packet says the same: a test holds both to it.
#![allow(clippy::inline_always)]

use super::ethernet::IPV4;
use super::transport::{TCP, TCP_HEADER, UDP, UDP_HEADER};
use super::walk::{be16, be32};
use super::{Packet, udp_tunnel};

const ETHERNET_HEADER: usize = 14;
const IP_HEADER: usize = 20;
/// Where the transport header begins.
const TRANSPORT: usize = ETHERNET_HEADER + IP_HEADER;
/// Bytes that are looked at. Ethernet pads its frames to 60.
const LEAST: usize = TRANSPORT + TCP_HEADER;

/// What tells whose a frame is, and what is counted of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Sender and receiver, IPv4 addresses as numbers.
    pub address: [u32; 2],
    /// Their ports.
    pub port: [u16; 2],
    /// IPv4 total length.
    pub ip_len: u16,
    /// TCP or UDP.
    pub protocol: u8,
    /// TCP flags; 0 for UDP.
    pub tcp_flags: u8,
}

impl Glance {
    /// Where the payload of a UDP frame with a glance begins.
    pub const UDP_PAYLOAD: usize = TRANSPORT + UDP_HEADER;

    /// At the bytes of an Ethernet frame that was `wire_len` long.
    #[inline(always)]
    pub fn at(bytes: &[u8], wire_len: u32) -> Option<Glance> {
        let head = bytes.first_chunk::<LEAST>()?;
        let on_wire = bytes.len().max(wire_len as usize) - ETHERNET_HEADER;
        let total = usize::from(be16(head, 16));
        let fragmented = be16(head, 20) & 0x3fff != 0;
        if be16(head, 12) != IPV4 || head[14] != 0x45 || fragmented || total > on_wire {
            return None;
        }
        let protocol = head[23];
        let tcp_flags = match protocol {
            TCP => {
                let data_offset = usize::from(head[TRANSPORT + 12] >> 4) * 4;
                if data_offset < TCP_HEADER || total < IP_HEADER + data_offset {
                    return None;
                }
                head[TRANSPORT + 13]
            }
            UDP => {
                let length = usize::from(be16(head, TRANSPORT + 4));
                let tunnel =
                    udp_tunnel::is_port(be16(head, TRANSPORT)) || udp_tunnel::is_port(be16(head, TRANSPORT + 2));
                let tunnel = tunnel || udp_tunnel::is_teredo(bytes.get(TRANSPORT + UDP_HEADER..).unwrap_or_default());
                if length < UDP_HEADER || total < IP_HEADER + length || tunnel {
                    return None;
                }
                0
            }
            _ => return None,
        };
        Some(Glance {
            address: [be32(head, 26), be32(head, 30)],
            port: [be16(head, TRANSPORT), be16(head, TRANSPORT + 2)],
            ip_len: total as u16,
            protocol,
            tcp_flags,
        })
    }

    /// Of the packet that has this glance, what tells it from others. Addresses, ports and payload are not among that.
    #[inline(always)]
    pub fn identity(&self, bytes: &[u8], time_ns: i64) -> Packet {
        let Some(head) = bytes.first_chunk::<LEAST>() else { return Packet::default() };
        let common = Packet {
            time_ns,
            ip_id: be16(head, 18),
            hop_limit: head[22],
            protocol: self.protocol,
            ip_len: u32::from(self.ip_len),
            version: 4,
            ..Packet::default()
        };
        if self.protocol == UDP {
            return Packet { checksum: be16(head, TRANSPORT + 6), ..common };
        }
        let headers = IP_HEADER + usize::from(head[TRANSPORT + 12] >> 4) * 4;
        Packet {
            sequence: be32(head, TRANSPORT + 4),
            acknowledgement: be32(head, TRANSPORT + 8),
            tcp_flags: self.tcp_flags,
            window: be16(head, TRANSPORT + 14),
            checksum: be16(head, TRANSPORT + 16),
            payload_len: u32::from(self.ip_len).saturating_sub(headers as u32),
            ..common
        }
    }
}
