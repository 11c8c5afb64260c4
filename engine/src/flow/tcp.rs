//! What one TCP segment does to its flow: states of both ends, history, payload, gaps.
//!
//! Written from the description of Zeek's connection semantics (states, letters and their order within one
//! packet), so that analysts read `state` and `history` as they are used to.

use super::key::Side;
use super::record::{Basis, EndState, Flow, seen};
use crate::wire::Packet;

/// TCP header flags, RFC 9293, 3.1.
pub mod flag {
    /// No more data from the sender.
    pub const FIN: u8 = 1;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 2;
    /// Reset.
    pub const RST: u8 = 4;
    /// The acknowledgement field counts.
    pub const ACK: u8 = 16;
    /// The flags that make a segment more than data and acknowledgement.
    pub const CONTROL: u8 = FIN | SYN | RST;
}

/// Index into `Details::repeats`.
mod repeat {
    pub const RETRANSMISSION: usize = 0;
    pub const GAP: usize = 1;
    pub const ZERO_WINDOW: usize = 2;
    pub const BAD_CHECKSUM: usize = 3;
}

/// Takes one segment that `side` sent.
#[inline(always)] // as `apply` in the table
#[allow(clippy::inline_always)]
pub fn update(flow: &mut Flow, side: Side, packet: &Packet) {
    let control = packet.tcp_flags & flag::CONTROL;
    flip_after_lone_syn_ack(flow, packet, control);
    let plain = control == 0;
    if plain && flow.ends[side].state == EndState::Established && flow.ends[side ^ 1].state == EndState::Established {
        // By far the most segments: an open flow goes on.
    } else {
        advance(flow, side, packet, control);
    }
    if !plain {
        write_control(flow, side, packet, control);
    } else if packet.payload_len > 0 {
        flow.write_once(side, seen::DATA, b'D');
    } else if packet.tcp_flags & flag::ACK != 0 {
        flow.write_once(side, seen::ACK, b'A');
    }
    if packet.window == 0 && control & flag::RST == 0 {
        zero_window(flow, side);
    }
    payload(flow, side, packet, control);
    if packet.tcp_flags & flag::ACK != 0 {
        acknowledge(flow, side, packet.acknowledgement);
    }
}

/// A SYN-ACK stood first and alone: the other end may have been scanned, or its SYN was missed. Any segment of
/// an opened connection decides for the latter.
#[inline]
fn flip_after_lone_syn_ack(flow: &mut Flow, packet: &Packet, control: u8) {
    if flow.letters == 1
        && flow.history[0] == b'H'
        && control == 0
        && (packet.payload_len > 0 || packet.tcp_flags & flag::ACK != 0)
    {
        flip_to_syn_ack(flow);
    }
}

/// The end that sent the SYN-ACK is the responder.
pub fn flip_to_syn_ack(flow: &mut Flow) {
    flow.letters = 0;
    flow.flip(Basis::SynAck);
    flow.write_flip();
    flow.write(flow.initiator_side() ^ 1, b'H');
}

/// Moves the states of both ends.
fn advance(flow: &mut Flow, side: Side, packet: &Packet, control: u8) {
    use EndState::{Closed, Established, Inactive, Partial, Reset, SynAckSent, SynSent};
    let initiator = flow.initiator_side();
    let (mut own, mut peer) = (flow.ends[side].state, flow.ends[side ^ 1].state);
    let (syn, fin, rst) = (control & flag::SYN != 0, control & flag::FIN != 0, control & flag::RST != 0);
    let ack = packet.tcp_flags & flag::ACK != 0;
    match own {
        Inactive => {
            if syn && side == initiator {
                own = if ack { SynAckSent } else { SynSent };
            } else if syn {
                if peer == SynAckSent && !ack && flow.ends[side ^ 1].stream.begun {
                    // The SYN-ACK was captured before its SYN: this end opened the flow after all.
                    flow.write(side, b'S');
                    flow.ends[side].seen |= seen::SYN;
                    flow.details[side].syn = packet.sequence;
                    flow.flip(Basis::Syn);
                    flow.write_flip();
                    flow.syn_sequence = packet.sequence;
                    peer = Established;
                }
                if peer == SynSent {
                    peer = Established;
                }
                own = Established;
            }
            if fin {
                own = Closed;
            }
            if rst {
                own = Reset;
            } else if !fin && !syn {
                own = if side != initiator && packet.payload_len == 0 && peer == SynSent {
                    Inactive
                } else if ack && peer == Established {
                    Established
                } else {
                    Partial
                };
            }
        }
        SynSent | SynAckSent => {
            if fin {
                own = Closed;
            }
            if rst {
                own = Reset;
            }
        }
        Established | Partial => {
            if fin && !rst {
                own = Closed;
                if peer == Reset && flow.ends[side ^ 1].seen & seen::FIN != 0 {
                    peer = Closed;
                }
            }
            if rst {
                own = Reset;
            }
            if own == Partial && peer == Inactive && syn && !ack {
                own = SynSent;
            }
        }
        Closed => {
            if rst && peer != Closed {
                own = Reset;
            }
        }
        Reset => {}
    }
    flow.ends[side].state = own;
    flow.ends[side ^ 1].state = peer;
}

