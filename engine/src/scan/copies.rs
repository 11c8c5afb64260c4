//! How many packets of each capture came twice, and between which points.

use std::collections::BTreeMap;

use super::capture_report::CaptureReport;
use super::points::vlan_text;
use crate::capture::Frame;
use crate::flow::{Copied, Point};
use crate::problem::Problem;

/// Pairs of points that are told apart in one capture (`COPY_PAIRS`); copies between further ones are counted together.
pub const COPY_PAIRS: usize = 16;

/// Copies between two points.
#[derive(Debug)]
struct Pair {
    /// `None`: several, past `COPY_PAIRS`.
    between: Option<Copied>,
    count: u64,
    frame: u64,
    offset: u64,
}

/// The copies of every capture, by its index.
#[derive(Debug, Default)]
pub struct Copies {
    pairs: BTreeMap<u32, Vec<Pair>>,
    /// Capture and number of the last frame that was counted: the packets of a tunnel are one copy.
    last: (u32, u64),
}

impl Copies {
    /// Counts one, of that capture.
    pub fn note(&mut self, copied: &Copied, capture: u32, frame: &Frame) {
        if self.last == (capture, frame.number) {
            return;
        }
        self.last = (capture, frame.number);
        let pairs = self.pairs.entry(capture).or_default();
        let known = pairs.iter().position(|pair| pair.between.as_ref().is_none_or(|between| between == copied));
        if let Some(pair) = known {
            pairs[pair].count += 1;
            return;
        }
        let between = (pairs.len() < COPY_PAIRS).then_some(*copied);
        pairs.push(Pair { between, count: 1, frame: frame.number, offset: frame.file_offset });
    }

    /// Tells those of that capture as its problems.
    pub fn report(&self, capture: u32, report: &mut CaptureReport) {
        for &Pair { between, count, frame, offset } in self.pairs.get(&capture).into_iter().flatten() {
            let message = match between {
                Some(between) => text(&between, &report.interface_names),
                None => format!("packets were captured twice between more than {COPY_PAIRS} pairs of points"),
            };
            report.problems.push(Problem {
                name: "duplicate-packets",
                count,
                frame,
                offset,
                message: format!("{message}; each is counted once, if its flow has more than two"),
                hides_traffic: false,
            });
        }
    }
}

fn text(copied: &Copied, names: &[String]) -> String {
    let several = names.len() > 1;
    let routed = if copied.routed { ", with another hop limit" } else { "" };
    let (first, again) = (place(copied.first, names), place(copied.again, names));
    if copied.first == copied.again {
        let at = if several || copied.first.vlan != 0 { format!(" ({first})") } else { String::new() };
        return format!("packets were captured twice at one point{at}{routed}");
    }
    format!("packets were captured twice: first {first}, then {again}{routed}")
}

/// A point in words: the interface where there are several, and the VLAN.
fn place(point: Point, names: &[String]) -> String {
    let mut words = Vec::new();
    if names.len() > 1 {
        words.push(interface_name(names, point.interface));
    }
    words.push(vlan_text(point.vlan));
    words.join(", ")
}

/// Number and name of an interface.
fn interface_name(names: &[String], number: u16) -> String {
    match names.get(usize::from(number)).map(String::as_str) {
        None | Some("") => format!("interface {number}"),
        Some(name) => format!("interface {number} ({name})"),
    }
}
