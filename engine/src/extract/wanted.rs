//! Flows whose packets are wanted.

use std::collections::HashMap;

use crate::flow::FlowKey;
use crate::wire::Packet;

/// When a flow is wanted, and how much of it.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The flow's packets have this key.
    pub key: FlowKey,
    /// Its first packet, nanoseconds since 1970. The same ports may be another flow's at another time.
    pub first_ns: i64,
    /// Its last packet.
    pub last_ns: i64,
    /// Packets that are still to be taken, from the first on.
    pub packets: u64,
}

/// The wanted flows by key.
#[derive(Debug, Default)]
pub struct Wanted {
    windows: HashMap<u64, Vec<Window>>,
}

impl Wanted {
    /// These flows.
    pub fn new(windows: impl IntoIterator<Item = Window>) -> Wanted {
        let mut wanted = Wanted::default();
        for window in windows {
            wanted.windows.entry(window.key.hash(0)).or_default().push(window);
        }
        wanted
    }

    /// Whether the packet is wanted; counts it where its flow's packets are counted.
    pub fn take(&mut self, packet: &Packet) -> bool {
        let (key, _) = FlowKey::of(packet);
        let Some(windows) = self.windows.get_mut(&key.hash(0)) else { return false };
        let time = packet.time_ns;
        let found = windows.iter_mut().find(|window| {
            window.key == key && window.first_ns <= time && time <= window.last_ns && window.packets > 0
        });
        if let Some(window) = found {
            window.packets -= 1;
            return true;
        }
        false
    }
}
