//! A plain capture file read by several threads: each takes the next part, reads and decodes it, and the front takes what
//! came of them in the order of the file.
//!
//! Where parts begin is a guess until the front has come there, so the front alone decides: what does not follow on what
//! it has taken so far is thrown away, and it reads on itself until it can give out parts anew. What comes of it is what
//! comes of reading alone.

use std::collections::BTreeMap;
use std::mem::{swap, take};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::CaptureReport;
use super::front::Parcel;
use super::sifter::{Sifted, Sifter};
use crate::beside;
use crate::capture::{Capture, Part, Parts};
use crate::wire::Counts;

/// Frames of a part, about, and its bytes: both with what is made of them should fit into a core's own cache.
const PART_FRAMES: u64 = 2048;
const PART: std::ops::RangeInclusive<u64> = 128 << 10..=512 << 10;

/// Parts that are read or wait, beyond one for each thread (`PARTS_AHEAD`).
const PARTS_AHEAD: u64 = 2;

/// Threads that help at most (`HELPERS`): more would wait for the front, which has a tenth of the work at least.
const HELPERS: usize = 7;

/// Bytes of a file for which it pays to start threads.
pub(crate) const WORTHWHILE: u64 = 8 << 20;

/// Parts may be given out anew so often; after that, once for so many that were taken.
const ANEW: u64 = 16;

/// What came of a part.
#[derive(Default)]
struct PartRead {
    part: Part,
    sifted: Sifted,
    report: CaptureReport,
    counts: Counts,
}

/// Parts of one file from one place on.
struct Plan {
    parts: Parts,
    /// How many there are.
    count: u64,
    /// Bytes of each.
    size: u64,
    /// The file's size, as far as it is shared out.
    end: u64,
}

impl Plan {
    fn range(&self, number: u64) -> (u64, u64) {
        let from = self.parts.offset() + number * self.size;
        (from, (from + self.size).min(self.end))
    }
}

#[derive(Default)]
struct Board {
    plan: Option<Arc<Plan>>,
    /// The next part that nobody reads yet.
    free: u64,
    /// The next one that the front takes.
    due: u64,
    /// Beyond `due`, what may be read ahead.
    ahead: u64,
    done: BTreeMap<u64, PartRead>,
    spares: Vec<PartRead>,
    over: bool,
}

impl Board {
    /// The next part to be read, if there is one.
    fn claim(&mut self) -> Option<(Arc<Plan>, u64, PartRead)> {
        let plan = self.plan.as_ref().filter(|plan| self.free < plan.count.min(self.due + self.ahead))?;
        let number = self.free;
        self.free += 1;
        Some((Arc::clone(plan), number, self.spares.pop().unwrap_or_default()))
    }

    fn is_plan(&self, plan: &Arc<Plan>) -> bool {
        self.plan.as_ref().is_some_and(|own| Arc::ptr_eq(own, plan))
    }
}

#[derive(Default)]
struct Shared {
    board: Mutex<Board>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'b>(&self, board: MutexGuard<'b, Board>) -> MutexGuard<'b, Board> {
        self.changed.wait(board).unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part that is being read. Given back when dropped, without frames where reading it failed: the front meets the same
/// failure in turn.
struct Claim<'s> {
    shared: &'s Shared,
    plan: Arc<Plan>,
    number: u64,
    read: PartRead,
}

impl Claim<'_> {
    fn read(mut self, sifter: &mut Sifter) {
        let (from, to) = self.plan.range(self.number);
        let PartRead { part, sifted, report, counts } = &mut self.read;
        part.frames.clear();
        *report = CaptureReport::default();
        if self.plan.parts.read(from, to, self.number == 0, part).is_err() {
            part.frames.clear();
            return;
        }
        sifter.sift(&part.frames, &part.memory, report, sifted);
        *counts = sifter.take_counts();
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut read = take(&mut self.read);
        if std::thread::panicking() {
            read.part.frames.clear();
        }
        let mut board = self.shared.lock();
        if board.is_plan(&self.plan) {
            board.done.insert(self.number, read);
        } else {
            board.spares.push(read);
        }
        self.shared.changed.notify_all();
    }
}

/// The threads that read one capture.
pub(crate) struct Turns {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Option<()>>>,
    sifter: Sifter,
    size: u64,
    taken: u64,
    anew: u64,
}

