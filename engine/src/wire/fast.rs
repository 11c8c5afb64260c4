//! The short way for nearly every frame: Ethernet, perhaps VLAN tags, IP, whole TCP or UDP.
//!
//! `None` says that nothing was handed out and the long way has to be gone: everything odd, nested or cut in a header
//! is left to it. Both ways give the same packet wherever this one gives any; a test of the decoder holds them to it.
//!
//! Everything is inlined and each packet written once, in place: building it elsewhere and copying it costs as much
//! again as all the rest (measured: 23 against 13 ns).
#![allow(clippy::inline_always)]

use super::ethernet::{IPV4, IPV6, is_vlan};
use super::packet::push_vlan;
use super::transport::{TCP, TCP_HEADER, UDP, UDP_HEADER};
use super::walk::{be16, be32};
use super::{Address, Packet, Transport, udp_tunnel};

/// The frame up to its IP header. Passed by value, so that all of it stays in registers.
#[derive(Clone, Copy)]
struct Link<'a> {
    /// From the IP header on.
    rest: &'a [u8],
    /// Position of the IP header.
    at: usize,
    /// Bytes from there on, on the wire.
    on_wire: usize,
    vlan: u64,
    time_ns: i64,
}

/// The packet up to its transport header.
#[derive(Clone, Copy)]
struct Network<'a> {
    source: Address,
    destination: Address,
    id: u16,
    hop_limit: u8,
    version: u8,
    protocol: u8,
    total: usize,
    /// Position of the transport header.
    at: usize,
    /// Bytes from there on: as the IP header says, and captured.
    on_wire: usize,
    segment: &'a [u8],
}

/// Appends the packet of an Ethernet frame to `out`.
#[inline(always)]
pub(super) fn packet(bytes: &[u8], wire_len: u32, time_ns: i64, out: &mut Vec<Packet>) -> Option<()> {
    let (header, rest) = bytes.split_first_chunk::<14>()?;
    let link = Link { rest, at: 14, on_wire: bytes.len().max(wire_len as usize) - 14, vlan: 0, time_ns };
    match be16(header, 12) {
        IPV4 => v4(link, out),
        IPV6 => v6(link, out),
        ethertype if is_vlan(ethertype) => tagged(link, out),
        _ => None,
    }
}

/// Up to four VLAN tags.
#[inline(never)]
fn tagged(mut link: Link, out: &mut Vec<Packet>) -> Option<()> {
    for _ in 0..4 {
        let (tag, rest) = link.rest.split_first_chunk::<4>()?;
        let vlan = push_vlan(link.vlan, be16(tag, 0));
        link = Link { rest, at: link.at + 4, on_wire: link.on_wire - 4, vlan, ..link };
        match be16(tag, 2) {
            IPV4 => return v4(link, out),
            IPV6 => return v6(link, out),
            ethertype if is_vlan(ethertype) => {}
            _ => return None,
        }
    }
    None
}

#[inline(always)]
fn v4(link: Link, out: &mut Vec<Packet>) -> Option<()> {
    let header = link.rest.first_chunk::<20>()?;
    let header_len = usize::from(header[0] & 0x0f) * 4;
    let total = usize::from(be16(header, 2));
    let fragmented = be16(header, 6) & 0x3fff != 0;
    if header[0] >> 4 != 4 || header_len < 20 || total < header_len || total > link.on_wire || fragmented {
        return None;
    }
    let network = Network {
        source: Address::from_v4([header[12], header[13], header[14], header[15]]),
        destination: Address::from_v4([header[16], header[17], header[18], header[19]]),
        id: be16(header, 4),
        hop_limit: header[8],
        version: 4,
        protocol: header[9],
        total,
        at: link.at + header_len,
        on_wire: total - header_len,
        segment: link.rest.get(header_len..total.min(link.rest.len()))?,
    };
    transport(link, network, out)
}

#[inline(always)]
fn v6(link: Link, out: &mut Vec<Packet>) -> Option<()> {
    let (header, rest) = link.rest.split_first_chunk::<8>()?;
    let (source, rest) = rest.split_first_chunk::<16>()?;
    let (destination, rest) = rest.split_first_chunk::<16>()?;
    let payload = usize::from(be16(header, 4));
    let total = payload + 40;
    if header[0] >> 4 != 6 || payload == 0 || total > link.on_wire {
        return None;
    }
    let network = Network {
        source: Address::from_v6(*source),
        destination: Address::from_v6(*destination),
        id: 0,
        hop_limit: header[7],
        version: 6,
        protocol: header[6],
        total,
        at: link.at + 40,
        on_wire: payload,
        segment: rest.get(..payload.min(rest.len()))?,
    };
    transport(link, network, out)
}

#[inline(always)]
fn transport(link: Link, network: Network, out: &mut Vec<Packet>) -> Option<()> {
    match network.protocol {
        TCP => tcp(link, network, out),
        UDP => udp(link, network, out),
        _ => None,
    }
}

#[inline(always)]
fn tcp(link: Link, network: Network, out: &mut Vec<Packet>) -> Option<()> {
    let header = network.segment.first_chunk::<TCP_HEADER>()?;
    let data_offset = usize::from(header[12] >> 4) * 4;
    if data_offset < TCP_HEADER || data_offset > network.on_wire {
        return None;
    }
    out.push(Packet {
        source_port: be16(header, 0),
        destination_port: be16(header, 2),
        sequence: be32(header, 4),
        acknowledgement: be32(header, 8),
        window: be16(header, 14),
        checksum: be16(header, 16),
        tcp_flags: header[13],
        ..behind(link, &network, data_offset, network.on_wire - data_offset)
    });
    Some(())
}

#[inline(always)]
fn udp(link: Link, network: Network, out: &mut Vec<Packet>) -> Option<()> {
    let header = network.segment.first_chunk::<UDP_HEADER>()?;
    let (source_port, destination_port) = (be16(header, 0), be16(header, 2));
    let length = usize::from(be16(header, 4));
    let tunnel = udp_tunnel::is_port(source_port) || udp_tunnel::is_port(destination_port);
    let tunnel = tunnel || udp_tunnel::is_teredo(network.segment.get(UDP_HEADER..).unwrap_or_default());
    if length < UDP_HEADER || length > network.on_wire || tunnel {
        return None;
    }
    out.push(Packet {
        source_port,
        destination_port,
        checksum: be16(header, 6),
        ..behind(link, &network, UDP_HEADER, length - UDP_HEADER)
    });
    Some(())
}

/// All but the transport's own fields, with the payload behind a header of `header` bytes.
#[inline(always)]
fn behind(link: Link, network: &Network, header: usize, payload_len: usize) -> Packet {
    let captured = network.segment.len();
    Packet {
        time_ns: link.time_ns,
        source: network.source,
        destination: network.destination,
        tunnel: 0,
        vlan: link.vlan,
        ip_len: network.total as u32,
        payload_len: payload_len as u32,
        payload_at: (network.at + header.min(captured)) as u32,
        payload_captured: captured.saturating_sub(header).min(payload_len) as u32,
        sequence: 0,
        acknowledgement: 0,
        window: 0,
        ip_id: network.id,
        checksum: 0,
        hop_limit: network.hop_limit,
        source_port: 0,
        destination_port: 0,
        transport: Transport::Whole,
        version: network.version,
        protocol: network.protocol,
        tcp_flags: 0,
        reassembled: false,
    }
}
