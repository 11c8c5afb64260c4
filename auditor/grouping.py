"""What the checks object to, made into findings.

One finding per (check, vendor, client, server, service port, protocol, direction), however many flows it takes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache, cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.checks.base import CaptureHits, Check, Context, Hits, Outcome, Severity
from auditor.displayfilter import frame_filter
from auditor.finding import Evidence, Finding, Unlisted, applied_waiver, finding_id
from auditor.flow import ICMP, ICMP6, TCP, UDP, Codes, Flows, Rows, Seen
from auditor.flowends import NO_PORT, Ends
from auditor.flowfilter import FlowFilters
from auditor.formats import address_text, flow_id_text
from auditor.objections import Collected, Objections, collect

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_EVIDENCE = 20  # flows whose frames a finding names; its display filter shows all of them
# Findings of one check that are listed, the worst ones. Whoever is scanned at every port of every server has more, and
# nobody reads them; they are counted.
MAX_FINDINGS = 10_000


class Grouping:
    """Makes findings from the hits of any check on these whole, classified flows. `as_of`: the day of the waivers."""

    def __init__(self, flows: Flows, context: Context, as_of: date) -> None:
        self._flows = flows
        self._context = context
        self._as_of = as_of
        self.unlisted: list[Unlisted] = []

    @cached_property
    def _ends(self) -> Ends:
        return Ends.of(self._flows)

    @cached_property
    def _filters(self) -> FlowFilters:
        return FlowFilters(self._flows, self._ends)

    def findings(self, check: Check) -> list[Finding]:
        """The check's findings, in the order of their keys."""
        hits = [hit for hit in check.find(self._flows, self._context) if len(hit.rows)]
        found = [_capture_finding(check, hit, self._context) for hit in check.find_in_captures(self._context)]
        if hits:
            flows = self._flows
            outcomes = self._outcomes
            collected = collect(hits, flows, self._ends, outcomes, self._context.labels.vendors)
            bounds = np.r_[collected.starts, len(collected.objections.rows)].tolist()
            for first, last in self._listed(check, collected, list(pairwise(bounds))):
                found.append(self._finding(check, hits, collected, collected.objections.at(slice(first, last))))
        waivers = self._context.site.waivers
        return [replace(one, waiver=applied_waiver(one, waivers, self._as_of)) if waivers else one for one in found]

    def _listed(
        self, check: Check, collected: Collected, parts: Sequence[tuple[int, int]]
    ) -> Sequence[tuple[int, int]]:
        """The parts that become findings: all, or the worst MAX_FINDINGS; the others are counted as `unlisted`."""
        if len(parts) <= MAX_FINDINGS:
            return parts
        worst = np.maximum.reduceat(collected.objections.severity, collected.starts)
        order = np.argsort(-worst.astype(np.int64), kind="stable")
        left_out = order[MAX_FINDINGS:]
        self.unlisted.append(Unlisted(check.id, len(left_out), Severity(int(worst[left_out].max()))))
        return [parts[at] for at in sorted(order[:MAX_FINDINGS].tolist())]

    def _finding(self, check: Check, hits: Sequence[Hits], collected: Collected, objections: Objections) -> Finding:
        flows, ends, context = self._flows, self._ends, self._context
        severity = objections.severity
        worst = int(severity.max())
        hit = hits[int(objections.hits[np.argmax(severity)])]  # the earliest of the worst gives the words
        rows = objections.rows[np.r_[True, objections.rows[1:] != objections.rows[:-1]]]  # some are objected to twice
        first = int(rows[0])
        vendor = collected.vendors[int(objections.vendor[0])]
        number = int(flows.protocol[first])
        own_server = address_text(int(ends.server_hi[first]), int(ends.server_lo[first]))
        server_ports, service_port = _distinct(objections.server_port), int(objections.service_port[0])
        outcome = Outcome(int(objections.outcome.max()))
        events = np.unique(objections.events[objections.events >= 0])
        messages = check.counts_messages or number in (ICMP, ICMP6)
        facts: dict[str, Any] = {
            "vendor": vendor,
            "client_ip": address_text(int(ends.client_hi[first]), int(ends.client_lo[first])),
            "client_ports": _distinct(ends.client_port[rows]),
            "server_ip": collected.names[int(objections.name[0])]
            or address_text(int(objections.server_hi[0]), int(objections.server_lo[0])),
            "server_port": server_ports[0] if len(server_ports) == 1 else None,
            "service_port": None if service_port == NO_PORT else service_port,
            "via": own_server if objections.through[0] else None,
            "protocol": _protocol_name(number),
            "direction": "inbound" if ends.inbound[first] and not objections.through[0] else "outbound",
            "count": (len(events) or self._packets(rows)) if messages else len(rows),
        }
        key = ("client_ip", "server_ip", "service_port", "protocol", "direction")
        further = (facts["via"],) if facts["via"] else ()
        return Finding(
            **facts,
            id=finding_id(check.id, vendor, *(facts[name] for name in key), *further),
            check=check.id,
            severity=Severity(worst),
            certain=bool(objections.certain[severity == worst].any()),
            statement=_statement(hit.statements, vendor, context),
            statements=hit.statements,
            title=check.title,
            message=hit.message.format_map({**facts, "outcome": outcome.word, **hit.extra}),
            outcome=outcome,
            first_ns=int(flows.start_ns[rows].min()),
            last_ns=int(flows.end_ns[rows].max()),
            flow_ids=tuple(map(flow_id_text, flows.flow_id[rows].tolist())),
            evidence=self._told(events[:MAX_EVIDENCE]) or self._evidence(rows[:MAX_EVIDENCE]),
            display_filter=self._filters.filter_of(rows, self._frames(events) if messages else None),
            remediation=hit.remediation,
        )

    def _packets(self, rows: Rows) -> int:
        return int(self._flows.packets_forward[rows].sum() + self._flows.packets_reverse[rows].sum())

    @cached_property
    def _outcomes(self) -> Codes:
        return flow_outcomes(self._flows, np.arange(len(self._flows)))

    def _frames(self, events: Rows) -> list[int] | None:
        """The frames of these events, where they alone are meant and one capture holds them all."""
        captures = self._context.events.capture[events]
        if len(events) == 0 or (captures != captures[0]).any():
            return None
        return sorted(set(self._context.events.frame[events].tolist()))

    def _told(self, events: Rows) -> tuple[Evidence, ...]:
        """The frames that say what is objected to."""
        told, captures = self._context.events, self._context.health.captures
        return tuple(
            Evidence(str(captures[int(told.capture[event])]["path"]), int(told.frame[event]), int(told.time_ns[event]))
            for event in events.tolist()
        )

    def _evidence(self, rows: Rows) -> tuple[Evidence, ...]:
        """First frames of the flows, and their SYNs where those came later."""
        flows, captures = self._flows, self._context.health.captures
        frames = []
        for row in rows.tolist():
            capture = str(captures[int(flows.capture[row])]["path"])
            first, syn = int(flows.first_frame[row]), int(flows.syn_frame[row])
            frames.append(Evidence(capture, first, int(flows.start_ns[row])))
            if syn not in (0, first):
                frames.append(Evidence(capture, syn, None))
        return tuple(frames)


