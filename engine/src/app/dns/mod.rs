//! DNS messages: what was asked, and to which addresses the answer leads (RFC 1035).

mod message;
mod name;
mod stream;
#[cfg(test)]
mod tests;

pub use message::{DNS_CHAIN, DNS_RECORDS, message};
pub(super) use stream::Stream;
