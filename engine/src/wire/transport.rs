//! TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792, 4443) and where IP packets lie in IP packets.

use super::decoder::Context;
use super::walk::{Ip, Next, Step, Stop, Walk, be16, be32, saturated};
use super::{Encapsulation, Packet, Transport, checksum, gre, udp_tunnel};

pub(super) const ICMP: u8 = 1;
const IPV4: u8 = 4;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
const IPV6: u8 = 41;
const GRE: u8 = 47;
pub(super) const ICMPV6: u8 = 58;

pub(super) const TCP_HEADER: usize = 20;
pub(super) const UDP_HEADER: usize = 8;
const ICMP_HEADER: usize = 8;

/// Hands out the packet whose transport header begins here, or what it carries.
pub(super) fn packet(cx: &mut Context, walk: &Walk, ip: &Ip) -> Stop {
    match ip.protocol {
        TCP => tcp(cx, walk, ip),
        UDP => udp(cx, walk, ip),
        ICMP | ICMPV6 => icmp(cx, walk, ip),
        IPV4 | IPV6 => carrier(cx, walk, ip, inner_ip(ip)),
        GRE => carrier(cx, walk, ip, gre::header),
        _ => {
            cx.push(base(walk, ip));
            Stop::Done
        }
    }
}

/// Hands out a packet of which an extension header of `needed` bytes is cut.
pub(super) fn cut(cx: &mut Context, walk: &Walk, ip: &Ip, needed: usize) -> Stop {
    let mut packet = Packet { transport: short(walk, needed), ..base(walk, ip) };
    after(&mut packet, 0, 0);
    cx.push(packet);
    Stop::Done
}

/// The packet without a transport header: everything after the IP headers is payload.
fn base(walk: &Walk, ip: &Ip) -> Packet {
    Packet {
        time_ns: walk.time_ns,
        source: ip.source,
        destination: ip.destination,
        tunnel: walk.tunnel,
        vlan: walk.vlan,
        ip_len: ip.length,
        payload_len: saturated(walk.on_wire()),
        payload_at: saturated(walk.at.min(walk.data.len())),
        payload_captured: saturated(walk.captured().len()),
        ip_id: ip.id,
        hop_limit: ip.hop_limit,
        version: ip.version,
        protocol: ip.protocol,
        reassembled: walk.reassembled,
        ..Packet::default()
    }
}

/// Moves the payload behind a transport header of `header` bytes.
fn after(packet: &mut Packet, header: usize, payload_len: usize) {
    let header = saturated(header);
    packet.payload_len = saturated(payload_len);
    packet.payload_at += header.min(packet.payload_captured);
    packet.payload_captured = packet.payload_captured.saturating_sub(header).min(packet.payload_len);
}

/// A transport header that needs more bytes than there are.
fn short(walk: &Walk, needed: usize) -> Transport {
    let cut = walk.on_wire() >= needed;
    let available = if cut { walk.captured().len() } else { walk.on_wire() };
    let bounded = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
    Transport::Short { needed: bounded(needed), available: bounded(available), cut }
}

/// Whether the checksum over the segment is wrong; never where bytes of it are missing.
fn is_bad(cx: &Context, walk: &Walk, ip: &Ip, length: usize) -> bool {
    if !cx.validate_checksums || walk.incomplete {
        return false;
    }
    let Some(segment) = walk.captured().get(..length) else { return false };
    let pseudo = if ip.protocol == ICMP { 0 } else { checksum::pseudo_header(ip, length) };
    !checksum::fits(checksum::sum(segment) + pseudo)
}

fn tcp(cx: &mut Context, walk: &Walk, ip: &Ip) -> Stop {
    let mut packet = base(walk, ip);
    let captured = walk.captured();
    // A cut header is read as far as it goes: zeros beyond.
    let mut header = [0; TCP_HEADER];
    let there = captured.len().min(TCP_HEADER);
    header[..there].copy_from_slice(&captured[..there]);
    let read16 = |at: usize| if there >= at + 2 { be16(&header, at) } else { 0 };
    let read32 = |at: usize| if there >= at + 4 { be32(&header, at) } else { 0 };
    packet.source_port = read16(0);
    packet.destination_port = read16(2);
    packet.sequence = read32(4);
    packet.acknowledgement = read32(8);
    packet.tcp_flags = header[13];
    packet.window = read16(14);
    packet.checksum = read16(16);
    let data_offset = usize::from(header[12] >> 4) * 4;
    let needed = data_offset.max(TCP_HEADER);
    if data_offset < TCP_HEADER || walk.on_wire() < needed {
        packet.transport = match short(walk, needed) {
            // A header that is there but says it is smaller than possible lies; where it was cut, nothing is known.
            Transport::Short { needed, available, .. } if there > 12 => {
                Transport::Short { needed, available, cut: false }
            }
            transport => transport,
        };
        after(&mut packet, there, 0);
    } else {
        if there < TCP_HEADER {
            packet.transport = short(walk, TCP_HEADER);
        } else if is_bad(cx, walk, ip, walk.on_wire()) {
            packet.transport = Transport::BadChecksum;
        }
        after(&mut packet, data_offset, walk.on_wire() - data_offset);
    }
    cx.push(packet);
    Stop::Done
}

