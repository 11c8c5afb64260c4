//! What is decided of a flow only when nothing more comes of it.

use super::duplicate::is_mirrored;
use super::key::{mix, protocol};
use super::record::{Flow, seen};
use super::table::Counts;
use super::tcp;

/// Seed for what must not vary from run to run.
pub(super) const FIXED_SEED: u64 = 0x5EED;

/// Decides what can be decided only when nothing more comes. Returns the hash of the key that never varies.
pub(super) fn close(flow: &mut Flow, capture_set: u64) -> u64 {
    if flow.key.protocol() == protocol::TCP && flow.letters == 1 && flow.history[0] == b'H' {
        // Nothing but a SYN-ACK: whoever was sent it, opened it.
        tcp::flip_to_syn_ack(flow);
    }
    let name = flow.key.hash(FIXED_SEED);
    if flow.flow_id == 0 {
        flow.flow_id = identity(name, capture_set, flow.start_ns);
    }
    name
}

/// Counts the packets that came twice though no mirror port copied them, as far as can be told when the flow ends.
pub(super) fn count_strays(flow: &mut Flow, counts: &Counts) {
    let Some(twice) = flow.twice.take() else { return };
    let copies = twice[0].packets + twice[1].packets;
    let packets = flow.ends[0].packets + flow.ends[1].packets;
    if is_mirrored(copies, packets) || is_mirrored(counts.copies, counts.packets) {
        return;
    }
    // Letters further behind come first: they do not move the others.
    let order = if twice[0].letters > twice[1].letters { [0, 1] } else { [1, 0] };
    for side in order {
        let (twice, end) = (&twice[side], &mut flow.ends[side]);
        end.packets += twice.packets;
        end.ip_bytes += twice.ip_bytes;
        if flow.key.protocol() == protocol::TCP {
            let known = &mut flow.details[side].retransmitted;
            *known = known.saturating_add(twice.with_payload);
            if twice.letters > 0 {
                flow.insert_once(side, seen::RETRANSMISSION, b'T', twice.letters);
            }
        } else {
            end.payload += twice.payload;
        }
    }
}

/// Names a flow by its 5-tuple, the captures and its start. Never 0.
pub(super) fn identity(name: u64, capture_set: u64, start_ns: i64) -> u64 {
    mix(mix(name, capture_set), start_ns as u64).max(1)
}
