//! Oddities of a capture or of its traffic: data, never errors.
//!
//! A problem has a stable kebab-case name, a count, and where it was met first. Reading goes on; the
//! report shows every problem, and those that hide traffic keep a verdict from being clean.

/// One kind of oddity and how often it was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable kebab-case name, for example `cut-short`.
    pub name: &'static str,
    /// How often it was met.
    pub count: u64,
    /// Frame of the first occurrence, from 1 within its file; 0 when none was read yet.
    pub frame: u64,
    /// Byte offset in the (decompressed) file of the first occurrence.
    pub offset: u64,
    /// What was expected, what was there and what was done, for the first occurrence.
    pub message: String,
    /// Whether traffic may have been lost to the reader, so that the capture is not complete.
    pub hides_traffic: bool,
}

/// Problems by name, in the order they were first met. Bounded: names are static.
#[derive(Clone, Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Counts one more of `name`; `message` is only built for the first.
    pub fn note(
        &mut self,
        name: &'static str,
        hides_traffic: bool,
        frame: u64,
        offset: u64,
        message: impl FnOnce() -> String,
    ) {
        if let Some(known) = self.0.iter_mut().find(|problem| problem.name == name) {
            known.count += 1;
            return;
        }
        self.0.push(Problem { name, count: 1, frame, offset, message: message(), hides_traffic });
    }

    /// Counts `count` of a kind that hides no traffic.
    pub fn note_many(
        &mut self,
        name: &'static str,
        count: u64,
        frame: u64,
        offset: u64,
        message: impl FnOnce() -> String,
    ) {
        match self.0.iter_mut().find(|problem| problem.name == name) {
            Some(known) => known.count += count,
            None => self.0.push(Problem { name, count, frame, offset, message: message(), hides_traffic: false }),
        }
    }

    /// Adds a problem that was counted elsewhere.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Adds the problems of another list.
    pub fn join(&mut self, other: &Problems) {
        self.join_after(other, 0);
    }

    /// Adds those of another list, whose frames are numbered from 1 where that is `before` + 1.
    pub fn join_after(&mut self, other: &Problems, before: u64) {
        for problem in &other.0 {
            match self.0.iter_mut().find(|known| known.name == problem.name) {
                Some(known) => known.count += problem.count,
                None => self.0.push(Problem { frame: problem.frame + before, ..problem.clone() }),
            }
        }
    }

    /// The problems met so far.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}
