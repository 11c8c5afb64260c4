//! What a packet does to its flow.

use super::key::{Side, protocol};
use super::record::{Basis, EndState, Flow, seen};
use super::table::Moment;
use super::tcp::{self, flag};
use crate::wire::{Packet, Transport};

/// Counts the packet and lets TCP move on.
#[inline(always)] // the call alone takes a tenth of what it does
#[allow(clippy::inline_always)]
pub(super) fn apply(flow: &mut Flow, side: Side, packet: &Packet, moment: Moment) {
    flow.last_frame = moment.frame;
    flow.last_capture = moment.capture;
    flow.start_ns = flow.start_ns.min(moment.time_ns);
    flow.last_ns = flow.last_ns.max(moment.time_ns);
    let is_tcp = flow.key.protocol() == protocol::TCP;
    if packet.transport != Transport::Whole {
        if packet.transport == Transport::BadChecksum {
            tcp::bad_checksum(flow, side);
            return;
        }
        if is_tcp {
            // A header that is cut or lies: there is a flow, but nothing can be said of the packet.
            return;
        }
    }
    let end = &mut flow.ends[side];
    end.packets += 1;
    end.ip_bytes += u64::from(packet.ip_len);
    if packet.payload_len > 0 {
        flow.last_data_ns = flow.last_data_ns.max(moment.time_ns);
    }
    if is_tcp {
        if packet.tcp_flags & flag::SYN != 0 && flow.syn_frame == 0 {
            note_syn(flow, side, packet, moment);
        }
        tcp::update(flow, side, packet);
        if flow.closed_ns == 0 && flow.ends.iter().all(|end| matches!(end.state, EndState::Closed | EndState::Reset)) {
            flow.closed_ns = flow.last_ns;
        }
        return;
    }
    end.payload += u64::from(packet.payload_len);
    if flow.key.protocol() == protocol::UDP {
        flow.write_once(side, seen::DATA, b'D');
    }
}

/// Remembers the SYN of the initiator, also of one that comes to light by its SYN.
fn note_syn(flow: &mut Flow, side: Side, packet: &Packet, moment: Moment) {
    let swapped = side != flow.initiator_side()
        && flow.forward().state == EndState::SynAckSent
        && flow.reverse().state == EndState::Inactive;
    if packet.tcp_flags & flag::ACK == 0 && (side == flow.initiator_side() || swapped) {
        flow.syn_frame = moment.frame;
        flow.syn_sequence = packet.sequence;
        if !swapped {
            flow.basis = Basis::Syn;
        }
    }
}
