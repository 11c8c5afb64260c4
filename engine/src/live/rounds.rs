//! Counting what was set aside, in rounds, so that it is bounded however long a watch takes.

use std::time::{Duration, Instant};

use crate::scan::{Aside, CAPTURE_POINTS, Ends, Points, Totals};

/// 5-tuples of traffic that nobody asked for that are told apart at once (`ASIDE_ROUND`). Then they are counted and
/// forgotten: one that goes on after that is counted as another.
pub const ASIDE_ROUND: usize = 1 << 20;

/// Time between two countings, which look at every 5-tuple.
const COUNT_ASIDE: Duration = Duration::from_secs(10);

/// What was set aside, as of the last time that it was counted.
pub(super) struct Rounds {
    /// 5-tuples of a round.
    most: usize,
    sums: Totals,
    ends: [Ends; CAPTURE_POINTS],
    /// Of the rounds before.
    before: Totals,
    counted: Instant,
}

impl Rounds {
    /// Rounds of so many 5-tuples; nothing was set aside yet.
    pub fn new(most: usize) -> Rounds {
        Rounds {
            most,
            sums: Totals::default(),
            ends: [Ends::default(); CAPTURE_POINTS],
            before: Totals::default(),
            counted: Instant::now(),
        }
    }

    /// Ends the round if it is full; `points` take what it showed of the capture points.
    pub fn turn(&mut self, aside: &mut Aside, points: &mut Points) {
        if aside.len() >= self.most {
            let full = std::mem::replace(aside, Aside::new());
            self.before.count_aside(full.sums());
            points.add(&full.ends());
            self.count(aside);
        }
    }

    /// Counts now.
    pub fn count(&mut self, aside: &Aside) {
        self.sums = self.before;
        self.sums.count_aside(aside.sums());
        self.ends = aside.ends();
        self.counted = Instant::now();
    }

    /// Counts now and then; sums of all rounds, and what this round shows of the capture points.
    pub fn latest(&mut self, aside: &Aside) -> (&Totals, &[Ends; CAPTURE_POINTS]) {
        if self.counted.elapsed() >= COUNT_ASIDE {
            self.count(aside);
        }
        (&self.sums, &self.ends)
    }
}
