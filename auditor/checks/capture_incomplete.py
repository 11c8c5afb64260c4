"""Tell what the captures do not hold, so that no silence is taken for a proof.

What it finds
    Captures that are cut, could not be read to their end, lost packets while capturing, or hold none; captures that
    show one direction only; and vendor sessions with gaps: bytes that the other end acknowledged and nobody captured.
    Packets that were captured shorter than they were (snap length), where a check needs what is not there: the commands
    of a control session, or 8 KiB of a data flow to sample. Requests to proxies and answers about vendors' host names
    of which bytes are missing: where they lead is not known.
Why it matters
    What was not captured was not judged. A verdict over such captures is `inconclusive` at best, and the statements say
    so.
What you see
    capture-incomplete  info  monday.pcap: 412 packets dropped while capturing
    capture-incomplete  info  10.0.0.5 → 204.164.111.9:16384/tcp  bytes missing, first at frame 80
    capture-incomplete  info  10.0.0.5 → 66.241.7.9:20001/tcp  cut too short to sample, first at frame 31
Stays silent
    Packets captured twice. Captures that begin in mid-session. A snap length that leaves what the checks need: lengths
    stand in the headers.
Rests on
    no statement: it judges the captures
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from auditor.checks._said import control_sessions, secured, through_proxy, told
from auditor.checks.base import CaptureHits, Check, Context, Hits, Outcome, Severity
from auditor.checks.unencrypted_payload import short_of_samples
from auditor.distinct import distinct
from auditor.flow import UDP, Flows, Rows

DROPS = "packets-dropped"  # the engine's problem that tells of `drops` once more, interface by interface
PROXIES = ("socks", "http")  # parsers of what is said to proxies, of vendors' targets and others
RECAPTURE = "Capture again with a larger buffer, at a point that sees both directions, and let it end in order."


class CaptureIncomplete(Check):
    id = "capture-incomplete"
    title = "Capture does not hold everything"
    since = "0.1"
    statements = frozenset()
    observes = True

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        rows = np.flatnonzero((flows.vendor != 0) & (flows.missed_bytes > 0))
        if len(rows):
            yield Hits(
                rows,
                Severity.INFO,
                "bytes between {client_ip} and {server_ip} port {server_port} were acknowledged, but not captured",
                outcome=Outcome.OBSERVED,
                remediation=RECAPTURE,
            )
        rows = _leading_nowhere(flows, context)
        if len(rows):
            yield Hits(
                rows,
                Severity.INFO,
                "what {client_ip} and {server_ip} port {server_port} said lacks bytes: it may lead to a vendor",
                outcome=Outcome.OBSERVED,
                remediation=RECAPTURE,
            )
        if any(capture["snapped"] for capture in context.health.captures):
            yield from _cut_short(flows, context)

    def find_in_captures(self, context: Context) -> Iterable[CaptureHits]:
        for index, capture in enumerate(context.health.captures):
            for frame, count, message in _losses(capture):
                text = f"{capture['path']}: {message}"
                yield CaptureHits(index, text, frame=frame, count=count, remediation=RECAPTURE)
        if context.health.one_sided:
            first = next(at for at, capture in enumerate(context.health.captures) if capture["packets"])
            yield CaptureHits(
                first,
                "only one direction of the traffic was captured",
                remediation="Mirror both directions of the port to the capture point.",
            )


def _leading_nowhere(flows: Flows, context: Context) -> Rows:
    """Requests to proxies and datagrams about vendors' names of which bytes are missing that would say where they lead.

    Over TCP nobody knows whether a name that is missing would have been a vendor's; mostly it would not.
    """
    events, rows = told(flows, context, "lost")
    by_proxy = np.array([context.events.text[event] in PROXIES for event in events.tolist()], np.bool_)
    by_name = np.array([context.events.text[event] == "dns" for event in events.tolist()], np.bool_)
    chosen = (by_proxy | by_name & (flows.protocol[rows] == UDP)) & (flows.vendor[rows] == 0)
    return distinct(rows[chosen])


def _cut_short(flows: Flows, context: Context) -> Iterable[Hits]:
    """Sessions of which the packets were captured, but not enough of each."""
    controls = control_sessions(flows, context)
    _, holed = told(flows, context, "lost")
    controls = controls[np.isin(controls, holed) & ~secured(flows, context)[controls]]
    parts = (
        (controls, "the control session between {client_ip} and {server_ip} port {server_port}, so that it tells"),
        (
            short_of_samples(flows, context),
            "what {client_ip} sent to {server_ip} port {server_port}, so that less than 8 KiB can be sampled: it tells",
        ),
    )
    # What runs through a tunnel is another's session: only where it was sampled is there something to lack.
    readable = ~through_proxy(flows, context)
    sampled = context.samples.rows_in(flows)
    readable[sampled[sampled >= 0]] = True
    for rows, what in parts:
        rows = rows[(flows.missed_bytes[rows] == 0) & readable[rows]]
        if len(rows):
            yield Hits(
                rows,
                Severity.INFO,
                f"a snap length cut {what} nothing of encryption",
                outcome=Outcome.OBSERVED,
                remediation="Capture whole packets (snap length 0).",
            )


def _losses(capture: Mapping[str, Any]) -> Iterable[tuple[int, int, str]]:
    """Frame, count and message of everything that one capture lacks."""
    if capture["error"]:
        yield 0, 1, str(capture["error"])
        return
    if not capture["packets"]:
        yield 0, 1, "it holds no packets"
    if capture["drops"] > capture.get("drops_tolerated", 0):
        yield 0, int(capture["drops"]), f"{capture['drops']} packets dropped while capturing"
    hiding = [one for one in capture["problems"] if one["hides_traffic"] and one["name"] != DROPS]
    for problem in hiding:
        yield int(problem["frame"]), int(problem["count"]), str(problem["message"])
    if not capture["complete"] and not hiding and not capture["drops"]:
        yield 0, 1, "it ends before its end"