def flow_outcomes(flows: Flows, rows: Rows) -> Codes:
    """Outcome of each flow, as its own packets tell it. Pings and what lacks ports are merely observed."""
    protocol, seen = flows.protocol[rows], flows.seen_forward[rows] | flows.seen_reverse[rows]
    both_ways = (flows.packets_forward[rows] > 0) & (flows.packets_reverse[rows] > 0)
    answered = (protocol == TCP) & ((seen & np.uint16(Seen.SYN_ACK | Seen.DATA)) != 0)
    answered |= (protocol == UDP) & both_ways
    tried = ((protocol == TCP) & ((seen & np.uint16(Seen.SYN)) != 0)) | (protocol == UDP)
    return np.where(answered, Outcome.OPEN, np.where(tried, Outcome.ATTEMPT, Outcome.OBSERVED)).astype(np.uint8)


def sorted_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Worst first, then by check, vendor, ends and id."""
    return sorted(findings, key=lambda f: (-f.severity, f.check, f.vendor, f.client_ip or "", f.server_ip or "", f.id))


def _distinct(ports: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(sorted(set(ports.tolist()) - {NO_PORT}))


def _statement(wanted: tuple[str, ...], vendor: str, context: Context) -> str | None:
    for name in vendor.split("|") if vendor else ():
        statement = context.pack(name).pack.statement(*wanted)
        if statement is not None:
            return statement.id
    return None


def _capture_finding(check: Check, hit: CaptureHits, context: Context) -> Finding:
    capture = context.health.captures[hit.capture]
    path = str(capture["path"])
    return Finding(
        id=finding_id(check.id, path, hit.frame, hit.message),
        check=check.id,
        severity=hit.severity,
        certain=True,
        vendor="",
        statement=None,
        statements=(),
        title=check.title,
        message=hit.message,
        direction=None,
        outcome=Outcome.OBSERVED,
        client_ip=None,
        client_ports=(),
        server_ip=None,
        server_port=None,
        service_port=None,
        via=None,
        protocol=None,
        count=hit.count,
        first_ns=capture["first_ns"],
        last_ns=capture["last_ns"],
        flow_ids=(),
        evidence=(Evidence(path, hit.frame, None),),
        display_filter=frame_filter([hit.frame]) if hit.frame else "",
        remediation=hit.remediation,
    )


@cache
def _protocol_name(number: int) -> str:
    from auditor._engine import protocol_name

    return str(protocol_name(number))
