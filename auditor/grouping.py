"""What the checks object to, made into findings.

One finding per (check, vendor, client, server, service port, protocol, direction), however many flows it takes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache, cached_property
from itertools import pairwise, starmap
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.checks.base import CaptureHits, Check, Context, Hits, Outcome, Severity
from auditor.displayfilter import frame_filter
from auditor.finding import Evidence, Finding, Unlisted, applied_waiver, finding_id
from auditor.flow import ICMP, ICMP6, TCP, UDP, Codes, Flows, Rows, Seen
from auditor.flowends import NO_PORT, Ends
from auditor.flowfilter import FlowFilters
from auditor.formats import address_text, flow_id_text
from auditor.frozen import frozen, replace
from auditor.objections import Collected, collect
from auditor.stretch import Item, Source, Stretch

if TYPE_CHECKING:
    from auditor.site import Waiver

MAX_EVIDENCE = 20  # flows whose frames a finding names; its display filter shows all of them
# Findings of one check that are listed, the worst ones. Whoever is scanned at every port of every server has more, and
# nobody reads them; they are counted.
MAX_FINDINGS = 10_000
# Beside the check, and `via` where there is one.
KEY = ("vendor", "client_ip", "server_ip", "service_port", "protocol", "direction")

SEVERITIES, OUTCOMES = tuple(Severity), tuple(Outcome)  # by number
WAYS = ("outbound", "inbound")


class Grouping:
    """Makes findings from the hits of any check on these whole, classified flows.

    `as_of`: the day of the waivers. `lasting`: the findings have flow ids and evidence of their own, to be kept beyond
    the flows; else a share in columns, of which nothing is made before somebody looks.
    """

    def __init__(self, flows: Flows, context: Context, as_of: date, *, lasting: bool = False) -> None:
        self._flows = flows
        self._context = context
        self._as_of = as_of
        self._lasting = lasting
        self._statements: dict[tuple[tuple[str, ...], str], str | None] = {}
        self.unlisted: list[Unlisted] = []

    @cached_property
    def _ends(self) -> Ends:
        return Ends.of(self._flows)

    @cached_property
    def _filters(self) -> FlowFilters:
        return FlowFilters(self._flows, self._ends)

    def findings(self, check: Check) -> list[Finding]:
        """The check's findings, in the order of their keys; MAX_FINDINGS at most."""
        return self._findings_of(check, self._objections(check), MAX_FINDINGS)

    def findings_of_all(self, checks: Sequence[Check], most: int) -> Iterator[Finding]:
        """The findings of the checks, at most so many of all of them together. Each check has its fair share."""
        known = [self._objections(check) for check in checks]
        share = min(MAX_FINDINGS, fair_share([0 if one is None else len(one[1].starts) for one in known], most))
        for check, objections in zip(checks, known, strict=True):
            yield from self._findings_of(check, objections, share)

    def _objections(self, check: Check) -> tuple[Sequence[Hits], Collected] | None:
        """What the check objects to in flows; None where that is nothing."""
        hits = [hit for hit in check.find(self._flows, self._context) if len(hit.rows)]
        if not hits:
            return None
        return hits, collect(hits, self._flows, self._ends, self._outcomes, self._context.labels.vendors)

    def _findings_of(
        self, check: Check, objections: tuple[Sequence[Hits], Collected] | None, most: int
    ) -> list[Finding]:
        found = [_capture_finding(check, hit, self._context) for hit in check.find_in_captures(self._context)]
        if objections is not None:
            hits, collected = objections
            found += self._findings(check, hits, self._listed(check, collected, most))
        waivers = self._context.site.waivers
        return [self._waived(one, waivers) for one in found] if waivers else found

    def _waived(self, finding: Finding, waivers: tuple[Waiver, ...]) -> Finding:
        applied = applied_waiver(finding, waivers, self._as_of)
        return finding if applied is None else replace(finding, waiver=applied)

    def _listed(self, check: Check, collected: Collected, most: int) -> Collected:
        """Those that become findings: all, or the worst of them, `most`; the others count as `unlisted`."""
        if len(collected.starts) <= most:
            return collected
        worst = collected.worst()
        order = np.argsort(-worst.astype(np.int64), kind="stable")
        left_out = order[most:]
        self.unlisted.append(Unlisted(check.id, len(left_out), Severity(int(worst[left_out].max()))))
        return collected.only(np.sort(order[:most]))

    def _findings(self, check: Check, hits: Sequence[Hits], collected: Collected) -> Iterator[Finding]:
        """The findings in what was collected.

        Whole columns become lists first, one for each field: to ask numpy for one value at a time made a finding cost
        ten times as much.
        """
        flows = self._flows
        rows, starts = collected.flows()
        judged, events = collected.judgements(), collected.events()
        messages = self._counts_messages(check, rows[starts])
        only = [
            self._frames(told) if counted and told else None for told, counted in zip(events, messages, strict=True)
        ]
        facts = self._facts(messages, collected)
        words = [hits[number] for number in judged.hits]
        outcomes = [OUTCOMES[number] for number in judged.outcome]
        flow_ids = _FlowIds(flows.flow_id[rows].data)
        shown = zip(events, self._evidence(rows, starts), strict=True)
        keys = zip(*[facts[name] for name in KEY], facts["via"], strict=True)
        columns: dict[str, Iterable[Any]] = {
            **facts,
            "id": [finding_id(check.id, *key) if key[-1] else finding_id(check.id, *key[:-1]) for key in keys],
            "check": [check.id] * len(starts),
            "severity": [SEVERITIES[number] for number in judged.severity],
            "certain": judged.certain,
            "statement": [
                self._statement(hit.statements, vendor) for hit, vendor in zip(words, facts["vendor"], strict=True)
            ],
            "statements": [hit.statements for hit in words],
            "title": [check.title] * len(starts),
            "message": _messages(words, {**facts, "outcome": [outcome.word for outcome in outcomes]}),
            "outcome": outcomes,
            "first_ns": np.minimum.reduceat(flows.start_ns[rows], starts).tolist(),
            "last_ns": np.maximum.reduceat(flows.end_ns[rows], starts).tolist(),
            "flow_ids": self._stretches(flow_ids, [*starts.tolist(), len(rows)]),
            "evidence": [self._told(told[:MAX_EVIDENCE]) if told else frames for told, frames in shown],
            "display_filter": self._filters.filters_of(rows, starts, only),
            "remediation": [hit.remediation for hit in words],
            "waiver": [None] * len(starts),
        }
        return starmap(Finding, zip(*[columns[name] for name in Finding.__match_args__], strict=True))

    def _facts(self, messages: Sequence[bool], collected: Collected) -> dict[str, list[Any]]:
        """What is told of each finding by its flows: columns of `Finding`."""
        flows, ends, found, begins = self._flows, self._ends, collected.objections, collected.starts
        rows, starts = collected.flows()
        first = rows[starts]
        names = map(collected.names.__getitem__, found.name[begins].tolist())
        servers = map(address_text, found.server_hi[begins].tolist(), found.server_lo[begins].tolist())
        through = found.through[begins]
        leaders = map(address_text, ends.server_hi[first].tolist(), ends.server_lo[first].tolist())
        server_ports = _distinct(found.server_port.tolist(), begins)
        packets = np.add.reduceat(flows.packets_forward[rows] + flows.packets_reverse[rows], starts).tolist()
        sizes = np.diff(starts, append=len(rows)).tolist()
        counted = zip(messages, collected.events(), packets, sizes, strict=True)
        return {
            "vendor": list(map(collected.vendors.__getitem__, found.vendor[begins].tolist())),
            "client_ip": list(map(address_text, ends.client_hi[first].tolist(), ends.client_lo[first].tolist())),
            "client_ports": _distinct(ends.client_port[rows].tolist(), starts),
            "server_ip": [name or address for name, address in zip(names, servers, strict=True)],
            "server_port": [ports[0] if len(ports) == 1 else None for ports in server_ports],
            "service_port": [None if port == NO_PORT else port for port in found.service_port[begins].tolist()],
            "via": [leader if led else None for leader, led in zip(leaders, through.tolist(), strict=True)],
            "protocol": list(map(_protocol_name, flows.protocol[first].tolist())),
            "direction": [WAYS[called_in] for called_in in (ends.inbound[first] & ~through).tolist()],
            "count": [(len(told) or sent) if counts else size for counts, told, sent, size in counted],
        }

    def _counts_messages(self, check: Check, first: Rows) -> list[bool]:
        """Whether each finding, by the first of its flows, counts messages and not flows."""
        protocol = self._flows.protocol[first]
        messages: list[bool] = (check.counts_messages | (protocol == ICMP) | (protocol == ICMP6)).tolist()
        return messages

    def _statement(self, wanted: tuple[str, ...], vendor: str) -> str | None:
        """The first of the statements `wanted` that a pack of the vendor's has."""
        if (wanted, vendor) not in self._statements:
            packs = [self._context.pack(name).pack for name in vendor.split("|")] if vendor else []
            found = (pack.statement(*wanted) for pack in packs)
            self._statements[wanted, vendor] = next((one.id for one in found if one is not None), None)
        return self._statements[wanted, vendor]

    @cached_property
    def _outcomes(self) -> Codes:
        return flow_outcomes(self._flows, np.arange(len(self._flows)))

    def _frames(self, events: list[int]) -> list[int] | None:
        """The frames of these events, where they alone are meant and one capture holds them all."""
        captures = self._context.events.capture[events]
        if (captures != captures[0]).any():
            return None
        return sorted(set(self._context.events.frame[events].tolist()))

    def _told(self, events: list[int]) -> tuple[Evidence, ...]:
        """The frames that say what is objected to."""
        told, captures = self._context.events, self._context.health.captures
        return tuple(
            Evidence(str(captures[int(told.capture[event])]["path"]), int(told.frame[event]), int(told.time_ns[event]))
            for event in events
        )

    def _evidence(self, rows: Rows, starts: Rows) -> list[Sequence[Evidence]]:
        """Of each finding the first frames of its flows, and their SYNs where those came later."""
        flows = self._flows
        sizes = np.diff(starts, append=len(rows))
        shown = rows[np.arange(len(rows)) - np.repeat(starts, sizes) < MAX_EVIDENCE]
        frames = _Frames(
            [str(capture["path"]) for capture in self._context.health.captures],
            flows.capture[shown].data,
            flows.first_frame[shown].data,
            flows.syn_frame[shown].data,
            flows.start_ns[shown].data,
        )
        ends = np.cumsum(np.minimum(sizes, MAX_EVIDENCE)).tolist()
        return self._stretches(frames, [0, *ends])

    def _stretches(self, source: Source[Item], bounds: Sequence[int]) -> list[Sequence[Item]]:
        """The items of each finding, from one bound to the next."""
        if self._lasting:
            return [tuple(source.items(*ends)) for ends in pairwise(bounds)]
        return [Stretch(source, *ends) for ends in pairwise(bounds)]


