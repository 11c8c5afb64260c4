//! Forgetting bytes that may have been secret.

/// Empties a buffer so that nothing of it stays in memory.
pub(super) fn wipe(bytes: &mut Vec<u8>) {
    bytes.fill(0);
    // Keeps the compiler from leaving the wiping out as pointless.
    std::hint::black_box(&mut *bytes);
    bytes.clear();
}
