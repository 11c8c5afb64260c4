//! How much is kept at once of everything that traffic can make grow.
//!
//! The constants stand with what they bound, each with its reason. A watch that may take only so much memory has less room;
//! nobody has more.

use crate::flow::{ACTIVE_FLOWS, FLOW_MEMORY};
#[cfg(unix)]
use crate::live::{ASIDE_ROUND, EVIDENCE_BUFFERS, PENDING_FLOWS};
use crate::quote::ICMP_QUOTES;
use crate::scan::{
    APP_CONVERSATIONS, APP_EVENT_BYTES, APP_EVENTS, APP_HELD_BYTES, APP_RELAYED, APP_SAMPLES, PORT_SCAN_PAIRS,
};
use crate::wire::{FRAGMENT_BYTES, FRAGMENT_TABLE};

/// Room of each kind, named like the constant that it is at most.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // said at the constants
pub struct Room {
    pub active_flows: usize,
    pub flow_memory: usize,
    pub app_conversations: usize,
    pub app_event_bytes: usize,
    pub app_events: usize,
    pub app_held_bytes: usize,
    pub app_relayed: usize,
    pub app_samples: usize,
    pub fragment_bytes: usize,
    pub fragment_table: usize,
    pub icmp_quotes: usize,
    pub port_scan_pairs: usize,
    #[cfg(unix)]
    pub aside_round: usize,
    #[cfg(unix)]
    pub evidence_buffers: usize,
    #[cfg(unix)]
    pub pending_flows: usize,
}

impl Default for Room {
    fn default() -> Room {
        Room {
            active_flows: ACTIVE_FLOWS,
            flow_memory: FLOW_MEMORY,
            app_conversations: APP_CONVERSATIONS,
            app_event_bytes: APP_EVENT_BYTES,
            app_events: APP_EVENTS,
            app_held_bytes: APP_HELD_BYTES,
            app_relayed: APP_RELAYED,
            app_samples: APP_SAMPLES,
            fragment_bytes: FRAGMENT_BYTES,
            fragment_table: FRAGMENT_TABLE,
            icmp_quotes: ICMP_QUOTES,
            port_scan_pairs: PORT_SCAN_PAIRS,
            #[cfg(unix)]
            aside_round: ASIDE_ROUND,
            #[cfg(unix)]
            evidence_buffers: EVIDENCE_BUFFERS,
            #[cfg(unix)]
            pending_flows: PENDING_FLOWS,
        }
    }
}

impl Room {
    /// Makes the room of that name smaller; not larger than it is, and never none. False where no room has the name.
    #[must_use]
    pub fn shrink(&mut self, name: &str, to: usize) -> bool {
        let place = match name {
            "ACTIVE_FLOWS" => &mut self.active_flows,
            "FLOW_MEMORY" => &mut self.flow_memory,
            "APP_CONVERSATIONS" => &mut self.app_conversations,
            "APP_EVENT_BYTES" => &mut self.app_event_bytes,
            "APP_EVENTS" => &mut self.app_events,
            "APP_HELD_BYTES" => &mut self.app_held_bytes,
            "APP_RELAYED" => &mut self.app_relayed,
            "APP_SAMPLES" => &mut self.app_samples,
            "FRAGMENT_BYTES" => &mut self.fragment_bytes,
            "FRAGMENT_TABLE" => &mut self.fragment_table,
            "ICMP_QUOTES" => &mut self.icmp_quotes,
            "PORT_SCAN_PAIRS" => &mut self.port_scan_pairs,
            #[cfg(unix)]
            "ASIDE_ROUND" => &mut self.aside_round,
            #[cfg(unix)]
            "EVIDENCE_BUFFERS" => &mut self.evidence_buffers,
            #[cfg(unix)]
            "PENDING_FLOWS" => &mut self.pending_flows,
            _ => return false,
        };
        *place = to.clamp(1, *place);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_shrinks_and_never_grows() {
        let mut room = Room::default();
        assert!(room.shrink("APP_EVENTS", 7) && room.shrink("APP_EVENTS", 9) && room.shrink("ICMP_QUOTES", 0));
        assert_eq!((room.app_events, room.icmp_quotes), (7, 1));
        assert!(room.shrink("ACTIVE_FLOWS", usize::MAX));
        assert_eq!(room.active_flows, ACTIVE_FLOWS);
        assert!(!room.shrink("STREAM_HOLES", 1));
    }
}
