//! Where one flow of a 5-tuple ends and the next begins.

use super::key::{FlowKey, Side, protocol};
use super::record::{EndState, Flow, seen};
use super::tcp::flag;
use super::tombstone::Tombstone;
use crate::wire::Packet;

/// A SYN on a living flow: a retransmission, a late start of it, or the next connection on the same ports.
pub(super) fn is_new_connection(flow: &Flow, side: Side, packet: &Packet) -> bool {
    let initiator = flow.initiator_side();
    let over = |state| matches!(state, EndState::Closed | EndState::Reset);
    let over = over(flow.ends[0].state) || over(flow.ends[1].state);
    if packet.tcp_flags & flag::ACK != 0 {
        // Only where this end alone has spoken so far, and not when it says the same once more.
        let alone = side != initiator
            && flow.forward().state == EndState::Inactive
            && flow.reverse().state != EndState::Inactive;
        let repeats = flow.reverse().seen & seen::SYN_ACK != 0 && flow.details[side].syn == packet.sequence;
        return alone && (over || !repeats);
    }
    if over {
        return true;
    }
    if side != initiator {
        // The SYN of a swapped pair, or a simultaneous opening.
        return !(matches!(flow.forward().state, EndState::SynAckSent | EndState::SynSent)
            && flow.reverse().state == EndState::Inactive);
    }
    if flow.syn_frame != 0 {
        return flow.syn_sequence != packet.sequence;
    }
    // In mid-stream: a SYN at the place where the stream is known to begin is late, another one is new.
    let state = flow.forward().state;
    state != EndState::Inactive && flow.forward().stream.begun && packet.sequence != flow.forward().stream.next
}

/// Whether a packet that finds a tombstone goes on with the flow that was.
pub(super) fn continues(known: &Tombstone, key: &FlowKey, packet: &Packet) -> bool {
    if key.protocol() != protocol::TCP {
        return true;
    }
    if packet.tcp_flags & (flag::SYN | flag::ACK) == flag::SYN {
        return known.unanswered && known.syn_sequence == packet.sequence;
    }
    true
}
