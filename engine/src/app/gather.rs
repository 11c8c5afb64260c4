//! A few bytes of a message that arrives in pieces.

/// Collects the start of a message; the caller says how long that is and so bounds it.
#[derive(Debug, Default)]
pub(super) struct Gather(Vec<u8>);

impl Gather {
    /// Without any bytes.
    pub(super) const NEW: Gather = Gather(Vec::new());

    /// Moves bytes over until there are `needed`; whether there are.
    pub(super) fn fill(&mut self, input: &mut &[u8], needed: usize) -> bool {
        let missing = needed.saturating_sub(self.0.len()).min(input.len());
        let (taken, rest) = input.split_at(missing);
        self.0.extend_from_slice(taken);
        *input = rest;
        self.0.len() >= needed
    }

    /// What there is.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Memory that it takes, bytes.
    pub(super) fn held_memory(&self) -> usize {
        self.0.capacity()
    }

    /// Starts on the next message.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Starts on the next message and gives the memory back.
    pub(super) fn release(&mut self) {
        self.0 = Vec::new();
    }
}
