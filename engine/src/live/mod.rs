//! Interfaces to flows, as it happens.
//!
//! The way of a packet is that of a file's ([`crate::scan`]); only where it comes from differs ([`source`]): on Linux a ring
//! that the kernel writes (`ring.rs`), elsewhere a feed that a program of ours writes, and a capture that another program
//! writes meanwhile. A thread of its own reads ([`worker`]) and never waits for whoever looks at what it hands out
//! ([`tick`]).

mod absence;
#[cfg(target_os = "linux")]
mod block;
mod blocks;
mod drops;
mod error;
mod evidence;
mod extraction;
#[cfg(target_os = "linux")]
mod filter;
mod handover;
mod plan;
mod privileges;
#[cfg(target_os = "linux")]
mod ring;
mod rounds;
#[cfg(target_os = "linux")]
mod socket;
mod source;
mod stream;
mod telling;
mod tick;
mod wait;
mod worker;

pub use absence::Absence;
pub use drops::Drops;
pub use error::OpenError;
pub use evidence::{EVIDENCE_BUFFERS, EvidencePlan};
pub use extraction::{Position, Wish, extract};
#[cfg(target_os = "linux")]
pub use filter::{FILTER_PORTS, FILTER_RANGES};
pub use handover::{Gone, Watching};
pub use plan::{Aim, Feed, Plan};
pub use privileges::{DAC_OVERRIDE, NET_RAW, give_up};
#[cfg(target_os = "linux")]
pub use ring::BLOCK_BYTES;
pub use rounds::ASIDE_ROUND;
pub use tick::{Counters, SourceState, Tick};
pub use worker::PENDING_FLOWS;
