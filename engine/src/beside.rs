//! Threads that may not be to be had.

use std::sync::mpsc::channel;
use std::thread::{Builder, JoinHandle};

/// Runs `work` on `what` in a thread of that name; gives `what` back where no thread can be started.
pub(crate) fn start<T, R>(
    name: &str,
    what: T,
    work: impl FnOnce(T) -> R + Send + 'static,
) -> Result<JoinHandle<Option<R>>, T>
where
    T: Send + 'static,
    R: Send + 'static,
{
    // It follows by a channel: it would be lost with a thread that could not be started.
    let (hand, handed) = channel();
    let run = move || handed.recv().ok().map(work);
    let Ok(thread) = Builder::new().name(name.to_owned()).spawn(run) else { return Err(what) };
    hand.send(what).map_err(|unsent| unsent.0)?;
    Ok(thread)
}