impl Turns {
    /// Threads beside that of the caller for a file of that many bytes, if that pays; `sifter`: one like theirs.
    pub fn start(helpers: usize, size: u64, sifter: &Sifter) -> Option<Turns> {
        if helpers == 0 || size < WORTHWHILE || !sifter.sifts_out_of_turn() {
            return None;
        }
        let shared = Arc::<Shared>::default();
        let helper = |_| beside::start("reading", (Arc::clone(&shared), sifter.alike()), help).ok();
        let threads: Vec<_> = (0..helpers.min(HELPERS)).map_while(helper).collect();
        shared.lock().ahead = threads.len() as u64 + 1 + PARTS_AHEAD;
        (!threads.is_empty()).then(|| Turns { shared, threads, sifter: sifter.alike(), size, taken: 0, anew: 0 })
    }

    /// Takes the next part to the parcel. False where it has to be read in turn.
    pub fn next(
        &mut self,
        capture: &mut Capture,
        sifter: &mut Sifter,
        report: &mut CaptureReport,
        parcel: &mut Parcel,
    ) -> bool {
        let Some(mut read) = self.due(capture) else { return false };
        let follows = capture.take(&mut read.part);
        if follows {
            self.taken += 1;
            if read.counts.fragments == 0 {
                sifter.join(&read.counts);
                report.join(&read.report, read.part.frames[0].number - 1);
            } else {
                // Fragments mean something only in turn.
                sifter.sift(&read.part.frames, &read.part.memory, report, &mut read.sifted);
            }
            swap(&mut parcel.frames, &mut read.part.frames);
            swap(&mut parcel.memory, &mut read.part.memory);
            swap(&mut parcel.sifted, &mut read.sifted);
        }
        let mut board = self.shared.lock();
        board.spares.push(read);
        if !follows {
            board.give_up();
        }
        follows
    }

    /// What came of the part that is due. Meanwhile reads another one, if there is one that nobody reads.
    fn due(&mut self, capture: &Capture) -> Option<PartRead> {
        let shared = Arc::clone(&self.shared);
        let mut board = shared.lock();
        if board.plan.is_none() {
            board.begin(self.plan(capture)?);
            shared.changed.notify_all();
        }
        let count = board.plan.as_ref()?.count;
        while board.due < count {
            let due = board.due;
            if let Some(read) = board.done.remove(&due) {
                board.due += 1;
                shared.changed.notify_all();
                return Some(read);
            }
            if let Some((plan, number, read)) = board.claim() {
                drop(board);
                Claim { shared: &shared, plan, number, read }.read(&mut self.sifter);
                board = shared.lock();
            } else {
                board = shared.wait(board);
            }
        }
        None
    }

    /// The parts behind what has been read in turn.
    fn plan(&mut self, capture: &Capture) -> Option<Plan> {
        if self.anew > ANEW.max(self.taken / ANEW) {
            return None;
        }
        let parts = capture.parts()?;
        let left = self.size.checked_sub(parts.offset()).filter(|left| *left > 0)?;
        self.anew += 1;
        let frames = parts.offset() / capture.info().packets.max(1) * PART_FRAMES;
        let size = frames.clamp(*PART.start(), *PART.end());
        Some(Plan { count: left.div_ceil(size), size, end: self.size, parts })
    }
}

impl Board {
    fn begin(&mut self, plan: Plan) {
        self.plan = Some(Arc::new(plan));
        (self.free, self.due) = (0, 0);
    }

    /// Throws away what was read out of turn.
    fn give_up(&mut self) {
        self.plan = None;
        self.spares.extend(take(&mut self.done).into_values());
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A panic there has been met: the part came back without frames.
            let _ = thread.join();
        }
    }
}

