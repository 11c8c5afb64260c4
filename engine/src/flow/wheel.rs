//! When flows are looked at for having ended: a timing wheel over capture time.
//!
//! Timers are hints. A flow's own `expires_ns` decides, also when its next packet comes; the wheel only sees to it
//! that a flow nobody speaks on any more leaves the table.

/// Nanoseconds per bucket as a power of two: 67 ms. What ends with one bucket is in memory at once.
const BUCKET_BITS: u32 = 26;

/// Buckets; a timer further ahead is put into the last one and set again from there.
const BUCKETS: i64 = 8192;

/// A timer of a slot, valid while the slot has that generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Slot number.
    pub slot: u32,
    /// Generation the slot had.
    pub generation: u32,
}

/// Timers by time.
#[derive(Debug)]
pub struct Wheel {
    buckets: Vec<Vec<Timer>>,
    cursor: i64,
    started: bool,
}

impl Wheel {
    /// A wheel without timers.
    pub fn new() -> Wheel {
        Wheel { buckets: vec![Vec::new(); BUCKETS as usize], cursor: 0, started: false }
    }

    /// Sets a timer for the time at which a flow may have ended.
    pub fn set(&mut self, expires_ns: i64, timer: Timer) {
        let bucket = (expires_ns >> BUCKET_BITS).clamp(self.cursor, self.cursor + BUCKETS - 1);
        self.buckets[bucket.rem_euclid(BUCKETS) as usize].push(timer);
    }

    /// Whether the time has come to a further bucket.
    #[inline]
    pub fn is_due(&self, now_ns: i64) -> bool {
        now_ns >> BUCKET_BITS > self.cursor || !self.started
    }

    /// Whether a timer that was set for that time has fired.
    #[inline]
    pub fn has_passed(&self, time_ns: i64) -> bool {
        time_ns >> BUCKET_BITS < self.cursor
    }

    /// The timers whose bucket has passed.
    pub fn advance(&mut self, now_ns: i64, due: &mut Vec<Timer>) {
        let now = now_ns >> BUCKET_BITS;
        if !self.started {
            self.started = true;
            self.cursor = now;
            return;
        }
        let passed = (now - self.cursor).clamp(0, BUCKETS);
        for bucket in self.cursor..self.cursor + passed {
            // With its memory: a flood that lasts goes through all buckets, and each would keep what it took at its worst.
            due.append(&mut std::mem::take(&mut self.buckets[bucket.rem_euclid(BUCKETS) as usize]));
        }
        self.cursor = self.cursor.max(now);
    }

    /// Time goes on from an earlier point. Timers stay in their buckets: one that fires too early is set again, and none
    /// fires later than when all buckets have passed.
    pub fn rewind(&mut self, now_ns: i64) {
        self.cursor = now_ns >> BUCKET_BITS;
    }

    /// Takes the first timers, at most so many, of the next bucket that has any: those of the flows that would end first.
    pub fn take_first(&mut self, most: usize) -> Vec<Timer> {
        for bucket in self.cursor..self.cursor + BUCKETS {
            let timers = &mut self.buckets[bucket.rem_euclid(BUCKETS) as usize];
            if timers.len() <= most && !timers.is_empty() {
                return std::mem::take(timers);
            }
            if !timers.is_empty() {
                return timers.drain(..most).collect();
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1 << BUCKET_BITS;

    #[test]
    fn a_timer_fires_once_its_bucket_has_passed() {
        let mut wheel = Wheel::new();
        let mut due = Vec::new();
        wheel.advance(100 * SECOND, &mut due);
        let timer = Timer { slot: 1, generation: 2 };
        wheel.set(105 * SECOND, timer);
        wheel.advance(105 * SECOND, &mut due);
        assert!(due.is_empty());
        wheel.advance(106 * SECOND, &mut due);
        assert_eq!(due, [timer]);
    }

    #[test]
    fn a_jump_over_the_whole_wheel_fires_everything() {
        let mut wheel = Wheel::new();
        let mut due = Vec::new();
        wheel.advance(0, &mut due);
        for second in 0..2000 {
            wheel.set(second * SECOND, Timer { slot: second as u32, generation: 0 });
        }
        wheel.advance(i64::MAX, &mut due);
        assert_eq!(due.len(), 2000);
    }

    #[test]
    fn timers_set_before_time_went_back_fire_within_one_turn() {
        let mut wheel = Wheel::new();
        let mut due = Vec::new();
        wheel.advance(100_000 * SECOND, &mut due);
        let timer = Timer { slot: 1, generation: 2 };
        wheel.set(100_300 * SECOND, timer);
        wheel.rewind(5 * SECOND);
        wheel.advance((5 + BUCKETS) * SECOND, &mut due);
        assert_eq!(due, [timer]);
    }

    #[test]
    fn buckets_that_have_passed_keep_no_memory() {
        let mut wheel = Wheel::new();
        let mut due = Vec::new();
        wheel.advance(0, &mut due);
        for second in 0..1000 {
            for slot in 0..100 {
                wheel.set(second * SECOND, Timer { slot, generation: 0 });
            }
        }
        wheel.advance(900 * SECOND, &mut due);
        while !wheel.take_first(40).is_empty() {}
        assert_eq!(wheel.buckets.iter().map(Vec::capacity).sum::<usize>(), 0);
    }

    #[test]
    fn time_that_runs_backwards_fires_nothing() {
        let mut wheel = Wheel::new();
        let mut due = Vec::new();
        wheel.advance(1000 * SECOND, &mut due);
        wheel.set(1001 * SECOND, Timer { slot: 0, generation: 0 });
        wheel.advance(-5 * SECOND, &mut due);
        assert!(due.is_empty());
    }
}
