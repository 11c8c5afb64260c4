"""What the checks object to, made into findings.

One finding per (check, vendor, client, server, service port, protocol, direction), however many flows it takes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cache, cached_property
from itertools import chain, pairwise
from typing import Any

import numpy as np

from auditor.checks.base import CaptureHits, Check, Context, Hits, Outcome, Severity
from auditor.displayfilter import frame_filter
from auditor.finding import Evidence, Finding, Unlisted, applied_waiver, finding_id
from auditor.flow import ICMP, ICMP6, Flows, Rows
from auditor.flowends import NO_PORT, Ends
from auditor.flowfilter import FlowFilters
from auditor.formats import address_text, flow_id_text
from auditor.objections import Judgements, Objections

MAX_EVIDENCE = 20  # flows whose frames a finding names; its display filter shows all of them
# Findings of one check that are listed, the worst ones. Whoever is scanned at every port of every server has more, and
# nobody reads them; they are counted.
MAX_FINDINGS = 10_000
KEY = ("vendor", "client_ip", "server_ip", "service_port", "protocol", "direction")  # beside the check


class Grouping:
    """Makes findings from the hits of any check on these whole, classified flows. `as_of`: the day of the waivers."""

    def __init__(self, flows: Flows, context: Context, as_of: date) -> None:
        self._flows = flows
        self._context = context
        self._as_of = as_of
        self._statements: dict[tuple[tuple[str, ...], str], str | None] = {}
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
            objections = self._listed(check, Objections.of(hits, self._flows, self._ends))
            found += self._findings(check, hits, objections.judgements(), *objections.flows())
        waivers = self._context.site.waivers
        return [replace(one, waiver=applied_waiver(one, waivers, self._as_of)) if waivers else one for one in found]

    def _listed(self, check: Check, objections: Objections) -> Objections:
        """Those that become findings: all, or those of the worst MAX_FINDINGS; the others count as `unlisted`."""
        if len(objections.starts) <= MAX_FINDINGS:
            return objections
        worst = objections.worst()
        order = np.argsort(-worst.astype(np.int64), kind="stable")
        left_out = order[MAX_FINDINGS:]
        self.unlisted.append(Unlisted(check.id, len(left_out), Severity(int(worst[left_out].max()))))
        return objections.only(np.sort(order[:MAX_FINDINGS]))

    def _findings(
        self, check: Check, hits: Sequence[Hits], judgements: Judgements, rows: Rows, starts: Rows
    ) -> Iterator[Finding]:
        """The findings that begin at `starts`. Whole columns become lists first: to ask numpy for one value at a
        time made a finding cost 80 µs, and now it costs 20."""
        flows = self._flows
        flow_ids = list(map(flow_id_text, flows.flow_id[rows].tolist()))
        first_ns = np.minimum.reduceat(flows.start_ns[rows], starts).tolist()
        last_ns = np.maximum.reduceat(flows.end_ns[rows], starts).tolist()
        evidence = self._evidence(rows, starts)
        bounds = pairwise([*starts.tolist(), len(rows)])
        for at, (facts, (first, last)) in enumerate(zip(self._facts(check, rows, starts), bounds, strict=True)):
            hit, outcome = hits[judgements.hits[at]], Outcome(judgements.outcome[at])
            yield Finding(
                **facts,
                id=finding_id(check.id, *(facts[name] for name in KEY)),
                check=check.id,
                severity=Severity(judgements.severity[at]),
                certain=judgements.certain[at],
                statement=self._statement(hit.statements, facts["vendor"]),
                statements=hit.statements,
                title=check.title,
                message=hit.message.format_map({**facts, "outcome": outcome.word, **hit.extra}),
                outcome=outcome,
                via=None,
                first_ns=first_ns[at],
                last_ns=last_ns[at],
                flow_ids=tuple(flow_ids[first:last]),
                evidence=evidence[at],
                display_filter=self._filters.filter_of(rows[first:last], facts["client_ip"], facts["server_ip"]),
                remediation=hit.remediation,
            )

    def _facts(self, check: Check, rows: Rows, starts: Rows) -> Iterator[dict[str, Any]]:
        """What is told of each finding by its flows: fields of `Finding` by name."""
        flows, ends, first = self._flows, self._ends, rows[starts]
        protocol = flows.protocol[first]
        messages = np.full(len(first), check.counts_messages) | (protocol == ICMP) | (protocol == ICMP6)
        packets = np.add.reduceat(flows.packets_forward[rows] + flows.packets_reverse[rows], starts)
        service_ports = [None if port == NO_PORT else port for port in ends.service_port[first].tolist()]
        server_ports = _distinct(ends.server_port[rows].tolist(), starts)
        columns: dict[str, Iterable[Any]] = {
            "vendor": map(self._context.labels.vendors.__getitem__, flows.vendor[first].tolist()),
            "client_ip": map(address_text, ends.client_hi[first].tolist(), ends.client_lo[first].tolist()),
            "client_ports": _distinct(ends.client_port[rows].tolist(), starts),
            "server_ip": map(address_text, ends.server_hi[first].tolist(), ends.server_lo[first].tolist()),
            "server_port": [ports[0] if len(ports) == 1 else None for ports in server_ports],
            "service_port": service_ports,
            "protocol": map(_protocol_name, protocol.tolist()),
            "direction": ["inbound" if inbound else "outbound" for inbound in ends.inbound[first].tolist()],
            "count": np.where(messages, packets, np.diff(starts, append=len(rows)).astype(np.uint64)).tolist(),
        }
        return (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))

    def _evidence(self, rows: Rows, starts: Rows) -> list[tuple[Evidence, ...]]:
        """Of each finding the first frames of its flows, and their SYNs where those came later."""
        flows = self._flows
        sizes = np.diff(starts, append=len(rows))
        shown = rows[np.arange(len(rows)) - np.repeat(starts, sizes) < MAX_EVIDENCE]
        paths = [str(capture["path"]) for capture in self._context.health.captures]
        columns = (flows.capture, flows.first_frame, flows.syn_frame, flows.start_ns)
        frames: list[tuple[Evidence, ...]] = []
        for capture, first, syn, start in zip(*(column[shown].tolist() for column in columns), strict=True):
            path = paths[capture]
            seen = Evidence(path, first, start)
            frames.append((seen,) if syn in (0, first) else (seen, Evidence(path, syn, None)))
        ends = np.cumsum(np.minimum(sizes, MAX_EVIDENCE)).tolist()
        return [tuple(chain.from_iterable(frames[first:last])) for first, last in pairwise([0, *ends])]

    def _statement(self, wanted: tuple[str, ...], vendor: str) -> str | None:
        """The first of the statements `wanted` that a pack of the vendor's has."""
        if (wanted, vendor) not in self._statements:
            packs = [self._context.pack(name).pack for name in vendor.split("|")] if vendor else []
            found = (pack.statement(*wanted) for pack in packs)
            self._statements[wanted, vendor] = next((one.id for one in found if one is not None), None)
        return self._statements[wanted, vendor]


def sorted_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Worst first, then by check, vendor, ends and id."""
    return sorted(findings, key=lambda f: (-f.severity, f.check, f.vendor, f.client_ip or "", f.server_ip or "", f.id))


def _distinct(ports: Sequence[int], starts: Rows) -> list[tuple[int, ...]]:
    """The ports of each finding, sorted; none where there are no ports."""
    bounds = pairwise([*starts.tolist(), len(ports)])
    return [tuple(sorted(set(ports[first:last]) - {NO_PORT})) for first, last in bounds]


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
