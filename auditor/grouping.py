"""What the checks object to, made into findings.

One finding per (check, vendor, client, server, service port, protocol, direction), however many flows it takes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditor.checks.base import CaptureHits, Check, Context, Hits, Outcome, Severity
from auditor.displayfilter import frame_filter
from auditor.finding import Evidence, Finding, Unlisted, applied_waiver, finding_id
from auditor.flow import ICMP, ICMP6, TCP, UDP, Bools, Codes, Flows, Rows, Seen
from auditor.flowends import NO_PORT, Ends
from auditor.flowfilter import FlowFilters
from auditor.formats import address_text, flow_id_text

MAX_EVIDENCE = 20  # flows whose frames a finding names; its display filter shows all of them
# Findings of one check that are listed, the worst ones. Whoever is scanned at every port of every server has more, and
# nobody reads them; they are counted.
MAX_FINDINGS = 10_000


@dataclass(frozen=True, slots=True)
class Objections:
    """All hits of one check as columns, sorted by finding and, within one, by start."""

    rows: Rows
    severity: Codes
    certain: Bools
    outcome: Codes
    hits: Rows  # index into the check's list of hits
    starts: Rows  # where each finding begins

    def at(self, part: slice) -> Objections:
        """Those of one finding."""
        return Objections(
            self.rows[part],
            self.severity[part],
            self.certain[part],
            self.outcome[part],
            self.hits[part],
            self.starts[:1],
        )


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
            objections = self._collect(hits)
            bounds = np.r_[objections.starts, len(objections.rows)].tolist()
            parts = list(pairwise(bounds))
            for first, last in self._listed(check, objections, parts):
                found.append(self._finding(check, hits, objections.at(slice(first, last))))
        waivers = self._context.site.waivers
        return [replace(one, waiver=applied_waiver(one, waivers, self._as_of)) if waivers else one for one in found]

    def _listed(
        self, check: Check, objections: Objections, parts: Sequence[tuple[int, int]]
    ) -> Sequence[tuple[int, int]]:
        """The parts that become findings: all, or the worst MAX_FINDINGS; the others are counted as `unlisted`."""
        if len(parts) <= MAX_FINDINGS:
            return parts
        worst = np.maximum.reduceat(objections.severity, objections.starts)
        order = np.argsort(-worst.astype(np.int64), kind="stable")
        left_out = order[MAX_FINDINGS:]
        self.unlisted.append(Unlisted(check.id, len(left_out), Severity(int(worst[left_out].max()))))
        return [parts[at] for at in sorted(order[:MAX_FINDINGS].tolist())]

    def _collect(self, hits: Sequence[Hits]) -> Objections:
        flows, ends = self._flows, self._ends
        rows = np.concatenate([hit.rows for hit in hits]).astype(np.intp)
        natural = flow_outcomes(flows, rows)
        given = np.repeat([hit.outcome is not None for hit in hits], [len(hit.rows) for hit in hits])
        outcome = np.where(given, _spread(hits, "outcome", np.uint8), natural).astype(np.uint8)
        key: list[NDArray[Any]] = [
            flows.vendor[rows],
            ends.client_hi[rows],
            ends.client_lo[rows],
            ends.server_hi[rows],
            ends.server_lo[rows],
            ends.service_port[rows],
            flows.protocol[rows],
            ends.inbound[rows],
        ]
        order = np.lexsort((rows, flows.start_ns[rows], *reversed(key)))
        changes = np.zeros(len(order), np.bool_)
        changes[0] = True
        for column in key:
            ordered = column[order]
            changes[1:] |= ordered[1:] != ordered[:-1]
        return Objections(
            rows=rows[order],
            severity=_spread(hits, "severity", np.uint8)[order],
            certain=_spread(hits, "certain", np.bool_)[order],
            outcome=outcome[order],
            hits=np.repeat(np.arange(len(hits)), [len(hit.rows) for hit in hits])[order],
            starts=np.flatnonzero(changes),
        )

    def _finding(self, check: Check, hits: Sequence[Hits], objections: Objections) -> Finding:
        flows, ends, context = self._flows, self._ends, self._context
        severity, rows = objections.severity, objections.rows
        worst = int(severity.max())
        hit = hits[int(objections.hits[np.argmax(severity)])]  # the earliest of the worst gives the words
        if len(hits) > 1:
            rows = rows[np.r_[True, rows[1:] != rows[:-1]]]  # a flow may be objected to twice
        first = int(rows[0])
        vendor = context.labels.vendors[int(flows.vendor[first])]
        number = int(flows.protocol[first])
        has_ports = int(ends.service_port[first]) != NO_PORT
        server_ports = _distinct(ends.server_port[rows]) if has_ports else ()
        outcome = Outcome(int(objections.outcome.max()))
        facts: dict[str, Any] = {
            "vendor": vendor,
            "client_ip": address_text(int(ends.client_hi[first]), int(ends.client_lo[first])),
            "client_ports": _distinct(ends.client_port[rows]) if has_ports else (),
            "server_ip": address_text(int(ends.server_hi[first]), int(ends.server_lo[first])),
            "server_port": server_ports[0] if len(server_ports) == 1 else None,
            "service_port": int(ends.service_port[first]) if has_ports else None,
            "protocol": _protocol_name(number),
            "direction": "inbound" if ends.inbound[first] else "outbound",
            "count": self._count(rows, messages=check.counts_messages or number in (ICMP, ICMP6)),
        }
        key = ("client_ip", "server_ip", "service_port", "protocol", "direction")
        return Finding(
            **facts,
            id=finding_id(check.id, vendor, *(facts[name] for name in key)),
            check=check.id,
            severity=Severity(worst),
            certain=bool(objections.certain[severity == worst].any()),
            statement=_statement(hit.statements, vendor, context),
            statements=hit.statements,
            title=check.title,
            message=hit.message.format_map({**facts, "outcome": outcome.word, **hit.extra}),
            outcome=outcome,
            via=None,
            first_ns=int(flows.start_ns[rows].min()),
            last_ns=int(flows.end_ns[rows].max()),
            flow_ids=tuple(map(flow_id_text, flows.flow_id[rows].tolist())),
            evidence=self._evidence(rows[:MAX_EVIDENCE]),
            display_filter=self._filters.filter_of(rows),
            remediation=hit.remediation,
        )

    def _count(self, rows: Rows, *, messages: bool) -> int:
        if not messages:
            return len(rows)
        return int(self._flows.packets_forward[rows].sum() + self._flows.packets_reverse[rows].sum())

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


def _spread(hits: Sequence[Hits], name: str, dtype: Any) -> NDArray[Any]:
    """One value for each row of all hits, from scalars and arrays."""
    columns = []
    for hit in hits:
        value = getattr(hit, name)
        columns.append(np.broadcast_to(np.asarray(0 if value is None else value, dtype), len(hit.rows)))
    return np.concatenate(columns)


def _distinct(ports: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(sorted(set(ports.tolist())))


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
