//! Memory that was freed, and that the allocator keeps for whoever asks next.

/// Gives it back to the system, as far as the allocator can: a peak is past, and what follows asks for pieces of other
/// sizes, or in another thread.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes no pointers, and may be called from any thread at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
