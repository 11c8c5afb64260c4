//! Interfaces to flows, as it happens.
//!
//! The way of a packet is that of a file's ([`crate::scan`]); only where it comes from differs: a [`ring`] that the kernel
//! writes, or a capture that another program writes meanwhile. A thread of its own reads ([`worker`]) and never waits for
//! whoever looks at what it hands out ([`tick`]).

mod block;
mod blocks;
mod drops;
mod error;
mod evidence;
mod extraction;
mod filter;
mod handover;
mod plan;
mod privileges;
mod ring;
mod rounds;
mod socket;
mod source;
mod stream;
mod telling;
mod tick;
mod wait;
mod worker;

pub use drops::Drops;
pub use error::OpenError;
pub use evidence::EvidencePlan;
pub use extraction::{Position, Wish, extract};
pub use filter::{FILTER_PORTS, FILTER_RANGES};
pub use handover::{Gone, Watching};
pub use plan::{Aim, Plan};
pub use privileges::{DAC_OVERRIDE, NET_RAW, give_up};
pub use ring::{Absence, BLOCK_BYTES};
pub use rounds::ASIDE_ROUND;
pub use tick::{Counters, SourceState, Tick};
pub use worker::PENDING_FLOWS;