/// Reads parts as long as there are any.
fn help((shared, mut sifter): (Arc<Shared>, Sifter)) {
    let mut board = shared.lock();
    while !board.over {
        if let Some((plan, number, read)) = board.claim() {
            drop(board);
            Claim { shared: &shared, plan, number, read }.read(&mut sifter);
            board = shared.lock();
        } else {
            board = shared.wait(board);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::PathBuf;

    use super::super::front::Front;
    use super::super::{Options, Progress, in_order_of_time};
    use super::*;

    /// A file for one test, gone after it.
    struct Kept(PathBuf);

    fn words(words: &[u32]) -> impl Iterator<Item = u8> {
        words.iter().flat_map(|word| word.to_le_bytes())
    }

    /// Packets of 1,000 bytes.
    fn packets(numbers: std::ops::Range<u32>) -> Vec<u8> {
        let packet = |number| words(&[1_700_000_000 + number, 0, 1_000, 1_000]).chain([7; 1_000]).collect::<Vec<_>>();
        numbers.flat_map(packet).collect()
    }

    impl Kept {
        /// So many packets.
        fn new(name: &str, count: u32) -> Kept {
            let path = std::env::temp_dir().join(format!("auditor-turns-{}-{name}", std::process::id()));
            let header = words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1]);
            let bytes: Vec<u8> = header.chain(packets(0..count)).collect();
            std::fs::write(&path, bytes).expect("a folder that takes files");
            Kept(path)
        }

        fn front(&self, helpers: usize) -> Front {
            let inputs = in_order_of_time(vec![self.0.display().to_string()]).into();
            let sifter = Sifter::new(&Options::default(), 1);
            Front::new(inputs, HashMap::new(), sifter, Arc::<Progress>::default(), helpers)
        }
    }

    impl Drop for Kept {
        fn drop(&mut self) {
            // Nothing is worse for a file that stays.
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn a_large_file_is_shared_out_but_for_its_begin() {
        let file = Kept::new("large", 10_000);
        let mut front = file.front(2);
        let (mut parcel, mut number, mut carried) = (Parcel::default(), 0, 0);
        while front.next(&mut parcel, false) && parcel.report.is_none() {
            carried += if parcel.carried { parcel.frames.len() } else { 0 };
            for frame in &parcel.frames {
                number += 1;
                let memory = if parcel.carried { &parcel.memory } else { front.memory() };
                assert_eq!((frame.number, frame.bytes(memory)), (number, &[7; 1_000][..]));
            }
        }
        assert_eq!(number, 10_000);
        assert!(carried > 9_500, "{carried} frames came in parts");
    }

    #[test]
    fn a_small_file_is_read_by_one() {
        let file = Kept::new("small", 1_000);
        let mut front = file.front(2);
        let mut parcel = Parcel::default();
        while front.next(&mut parcel, false) && parcel.report.is_none() {
            assert!(!parcel.carried);
        }
    }

    /// Packets of a large file of which something becomes when a few parts have been taken, and what is told of it.
    fn meanwhile(file: &Kept, change: impl FnOnce(&mut std::fs::File)) -> (u64, Vec<&'static str>) {
        let mut front = file.front(2);
        let mut parcel = Parcel::default();
        let mut number = 0;
        for _ in 0..4 {
            assert!(front.next(&mut parcel, false));
            number += parcel.frames.len() as u64;
        }
        let mut opened = std::fs::OpenOptions::new().append(true).open(&file.0).expect("it was just made");
        change(&mut opened);
        while front.next(&mut parcel, false) && parcel.report.is_none() {
            for frame in &parcel.frames {
                number += 1;
                assert_eq!(frame.number, number);
            }
        }
        let report = parcel.report.expect("at the end of the capture");
        assert_eq!(report.packets, number);
        (number, report.problems.as_slice().iter().map(|problem| problem.name).collect())
    }

    #[test]
    fn what_becomes_of_a_file_that_is_shared_out_is_told() {
        let file = Kept::new("grows", 10_000);
        let (number, told) = meanwhile(&file, |opened| {
            std::io::Write::write_all(opened, &packets(10_000..10_100)).expect("a folder that takes files");
        });
        assert_eq!((number, &told[..]), (10_100, &["still-written"][..]));

        let file = Kept::new("shrinks", 10_000);
        let (number, told) = meanwhile(&file, |opened| opened.set_len(5_000_000).expect("its length can be set"));
        assert!(number < 10_000 && told.contains(&"rewritten"), "{number} {told:?}");
    }

    #[test]
    fn a_part_whose_reader_fails_is_read_in_turn() {
        let file = Kept::new("fails", 9_000);
        let mut capture = Capture::open(&file.0).expect("a capture");
        let mut frames = Vec::new();
        assert!(capture.next_frames(&mut frames, 10));
        let mut sifter = Sifter::new(&Options::default(), 1);
        let shared = Arc::<Shared>::default();
        let size = capture.plain_size().expect("a plain file");
        let (own, threads) = (sifter.alike(), Vec::new());
        let mut turns = Turns { shared: Arc::clone(&shared), threads, sifter: own, size, taken: 0, anew: 0 };
        let plan = turns.plan(&capture).expect("a plain file");
        shared.lock().begin(plan);
        shared.lock().ahead = 1;
        let (plan, number, read) = shared.lock().claim().expect("nobody else claims any");
        let failed = std::thread::spawn(move || {
            let _claim = Claim { shared: &shared, plan, number, read };
            panic!("as a defect of a decoder would");
        });
        assert!(failed.join().is_err());
        let (mut report, mut parcel) = (CaptureReport::default(), Parcel::default());
        assert!(!turns.next(&mut capture, &mut sifter, &mut report, &mut parcel));
        assert!(capture.next_frames(&mut frames, 10));
        assert_eq!(frames[0].number, 11);
        assert!(turns.next(&mut capture, &mut sifter, &mut report, &mut parcel), "and then shared out anew");
        assert_eq!(parcel.frames[0].number, 21);
    }
}
