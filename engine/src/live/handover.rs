//! The place where ticks lie until they are fetched: one at most, so that a slow reader costs no memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::error::OpenError;
use super::plan::{Aim, Plan};
use super::privileges;
use super::tick::Tick;
use super::worker::Worker;

/// Shared by the reading thread and whoever fetches.
#[derive(Default)]
pub(super) struct Handover {
    place: Mutex<Place>,
    changed: Condvar,
    pub stop: Arc<AtomicBool>,
}

#[derive(Default)]
struct Place {
    tick: Option<Box<Tick>>,
    aim: Option<Aim>,
    gone: bool,
}

impl Handover {
    fn lock(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the last tick was fetched.
    pub fn is_free(&self) -> bool {
        self.lock().tick.is_none()
    }

    /// Waits until the last tick was fetched, or it is to stop.
    pub fn wait_until_free(&self) {
        let mut place = self.lock();
        while place.tick.is_some() && !self.stop.load(Ordering::Relaxed) {
            place = self.changed.wait(place).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until the last tick was fetched, or nobody fetches any more.
    pub fn wait_until_free_or_gone(&self) {
        let mut place = self.lock();
        while place.tick.is_some() && !place.gone {
            place = self.changed.wait(place).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Puts a tick there. Only when it is free.
    pub fn put(&self, tick: Tick) {
        self.lock().tick = Some(Box::new(tick));
        self.changed.notify_all();
    }

    /// What is to be looked for from now on, if that was changed.
    pub fn take_aim(&self) -> Option<Aim> {
        self.lock().aim.take()
    }
}

/// A watch that runs in a thread of its own.
pub struct Watching {
    shared: Arc<Handover>,
    thread: Option<JoinHandle<()>>,
}

impl Watching {
    /// Opens the sources and begins to read.
    pub fn start(plan: Plan) -> Result<Watching, OpenError> {
        let shared = Arc::new(Handover::default());
        let mut worker = Worker::open(plan, Arc::clone(&shared))?;
        let theirs = Arc::clone(&shared);
        // What reads hostile bytes has no right to anything.
        let thread = privileges::spawn("capture", 0, move || {
            // A bug in there is a bug of ours; whoever fetches is told rather than left waiting.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| worker.run()));
            theirs.lock().gone = true;
            theirs.changed.notify_all();
        })
        .map_err(|error| OpenError::thread("capture", &error))?;
        Ok(Watching { shared, thread: Some(thread) })
    }

    /// The next tick, waited for at most so long. `Ok(None)`: none has come yet; `Err`: the thread is gone, and after a
    /// last tick that is as it should be.
    pub fn next_tick(&self, wait: Duration) -> Result<Option<Box<Tick>>, Gone> {
        let until = Instant::now() + wait;
        let mut place = self.shared.lock();
        loop {
            if let Some(tick) = place.tick.take() {
                self.shared.changed.notify_all();
                return Ok(Some(tick));
            }
            if place.gone {
                return Err(Gone);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            place = self.shared.changed.wait_timeout(place, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Looks for something else from now on.
    pub fn aim(&self, aim: Aim) {
        self.shared.lock().aim = Some(aim);
    }

    /// Ends it: one more tick comes, the last.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.stop();
        {
            let mut place = self.shared.lock();
            place.tick = None;
            place.gone = true;
        }
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The reading thread is gone.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone;