@frozen
class _FlowIds:
    numbers: memoryview

    def items(self, first: int, last: int) -> list[str]:
        return [flow_id_text(number) for number in self.numbers[first:last]]


@frozen
class _Frames:
    """Where flows are first seen, and their SYNs where those came later. A memoryview gives one number in half the time
    that numpy takes."""

    paths: Sequence[str]
    capture: memoryview
    first: memoryview
    syn: memoryview
    start_ns: memoryview

    def items(self, first: int, last: int) -> list[Evidence]:
        found = []
        for row in range(first, last):
            path, frame, syn = self.paths[self.capture[row]], self.first[row], self.syn[row]
            found.append(Evidence(path, frame, self.start_ns[row]))
            if syn not in (0, frame):
                found.append(Evidence(path, syn, None))
        return found


def fair_share(sizes: Iterable[int], room: int) -> int:
    """The most that each may have so that all together have no more than `room`: who needs less leaves it to others."""
    for waiting, size in reversed(list(enumerate(sorted(sizes, reverse=True), 1))):
        if size * waiting > room:
            return room // waiting
        room -= size
    return max(sizes, default=0)


def _messages(hits: Sequence[Hits], facts: Mapping[str, Sequence[Any]]) -> list[str]:
    """The message of each finding, from the hits that give the words and what is told of it."""
    told = (dict(zip(facts, values, strict=True)) for values in zip(*facts.values(), strict=True))
    return [hit.message.format_map({**known, **hit.extra}) for hit, known in zip(hits, told, strict=True)]


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


def _distinct(ports: Sequence[int], starts: Rows) -> list[tuple[int, ...]]:
    """The ports of each finding, sorted; none where there are no ports."""
    bounds = pairwise([*starts.tolist(), len(ports)])
    distinct = [(ports[first],) if last == first + 1 else tuple(sorted({*ports[first:last]})) for first, last in bounds]
    return [some if some[0] != NO_PORT else some[1:] for some in distinct]  # it is the least


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
