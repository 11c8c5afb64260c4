//! What the reading thread hands out.

use super::evidence::Evidence;
use super::source::Source;
use super::tick::{Counters, Tick};
use super::worker::{Worker, now_ns};
use crate::scan::{FlowSamples, PortScans};

/// A packet that is younger than this may still lie in a block that the kernel has not handed over.
const UNDER_WAY_NS: i64 = 1_000_000_000;

impl Worker {
    /// What came since the last tick.
    pub(super) fn tick(&mut self) -> Tick {
        if !self.unhurried {
            // Silence ends flows as well.
            let now = now_ns() - UNDER_WAY_NS;
            self.passing.intake.table.advance(now);
            self.collect();
        }
        if let Some(evidence) = &mut self.evidence {
            evidence.flush();
        }
        let mut flows = std::mem::take(&mut self.flows);
        let ended = flows.len();
        let (events, mut samples) = self.passing.intake.listener.take_seen();
        let table = &self.passing.intake.table;
        let mut active = 0;
        let (set_aside, ends) = self.rounds.latest(&self.passing.intake.aside);
        let mut points = self.passing.intake.points.clone();
        points.add(ends);
        for flow in table.alive() {
            active += 1;
            points.count(flow, self.passing.intake.vlan);
            if !self.passing.intake.wants_flow(flow) {
                continue;
            }
            let told = self.told.get(flow.last_capture as usize).copied().unwrap_or(0);
            if flow.last_frame > told {
                flows.push(table.so_far(flow));
                samples.extend(FlowSamples::so_far(flow));
            }
        }
        for (told, report) in self.told.iter_mut().zip(&self.reports) {
            *told = report.last_frame;
        }
        self.told_ns = self.latest_ns;
        let mut totals = self.totals;
        totals.add(set_aside);
        totals.take_ends(points.sum());
        totals.copies = self.passing.intake.copied;
        let mut quotes: Vec<_> = self.passing.intake.quotes.drain().map(|(_, quote)| quote).collect();
        quotes.sort_unstable_by_key(|quote| (quote.capture, quote.first_frame));
        for ((source, state), report) in self.sources.iter_mut().zip(&mut self.states).zip(&mut self.reports) {
            source.describe(state, report);
        }
        let mut captures = self.reports.clone();
        for ((report, index), _) in captures.iter_mut().zip(0..).zip(&self.closed).filter(|(_, closed)| !**closed) {
            self.passing.intake.copies.report(index, report);
            report.report_snapped();
        }
        points.report(&mut captures);
        Tick {
            flows,
            ended,
            events,
            samples,
            quotes,
            port_scans: self.passing.intake.port_scans.as_ref().map_or_else(Vec::new, PortScans::pairs),
            processes: self.process_names.names().to_vec(),
            captures,
            sources: self.states.clone(),
            counters: Counters {
                totals,
                table: self.passing.intake.table.counts(),
                decoder: self.passing.sifter.decoder.counts().clone(),
                quotes_dropped: self.passing.intake.quotes_dropped,
                events_dropped: self.passing.intake.listener.dropped(),
                stream_limits_reached: self.passing.intake.listener.limits_reached(),
                flows_lost: self.flows_lost,
                scan_pairs_forgotten: self.scan_pairs_forgotten,
                evidence: self.evidence.as_ref().map_or((0, 0), Evidence::counts),
                active,
            },
            now_ns: if self.unhurried { self.latest_ns } else { now_ns() },
            last: false,
        }
    }

    /// Ends every flow, and hands out the last tick.
    pub(super) fn finish(&mut self) {
        for (index, (source, report)) in self.sources.iter_mut().zip(&mut self.reports).enumerate() {
            if let Source::Feed(stream) | Source::Stream(stream) = source
                && !self.closed[index]
                && let Ok(capture) = stream.capture()
            {
                // It was left before its end, which is no fault of the capture.
                self.passing.close(index as u32, report, capture.info());
                self.closed[index] = true;
                report.complete = !report.problems.as_slice().iter().any(|problem| problem.hides_traffic);
            }
        }
        let last = self.reports.len().saturating_sub(1);
        let frame = self.reports.last().map_or(0, |report| report.last_frame).max(1);
        self.passing.finish(frame, last as u32);
        self.collect();
        self.rounds.count(&self.passing.intake.aside);
        if let Some(evidence) = &mut self.evidence {
            evidence.finish();
        }
        let tick = Tick { last: true, ..self.tick() };
        self.shared.wait_until_free_or_gone();
        self.shared.put(tick);
    }
}
