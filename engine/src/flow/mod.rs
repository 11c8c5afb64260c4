//! Packets to flows.

mod community_id;
mod direction;
mod duplicate;
mod ending;
mod expiry;
mod greeting;
mod index;
mod key;
mod ports;
mod record;
mod stream;
mod succession;
mod table;
mod take;
mod tcp;
#[cfg(test)]
mod tests;
mod tombstone;
mod wheel;

pub use community_id::{digest as community_id_digest, text as community_id_text};
pub use duplicate::{COPY_INSTANT_NS, COPY_WINDOW_NS, COPY_WINDOW_PACKETS, Duplicates, Point, Seen as Copied};
pub use key::{FlowKey, Side, glance_hash, mix, protocol};
pub use record::{Basis, Details, EndState, Endpoint, Flow, HISTORY_LETTERS, State, seen};
pub use stream::STREAM_HOLES;
pub use table::{ACTIVE_FLOWS, Addressed, Counts, Moment, Table};
pub use tombstone::FLOW_MEMORY;
