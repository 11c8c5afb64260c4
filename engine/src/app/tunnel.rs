//! What runs through a proxy once it has let a client through: a conversation of its own, and payload to sample.

use super::conversation::Conversation;
use super::event::{Event, Side};
use super::sample::Sample;

/// A gap of which the tunnel is not told how long it is: longer than any record.
const SOME_BYTES: u64 = u64::MAX;

/// One tunnel.
#[derive(Debug)]
pub(super) struct Tunnel {
    inner: Conversation,
    /// What the client and the server sent, where that is wanted.
    samples: Option<Box<[Sample; 2]>>,
}

impl Tunnel {
    /// A tunnel that `inner` runs through.
    pub(super) fn new(inner: Conversation, sample: bool) -> Tunnel {
        Tunnel { inner, samples: sample.then(Box::default) }
    }

    /// Takes the next bytes of one direction.
    pub(super) fn feed(&mut self, from: Side, bytes: &[u8], events: &mut Vec<Event>) {
        if let Some(samples) = &mut self.samples {
            samples[from as usize].feed(bytes);
        }
        self.inner.feed(from, bytes, events);
    }

    /// Bytes of one direction are missing.
    pub(super) fn gap(&mut self, from: Side, events: &mut Vec<Event>) {
        if let Some(samples) = &mut self.samples {
            samples[from as usize].gap(SOME_BYTES);
        }
        self.inner.gap(from, events);
    }

    /// Nothing more can come.
    pub(super) fn done(&self) -> bool {
        self.inner.done() && self.samples.as_ref().is_none_or(|samples| samples.iter().all(Sample::full))
    }

    /// As [`Conversation::held_memory`].
    pub(super) fn held_memory(&self) -> usize {
        self.inner.held_memory()
    }

    /// Samples of what the client and the server sent, in the innermost tunnel that is sampled.
    pub(super) fn samples(&self) -> Option<&[Sample; 2]> {
        self.inner.samples().or(self.samples.as_deref())
    }
}
