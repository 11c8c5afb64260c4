//! Interfaces that were not there for a while.

// Only rings tell of it.
#![cfg_attr(not(target_os = "linux"), allow(dead_code))]

use std::time::{Duration, Instant};

/// Time between two looks at whether an interface that is down or gone is there again.
const LOOK: Duration = Duration::from_millis(200);

/// When the interface was down or gone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Absence {
    /// How often.
    pub count: u64,
    /// For how long, those times that are over.
    over: Duration,
    /// Since when it is so now.
    since: Option<Instant>,
    looked: Option<Instant>,
}

impl Absence {
    /// For how long in all, until now.
    pub fn total(&self) -> Duration {
        self.over + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether it is down or gone now, as far as is known.
    pub fn goes_on(&self) -> bool {
        self.since.is_some()
    }

    pub(super) fn begin(&mut self) {
        if self.since.is_none() {
            self.count += 1;
            self.since = Some(Instant::now());
        }
    }

    pub(super) fn end(&mut self) {
        self.over = self.total();
        self.since = None;
    }

    /// Whether it is time for another look.
    pub(super) fn is_due(&mut self) -> bool {
        let due = self.goes_on() && self.looked.is_none_or(|looked| looked.elapsed() >= LOOK);
        if due {
            self.looked = Some(Instant::now());
        }
        due
    }
}
