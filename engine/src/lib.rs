//! Captures to packets to flows.
//!
//! The core of the auditor: everything that is done once per packet. It knows nothing of Python, of
//! vendors or of rules; `engine/python` binds it. Data flows one way through the modules:
//! [`capture`] (files → frames), [`wire`] (frame bytes → packets), [`flow`] (packets → flows), [`output`] (flows → columns
//! and text). [`scan`] is the main path through them.

pub mod app;
mod beside;
pub mod capture;
pub mod extract;
pub mod fingerprint;
pub mod flow;
pub mod interest;
pub mod link_type;
#[cfg(unix)]
pub mod live;
pub mod memory;
pub mod output;
pub mod problem;
pub mod quote;
pub mod reading;
pub mod room;
pub mod scan;
pub mod wire;
