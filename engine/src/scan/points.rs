//! Capture points: each interface and VLAN of a capture, and whether it shows both directions.
//!
//! A mirror port that copies one direction of a link shows half of every session. Taken together with a sound one it
//! would not be noticed, so each point is measured by itself: by the flows that began there. Flows whose halves come by
//! different VLANs or interfaces show both directions, and count so where they began.

use std::collections::BTreeMap;

use super::capture_report::CaptureReport;
use super::options::VlanMode;
use crate::flow::{Flow, Point, protocol, seen};
use crate::problem::Problem;
use crate::wire::vlan_ids;

/// Points that are told apart in one scan (`CAPTURE_POINTS`); flows of further ones count with the last.
pub const CAPTURE_POINTS: usize = 64;
/// Pairs of VLANs that are told apart in one scan.
const VLAN_PAIRS: usize = 64;
/// A point needs so many half-seen flows to be called one-sided: a few have other reasons.
const ONE_SIDED_FLOWS: u64 = 10;
/// And of its flows at most one in this many may show both directions, as for the scan as a whole.
const ONE_SIDED_RATIO: u64 = 50;

/// How much of its flows a point shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ends {
    /// TCP and UDP flows that show packets of both ends.
    pub two_way: u64,
    /// TCP flows of which one end was captured although it speaks with somebody: it acknowledges or answers.
    pub half_seen: u64,
}

/// Flows between two VLANs.
#[derive(Clone, Copy, Debug)]
struct Joined {
    flows: u64,
    first_frame: u64,
}

/// Every point of a scan, by its capture.
#[derive(Clone, Debug, Default)]
pub struct Points {
    known: Vec<(u32, Point, Ends)>,
    latest: usize,
    /// By capture, and the VLANs of both sides.
    joined: BTreeMap<(u32, u64, u64), Joined>,
    /// Flows of which one side came in several VLANs, by capture.
    mixed: BTreeMap<u32, Joined>,
}

impl Points {
    /// The number of a point, less than `CAPTURE_POINTS`.
    #[inline]
    pub fn number(&mut self, capture: u32, point: Point) -> usize {
        match self.known.get(self.latest) {
            Some(&(its, known, _)) if its == capture && known == point => self.latest,
            _ => self.find(capture, point),
        }
    }

    #[cold]
    fn find(&mut self, capture: u32, point: Point) -> usize {
        let known = self.known.iter().position(|&(its, known, _)| its == capture && known == point);
        self.latest = known.unwrap_or_else(|| {
            if self.known.len() < CAPTURE_POINTS {
                self.known.push((capture, point, Ends::default()));
            }
            self.known.len() - 1
        });
        self.latest
    }

    /// Counts flows of every point, by number.
    pub fn add(&mut self, ends: &[Ends; CAPTURE_POINTS]) {
        for ((.., sum), more) in self.known.iter_mut().zip(ends) {
            sum.two_way += more.two_way;
            sum.half_seen += more.half_seen;
        }
    }

    /// Counts a flow that has ended.
    pub fn count(&mut self, flow: &Flow, vlan: VlanMode) {
        let ends = ends_of(flow);
        if ends.two_way + ends.half_seen > 0 {
            let number = self.number(flow.capture, Point { interface: flow.interface, vlan: flow.vlan });
            if let Some((.., sum)) = self.known.get_mut(number) {
                sum.two_way += ends.two_way;
                sum.half_seen += ends.half_seen;
            }
        }
        if vlan != VlanMode::Auto || flow.piece > 0 {
            return;
        }
        if flow.mixed_vlans {
            let entry = self.mixed.entry(flow.capture).or_insert(Joined { flows: 0, first_frame: flow.first_frame });
            entry.flows += 1;
        } else if flow.has_two_vlans() {
            let initiator = flow.initiator_side();
            let pair = (flow.capture, flow.details[initiator].vlan, flow.details[initiator ^ 1].vlan);
            if self.joined.len() < VLAN_PAIRS || self.joined.contains_key(&pair) {
                let entry = self.joined.entry(pair).or_insert(Joined { flows: 0, first_frame: flow.first_frame });
                entry.flows += 1;
            }
        }
    }

