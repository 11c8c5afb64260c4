//! Interfaces to flows, as it happens.
//!
//! The way of a packet is that of a file's ([`crate::scan`]); only where it comes from differs: a [`ring`] that the kernel
//! writes, or a capture that another program writes meanwhile. A thread of its own reads ([`worker`]) and never waits for
//! whoever looks at what it hands out ([`tick`]).

mod blocks;
mod drops;
mod error;
mod evidence;
mod filter;
mod handover;
mod privileges;
mod ring;
mod stream;
mod tick;
mod wait;
mod worker;

pub use drops::Drops;
pub use error::OpenError;
pub use evidence::{EvidencePlan, Position, extract};
pub use filter::{FILTER_PORTS, FILTER_RANGES};
pub use handover::{Gone, Watching};
pub use privileges::give_up;
pub use ring::BLOCK_BYTES;
pub use tick::{Counters, SourceState, Tick};
pub use worker::{ASIDE_ROUND, Aim, PENDING_FLOWS, Plan};
