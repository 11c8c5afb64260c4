//! When a flow is over: how long the silence of each kind may last.

use super::key::{FlowKey, protocol};
use super::ports;
use super::record::{EndState, Flow};

/// One second in nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// Silence after which a TCP flow has ended.
const TCP_IDLE: i64 = 300 * SECOND;
/// The same for open sessions of services that sit idle by nature.
const TCP_LONG_IDLE: i64 = 3600 * SECOND;
/// Silence after which a flow of UDP, ICMP or another protocol has ended.
const OTHER_IDLE: i64 = 60 * SECOND;
/// An unanswered SYN has failed after this time.
pub(super) const TCP_ATTEMPT: i64 = 5 * SECOND;
/// Packets that come this long after a close still belong to it.
const TCP_CLOSE: i64 = 5 * SECOND;
/// A DNS flow is looked at in this rhythm from its start …
const DNS_ROUND: i64 = 10 * SECOND;
/// … and has ended when it was silent for this long.
const DNS_IDLE: i64 = 9 * SECOND;

/// How long a flow of this key lasts after its first packet if nothing more comes, ns.
pub(super) fn patience(key: &FlowKey) -> i64 {
    match key.protocol() {
        protocol::TCP => TCP_ATTEMPT,
        _ if has_rounds(key) => DNS_ROUND,
        _ => OTHER_IDLE,
    }
}

/// Whether the flow has ended by now. One with rounds is looked at by the first packet of any flow that comes when a
/// round is due, and then next a full round later; `before_ns` is the time of the packet before the one of `now_ns`.
#[cold]
pub(super) fn is_over(flow: &mut Flow, before_ns: i64, now_ns: i64) -> bool {
    if !has_rounds(&flow.key) {
        return flow.expires_ns <= now_ns;
    }
    while flow.expires_ns <= now_ns {
        // That packet itself is forgotten; it came soon after, for else this would have been asked at once.
        let looked_ns = if flow.expires_ns <= before_ns { flow.expires_ns } else { now_ns };
        if looked_ns.saturating_sub(flow.last_ns) >= DNS_IDLE {
            return true;
        }
        flow.expires_ns = looked_ns.saturating_add(DNS_ROUND);
    }
    false
}

/// Sets when the flow is over if nothing more comes. True when that came so much nearer that it needs a timer.
#[inline(always)] // as `apply`
#[allow(clippy::inline_always)]
pub(super) fn schedule(flow: &mut Flow) -> bool {
    match flow.key.protocol() {
        protocol::TCP => {
            if flow.closing {
                return false;
            }
            let (o, r) = (flow.forward().state, flow.reverse().state);
            if o == EndState::Established && r == EndState::Established {
                let idle = if ports::is_long_idle(flow.key.port(flow.initiator_side() ^ 1)) {
                    TCP_LONG_IDLE
                } else {
                    TCP_IDLE
                };
                flow.expires_ns = flow.last_ns.saturating_add(idle);
                return false;
            }
            schedule_unsettled(flow, o, r)
        }
        protocol::UDP if has_rounds(&flow.key) => false,
        _ => {
            flow.expires_ns = flow.last_ns.saturating_add(OTHER_IDLE);
            false
        }
    }
}

fn schedule_unsettled(flow: &mut Flow, o: EndState, r: EndState) -> bool {
    use EndState::{Closed, Inactive, Reset, SynAckSent, SynSent};
    let complete = matches!((o, r), (Closed, Closed | Inactive) | (Inactive, Closed)) || o == Reset || r == Reset;
    if complete {
        flow.closing = true;
        flow.expires_ns = flow.last_ns.saturating_add(TCP_CLOSE);
        return true;
    }
    if matches!(o, SynSent | SynAckSent | Inactive) && r == Inactive {
        flow.expires_ns = flow.start_ns.saturating_add(TCP_ATTEMPT);
        return false;
    }
    flow.expires_ns = flow.last_ns.saturating_add(TCP_IDLE);
    false
}

/// Whether flows of this key are looked at in rounds, whatever comes.
fn has_rounds(key: &FlowKey) -> bool {
    key.protocol() == protocol::UDP && (ports::is_dns(key.port(0)) || ports::is_dns(key.port(1)))
}
