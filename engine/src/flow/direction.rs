//! Who opened a flow, as far as its first packet tells: a SYN, what the protocol says, then likely server ports.
//!
//! Without a SYN nothing is certain, and the basis says what it rests on. An answer opens nothing: a lone SYN-ACK, or a
//! reset that refuses a SYN, as backscatter of forged addresses is, leads to the end that it was sent to.

use super::greeting::{Speaker, likely_speaker, speaker};
use super::key::{Side, protocol};
use super::ports;
use super::record::{Basis, Flow};
use super::tcp::flag;
use crate::wire::{Address, Packet};

/// Tells the initiator from the first packet.
pub(super) fn direct(flow: &mut Flow, side: Side, packet: &Packet, payload: &[u8]) {
    flow.initiator = side as u8;
    flow.basis = Basis::FirstPacket;
    let (source, destination) = (packet.source_port, packet.destination_port);
    let broadcast = packet.destination == Address(0xFFFF_FFFF_FFFF);
    match flow.key.protocol() {
        protocol::TCP => {
            let syn = packet.tcp_flags & flag::SYN != 0;
            let ack = packet.tcp_flags & flag::ACK != 0;
            if syn && !ack {
                flow.basis = Basis::Syn;
                flow.syn_sequence = packet.sequence;
                return;
            }
            let (from, to) = (ports::is_likely_tcp_server(source), ports::is_likely_tcp_server(destination));
            let told = if syn { None } else { speaker(payload) };
            let told = told.or_else(|| if from || to { None } else { without_ports(packet, payload) });
            if let Some(told) = told {
                flow.basis = Basis::Protocol;
                if told == Speaker::Responder && !broadcast {
                    flow.flip(Basis::Protocol);
                    flow.write_flip();
                }
                return;
            }
            let flips = from && (!to || !syn && source < destination) && !broadcast;
            if flips {
                flow.flip(if syn { Basis::SynAck } else { Basis::Port });
                flow.write_flip();
            } else if to != from && !syn {
                flow.basis = Basis::Port;
            }
        }
        protocol::UDP => {
            let (from, to) = (ports::is_likely_udp_server(source), ports::is_likely_udp_server(destination));
            if from && !to && !broadcast {
                flow.flip(Basis::Port);
                flow.write_flip();
            } else if to && !from {
                flow.basis = Basis::Port;
            }
            direct_by_message(flow, side, packet, payload);
        }
        protocol::ICMP if matches!(source, 8 | 13 | 15 | 17 | 10) => flow.basis = Basis::Protocol,
        protocol::ICMP6 if matches!(source, 128 | 133 | 135 | 130 | 139 | 144) => flow.basis = Basis::Protocol,
        _ => {}
    }
}

/// Who sent a first segment that is no SYN, where no port tells.
fn without_ports(packet: &Packet, payload: &[u8]) -> Option<Speaker> {
    const REFUSAL: u8 = flag::RST | flag::ACK;
    match packet.tcp_flags & (flag::SYN | flag::FIN | REFUSAL) {
        // RFC 9293, 3.5.2, group 1: only what answers a segment without ACK has number 0, and that was a SYN.
        REFUSAL if packet.sequence == 0 => Some(Speaker::Responder),
        flags if flags & flag::SYN == 0 => likely_speaker(payload),
        _ => None,
    }
}

/// DNS and NTP say in their first bytes whether they ask or answer.
fn direct_by_message(flow: &mut Flow, side: Side, packet: &Packet, payload: &[u8]) {
    let multicast = (packet.destination.0 >> 120) as u8 == 0xFF && flow.key.version() == 6
        || flow.key.version() == 4 && (packet.destination.0 as u32) >> 28 == 0xE;
    let ports = [packet.source_port, packet.destination_port];
    let answers = if ports.iter().any(|&port| ports::is_dns(port)) && payload.len() >= 12 {
        Some(payload[2] & 0x80 != 0)
    } else if ports.contains(&123) && payload.len() >= 48 {
        match payload[0] & 7 {
            3 => Some(false),
            4 => Some(true),
            _ => None,
        }
    } else {
        None
    };
    let Some(answers) = answers else { return };
    let sender_is_initiator = flow.initiator_side() == side;
    if answers && sender_is_initiator && !multicast {
        flow.flip(Basis::Protocol);
        flow.write_flip();
    } else if answers != sender_is_initiator {
        flow.basis = Basis::Protocol;
    }
}
