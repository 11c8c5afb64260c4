"""All hits of one check as columns: whose they are, between whom, and which of them make one finding.

A capture full of violations has thousands of findings of one flow each. What can be told of all of them at once is told
here, as plain lists; only their words are made one by one (`auditor.grouping`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditor.checks.base import Hits
from auditor.flow import Bools, Codes, Flows, Ints, Rows, Words
from auditor.flowends import Ends
from auditor.frozen import frozen


@frozen
class Objections:
    """The hits, sorted by finding and, within one, by start."""

    rows: Rows
    severity: Codes
    certain: Bools
    outcome: Codes
    hits: Rows  # index into the check's list of hits
    vendor: Rows  # index in `vendors`
    server_hi: Words
    server_lo: Words
    server_port: Ints  # NO_PORT: none
    service_port: Ints
    name: Rows  # index in `names`: servers that are known by name alone; 0: by address
    through: Bools  # the flow's own server led to the server
    events: Rows  # -1: none

    def at(self, part: Rows | Bools) -> Objections:
        """Those chosen."""
        return Objections(**{name: getattr(self, name)[part] for name in self.__match_args__})


@frozen
class Judgements:
    """What n findings are judged by, one element for each."""

    severity: list[int]
    certain: list[bool]  # whether one of the worst hits is
    outcome: list[int]
    hits: list[int]  # the earliest of the worst, which gives the words; index into the check's list of hits


@frozen
class Collected:
    """Objections, where each finding begins, and what the indexes stand for. There is at least one."""

    objections: Objections
    starts: Rows
    vendors: Sequence[str]
    names: Sequence[str]

    def sizes(self) -> Rows:
        """How many objections each finding has."""
        return np.diff(self.starts, append=len(self.objections.rows))

    def worst(self) -> Codes:
        """The highest severity of each finding."""
        worst: Codes = np.maximum.reduceat(self.objections.severity, self.starts)
        return worst

    def only(self, findings: Rows) -> Collected:
        """Those of some findings, whose numbers ascend."""
        sizes = self.sizes()
        kept = np.repeat(np.isin(np.arange(len(sizes)), findings), sizes)
        chosen = sizes[findings]
        return Collected(self.objections.at(kept), np.cumsum(chosen) - chosen, self.vendors, self.names)

    def judgements(self) -> Judgements:
        """What the worst objections of each finding say."""
        found, worst = self.objections, self.worst()
        at_worst = found.severity == np.repeat(worst, self.sizes())
        places = np.flatnonzero(at_worst)
        earliest = places[np.searchsorted(places, self.starts)]
        return Judgements(
            severity=worst.tolist(),
            certain=np.logical_or.reduceat(found.certain & at_worst, self.starts).tolist(),
            outcome=np.maximum.reduceat(found.outcome, self.starts).tolist(),
            hits=found.hits[earliest].tolist(),
        )

    def flows(self) -> tuple[Rows, Rows]:
        """The rows with each flow of a finding once, however often it is objected to; and where each finding begins."""
        rows = self.objections.rows
        begins = np.zeros(len(rows), np.bool_)
        begins[self.starts] = True
        first = begins.copy()
        first[1:] |= rows[1:] != rows[:-1]
        return rows[first], np.flatnonzero(begins[first])

    def events(self) -> list[list[int]]:
        """The events that tell of each finding, sorted; mostly none."""
        events = self.objections.events
        if not (events >= 0).any():
            return [[] for _ in self.starts]
        numbers = events.tolist()
        bounds = pairwise([*self.starts.tolist(), len(numbers)])
        return [sorted(set(numbers[first:last]) - {-1}) for first, last in bounds]


def collect(hits: Sequence[Hits], flows: Flows, ends: Ends, outcomes: Codes, vendors: Sequence[str]) -> Collected:
    """The hits as columns. `outcomes`: what each flow says of itself; `vendors`: what the flows' vendor codes mean."""
    all_vendors, names = list(vendors), [""]
    rows = np.concatenate([hit.rows for hit in hits]).astype(np.intp)
    given = np.repeat([hit.outcome is not None for hit in hits], [len(hit.rows) for hit in hits])
    found = Objections(
        rows=rows,
        severity=_spread(hits, lambda hit: hit.severity, np.uint8),
        certain=_spread(hits, lambda hit: hit.certain, np.bool_),
        outcome=np.where(
            given, _spread(hits, lambda hit: 0 if hit.outcome is None else hit.outcome, np.uint8), outcomes[rows]
        ).astype(np.uint8),
        hits=np.repeat(np.arange(len(hits)), [len(hit.rows) for hit in hits]),
        vendor=_spread(hits, lambda hit: _vendor(hit, flows, all_vendors), np.intp),
        server_hi=_spread(hits, lambda hit: hit.targets.hi if hit.targets else ends.server_hi[hit.rows], np.uint64),
        server_lo=_spread(hits, lambda hit: hit.targets.lo if hit.targets else ends.server_lo[hit.rows], np.uint64),
        server_port=_spread(
            hits, lambda hit: hit.targets.port if hit.targets else ends.server_port[hit.rows], np.int64
        ),
        service_port=_spread(hits, lambda hit: _service_port(hit, ends), np.int64),
        name=_spread(hits, lambda hit: _names(hit, names), np.intp),
        through=_spread(hits, lambda hit: hit.targets is not None and hit.targets.through, np.bool_),
        events=_spread(hits, lambda hit: -1 if hit.told_by is None else hit.told_by, np.intp),
    )
    key: list[NDArray[Any]] = [
        found.vendor,
        ends.client_hi[rows],
        ends.client_lo[rows],
        found.server_hi,
        found.server_lo,
        found.name,
        found.service_port,
        flows.protocol[rows],
        ends.inbound[rows] & ~found.through,  # whoever is led somewhere asked for it
        *_proxies(found, ends),
    ]
    order = np.lexsort((found.events, rows, flows.start_ns[rows], *reversed(key)))
    changes = np.zeros(len(order), np.bool_)
    changes[0] = True
    for column in key:
        ordered = column[order]
        changes[1:] |= ordered[1:] != ordered[:-1]
    return Collected(found.at(order), np.flatnonzero(changes), all_vendors, names)


def _proxies(found: Objections, ends: Ends) -> list[NDArray[Any]]:
    """The flows' own servers, where they led to others: two ways to one server are two findings."""
    if not found.through.any():
        return []
    own = (ends.server_hi[found.rows], ends.server_lo[found.rows])
    return [np.where(found.through, column, 0) for column in own]


def _vendor(hit: Hits, flows: Flows, vendors: list[str]) -> Any:
    if hit.vendor is None:
        return flows.vendor[hit.rows]
    if hit.vendor not in vendors:
        vendors.append(hit.vendor)
    return vendors.index(hit.vendor)


def _service_port(hit: Hits, ends: Ends) -> Any:
    if hit.targets is None or hit.targets.through:
        return ends.service_port[hit.rows]
    return hit.targets.port


def _names(hit: Hits, names: list[str]) -> Any:
    if hit.targets is None or not hit.targets.names:
        return 0
    names += sorted(set(hit.targets.names) - set(names))
    numbers = {name: number for number, name in enumerate(names)}
    return [numbers[name] for name in hit.targets.names]


def _spread(hits: Sequence[Hits], value: Callable[[Hits], Any], dtype: Any) -> NDArray[Any]:
    """One value for each row of all hits, from scalars and arrays."""
    return np.concatenate([np.broadcast_to(np.asarray(value(hit), dtype), len(hit.rows)) for hit in hits])