    /// Over all points.
    pub fn sum(&self) -> Ends {
        self.known.iter().fold(Ends::default(), |sum, (.., ends)| Ends {
            two_way: sum.two_way + ends.two_way,
            half_seen: sum.half_seen + ends.half_seen,
        })
    }

    /// Tells the captures what was odd at their points. A scan with one point is one-sided as a whole or not at all,
    /// which is for the caller to say.
    pub fn report(&self, captures: &mut [CaptureReport]) {
        if self.known.len() > 1 {
            // Which of two was met first is up to when flows were counted.
            let mut points = self.known.clone();
            points.sort_by_key(|&(capture, point, _)| (capture, point.interface, point.vlan));
            for (capture, point, ends) in points {
                if ends.half_seen >= ONE_SIDED_FLOWS && ends.two_way * ONE_SIDED_RATIO <= ends.half_seen {
                    note_one_sided(captures, capture, point, ends);
                }
            }
        }
        for (&(capture, there, back), joined) in &self.joined {
            let (there, back) = (vlan_text(there), vlan_text(back));
            note(captures, capture, joined, "vlan-per-direction", |flows| {
                format!(
                    "{flows} have their initiator's packets in {there} and their responder's in {back}; both halves are \
                     one flow (--vlan strict keeps them apart)"
                )
            });
        }
        for (&capture, joined) in &self.mixed {
            note(captures, capture, joined, "vlan-mixed", |flows| {
                format!(
                    "{flows} have packets of one sender in several VLANs; they are taken for one flow each (--vlan \
                     strict keeps them apart)"
                )
            });
        }
    }
}

fn note_one_sided(captures: &mut [CaptureReport], capture: u32, point: Point, ends: Ends) {
    let Some(report) = captures.get_mut(capture as usize) else { return };
    let interface = report.interface_names.get(usize::from(point.interface)).map_or("", String::as_str);
    let name = if interface.is_empty() { String::new() } else { format!(" ({interface})") };
    let message = format!(
        "interface {}{name}, {}: {} of {} flows show one direction only; what the other said is unknown",
        point.interface,
        vlan_text(point.vlan),
        ends.half_seen,
        ends.half_seen + ends.two_way
    );
    report.complete = false;
    report.problems.push(Problem {
        name: "one-sided",
        count: ends.half_seen,
        frame: 0,
        offset: 0,
        message,
        hides_traffic: true,
    });
}

fn note(
    captures: &mut [CaptureReport],
    capture: u32,
    joined: &Joined,
    name: &'static str,
    message: impl FnOnce(&str) -> String,
) {
    let flows = if joined.flows == 1 { "1 flow".to_owned() } else { format!("{} flows", joined.flows) };
    if let Some(report) = captures.get_mut(capture as usize) {
        report.problems.push(Problem {
            name,
            count: joined.flows,
            frame: joined.first_frame,
            offset: 0,
            message: message(&flows),
            hides_traffic: false,
        });
    }
}

/// VLAN tags for people, outermost first.
pub fn vlan_text(tags: u64) -> String {
    let ids: Vec<String> = vlan_ids(tags).map(|id| id.to_string()).collect();
    if ids.is_empty() { "no VLAN".to_owned() } else { format!("VLAN {}", ids.join(".")) }
}

/// What a flow shows of its ends. Pieces of a flow that a silence split are not counted again.
fn ends_of(flow: &Flow) -> Ends {
    let answers = seen::ACK | seen::DATA | seen::SYN_ACK | seen::FIN;
    let is_tcp = flow.key.protocol() == protocol::TCP;
    if !is_tcp && flow.key.protocol() != protocol::UDP || flow.piece > 0 {
        return Ends::default();
    }
    if flow.ends[0].packets > 0 && flow.ends[1].packets > 0 {
        return Ends { two_way: 1, half_seen: 0 };
    }
    let half = is_tcp && (flow.ends[0].seen | flow.ends[1].seen) & answers != 0;
    Ends { two_way: 0, half_seen: u64::from(half) }
}