/// The letters of SYN, FIN and RST.
fn write_control(flow: &mut Flow, side: Side, packet: &Packet, control: u8) {
    match control {
        flag::SYN => {
            let (kind, letter) =
                if packet.tcp_flags & flag::ACK == 0 { (seen::SYN, b'S') } else { (seen::SYN_ACK, b'H') };
            let had = flow.ends[side].seen & (seen::SYN | seen::SYN_ACK) != 0;
            let again = had && flow.details[side].syn == packet.sequence;
            flow.details[side].syn = packet.sequence;
            flow.ends[side].seen |= kind;
            if !again {
                flow.write(side, letter);
            }
        }
        flag::FIN => {
            let end = packet.sequence.wrapping_add(packet.payload_len);
            let again = flow.ends[side].finished && flow.details[side].fin == end;
            flow.ends[side].finished = true;
            flow.details[side].fin = end;
            flow.ends[side].seen |= seen::FIN;
            if !again {
                flow.write(side, b'F');
            }
        }
        flag::RST => {
            let again = flow.ends[side].seen & seen::RST != 0 && flow.details[side].rst == packet.sequence;
            flow.details[side].rst = packet.sequence;
            flow.ends[side].seen |= seen::RST;
            if !again {
                flow.write(side, b'R');
            }
        }
        _ if control & flag::SYN != 0 => flow.write_once(side, seen::ODD, b'Q'),
        _ => {
            flow.ends[side].seen |= seen::FIN | seen::RST;
            flow.write_once(side, seen::FIN_RST, b'I');
        }
    }
}

/// Sequence numbers: new bytes, retransmissions.
#[inline]
fn payload(flow: &mut Flow, side: Side, packet: &Packet, control: u8) {
    let len = packet.payload_len;
    let mut sequence = packet.sequence;
    let end = &mut flow.ends[side];
    if control & flag::SYN != 0 {
        sequence = sequence.wrapping_add(1);
        end.stream.begin(sequence);
    }
    if len > 0 && control & flag::RST == 0 {
        let brought = end.stream.take(&mut flow.details[side].holes, sequence, len);
        end.payload += u64::from(brought.new);
        flow.missed_bytes -= u64::from(brought.late).min(flow.missed_bytes);
        if !brought.advanced {
            repeated(flow, side, brought.new);
        }
    } else if control & flag::RST == 0 {
        end.stream.begin(sequence);
    }
    if control & flag::FIN != 0 {
        let stream = &mut flow.ends[side].stream;
        let fin = sequence.wrapping_add(len);
        if stream.next == fin {
            stream.next = fin.wrapping_add(1);
        }
    }
}

#[cold]
fn repeated(flow: &mut Flow, side: Side, new: u32) {
    if new == 0 {
        flow.details[side].retransmitted = flow.details[side].retransmitted.saturating_add(1);
    }
    if flow.ends[side].seen & seen::RST == 0 {
        repeating(flow, side, repeat::RETRANSMISSION, seen::RETRANSMISSION, b'T');
    }
}

#[cold]
fn zero_window(flow: &mut Flow, side: Side) {
    let own_reset = flow.ends[side].seen & seen::RST != 0;
    let peer_finished = flow.ends[side ^ 1].seen & seen::FIN != 0;
    if !own_reset && !peer_finished {
        repeating(flow, side, repeat::ZERO_WINDOW, seen::ZERO_WINDOW, b'W');
    }
}

/// What the other end acknowledges but the capture never showed.
#[inline]
fn acknowledge(flow: &mut Flow, side: Side, acknowledged: u32) {
    let open = |state| matches!(state, EndState::Established | EndState::Closed);
    let peer = side ^ 1;
    if !open(flow.ends[side].state) || !open(flow.ends[peer].state) {
        return;
    }
    let (gaps, bytes) = flow.ends[peer].stream.acknowledge(&mut flow.details[peer].holes, acknowledged);
    if gaps > 0 {
        flow.missed_bytes += bytes;
        for _ in 0..gaps {
            repeating(flow, peer, repeat::GAP, seen::GAP, b'G');
        }
    }
}

/// A packet whose checksum does not hold: it leaves a letter and nothing else.
pub fn bad_checksum(flow: &mut Flow, side: Side) {
    repeating(flow, side, repeat::BAD_CHECKSUM, seen::BAD_CHECKSUM, b'C');
}

/// Letters that are written for the 1st, 10th, 100th, … of their kind.
fn repeating(flow: &mut Flow, side: Side, index: usize, kind: u16, letter: u8) {
    let count = &mut flow.details[side].repeats[index];
    *count = count.saturating_add(1);
    let due = count.checked_ilog10().is_some_and(|power| 10_u32.pow(power) == *count);
    flow.ends[side].seen |= kind;
    if due {
        flow.write(side, letter);
    }
}