fn udp(cx: &mut Context, walk: &Walk, ip: &Ip) -> Stop {
    let mut packet = base(walk, ip);
    if let Some(ports) = walk.peek::<4>() {
        (packet.source_port, packet.destination_port) = (be16(ports, 0), be16(ports, 2));
    }
    let Some(header) = walk.peek::<UDP_HEADER>() else {
        packet.transport = short(walk, UDP_HEADER);
        after(&mut packet, UDP_HEADER, 0);
        cx.push(packet);
        return Stop::Done;
    };
    // 0 stands for "all of it" in jumbograms (RFC 2675, 4) and with segmentation offload.
    let length = match usize::from(be16(header, 4)) {
        0 => walk.on_wire(),
        length => length.min(walk.on_wire()),
    };
    let Some(payload_len) = length.checked_sub(UDP_HEADER) else {
        packet.transport = Transport::Short { needed: UDP_HEADER as u16, available: length as u16, cut: false };
        after(&mut packet, UDP_HEADER, 0);
        cx.push(packet);
        return Stop::Done;
    };
    after(&mut packet, UDP_HEADER, payload_len);
    packet.checksum = be16(header, 6);
    if packet.checksum != 0 && is_bad(cx, walk, ip, length) {
        packet.transport = Transport::BadChecksum;
        cx.push(packet);
        return Stop::Done;
    }
    cx.push(packet);
    let inner = Walk { at: walk.at + UDP_HEADER, end: walk.at + length, guessed: true, ..*walk };
    let tunnel = udp_tunnel::at(packet.destination_port).or_else(|| udp_tunnel::at(packet.source_port));
    let tunnel = tunnel.or_else(|| udp_tunnel::is_teredo(inner.captured()).then_some(udp_tunnel::teredo as _));
    if let Some(first) = tunnel {
        // Whatever else it may be, the carrier stands as a packet of its own already.
        let _ = cx.enter(inner, first);
    }
    Stop::Done
}

fn icmp(cx: &mut Context, walk: &Walk, ip: &Ip) -> Stop {
    let mut packet = base(walk, ip);
    if let Some(&[kind, code]) = walk.peek::<2>() {
        (packet.source_port, packet.destination_port) = (u16::from(kind), u16::from(code));
    }
    packet.checksum = walk.peek::<4>().map_or(0, |header| be16(header, 2));
    if walk.peek::<ICMP_HEADER>().is_none() {
        packet.transport = short(walk, ICMP_HEADER);
    } else if is_bad(cx, walk, ip, walk.on_wire()) {
        packet.transport = Transport::BadChecksum;
    }
    after(&mut packet, ICMP_HEADER, walk.on_wire().saturating_sub(ICMP_HEADER));
    cx.push(packet);
    Stop::Done
}

/// An IP-level tunnel: it is the content that is handed out, and the carrier only where there is no reading it.
fn carrier(cx: &mut Context, walk: &Walk, ip: &Ip, first: fn(&mut Walk) -> Step) -> Stop {
    match cx.enter(*walk, first) {
        Some(stop @ (Stop::Done | Stop::BadHeaderChecksum)) => stop,
        unread => {
            if unread.is_some() {
                cx.counts.tunnels_unread += 1;
            }
            cx.push(base(walk, ip));
            Stop::Done
        }
    }
}

fn inner_ip(ip: &Ip) -> fn(&mut Walk) -> Step {
    match (ip.version, ip.protocol) {
        (4, IPV6) => |walk| inner(walk, Encapsulation::SixInFour),
        (6, IPV4) => |walk| inner(walk, Encapsulation::FourInSix),
        _ => |walk| inner(walk, Encapsulation::IpIp),
    }
}

/// A `Step` because every tunnel begins with one.
#[allow(clippy::unnecessary_wraps)]
fn inner(walk: &mut Walk, name: Encapsulation) -> Step {
    walk.inside(name);
    Ok(Next::Ip)
}
