"""All hits of one check as columns, sorted by the finding that they make.

A capture full of violations has thousands of findings of one flow each. What can be told of all of them at once is
told here; only their words are made one by one (`auditor.grouping`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditor.checks.base import Hits, Outcome
from auditor.flow import TCP, UDP, Bools, Codes, Flows, Rows, Seen
from auditor.flowends import Ends


@dataclass(frozen=True, slots=True)
class Objections:
    """n hits on flows, sorted by finding and, within one, by start; n > 0."""

    rows: Rows
    severity: Codes
    certain: Bools
    outcome: Codes
    hits: Rows  # index into the check's list of hits
    starts: Rows  # where each finding begins

    @classmethod
    def of(cls, hits: Sequence[Hits], flows: Flows, ends: Ends) -> Objections:
        """The objections in the hits of one check, none of which is empty."""
        rows = np.concatenate([hit.rows for hit in hits]).astype(np.intp)
        natural = flow_outcomes(flows, rows)
        sizes = [len(hit.rows) for hit in hits]
        given = np.repeat([hit.outcome is not None for hit in hits], sizes)
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
        return cls(
            rows=rows[order],
            severity=_spread(hits, "severity", np.uint8)[order],
            certain=_spread(hits, "certain", np.bool_)[order],
            outcome=outcome[order],
            hits=np.repeat(np.arange(len(hits)), sizes)[order],
            starts=np.flatnonzero(changes),
        )

    def sizes(self) -> Rows:
        """How many hits each finding has."""
        return np.diff(self.starts, append=len(self.rows))

    def worst(self) -> Codes:
        """The highest severity of each finding."""
        worst: Codes = np.maximum.reduceat(self.severity, self.starts)
        return worst

    def only(self, findings: Rows) -> Objections:
        """Those of some findings, whose numbers ascend."""
        sizes = self.sizes()
        kept = np.repeat(np.isin(np.arange(len(sizes)), findings), sizes)
        chosen = sizes[findings]
        return Objections(
            self.rows[kept],
            self.severity[kept],
            self.certain[kept],
            self.outcome[kept],
            self.hits[kept],
            np.cumsum(chosen) - chosen,
        )

    def judgements(self) -> Judgements:
        """What the worst hits of each finding say."""
        worst = self.worst()
        at_worst = self.severity == np.repeat(worst, self.sizes())
        places = np.flatnonzero(at_worst)
        earliest = places[np.searchsorted(places, self.starts)]
        return Judgements(
            severity=worst.tolist(),
            certain=np.logical_or.reduceat(self.certain & at_worst, self.starts).tolist(),
            outcome=np.maximum.reduceat(self.outcome, self.starts).tolist(),
            hits=self.hits[earliest].tolist(),
        )

    def flows(self) -> tuple[Rows, Rows]:
        """The rows with each flow of a finding once, however often it is objected to; and where each finding begins."""
        begins = np.zeros(len(self.rows), np.bool_)
        begins[self.starts] = True
        first = begins.copy()
        first[1:] |= self.rows[1:] != self.rows[:-1]
        return self.rows[first], np.flatnonzero(begins[first])


@dataclass(frozen=True, slots=True)
class Judgements:
    """What n findings are judged by, one element for each."""

    severity: list[int]
    certain: list[bool]  # whether one of the worst hits is
    outcome: list[int]
    hits: list[int]  # the earliest of the worst, which gives the words; index into the check's list of hits


def flow_outcomes(flows: Flows, rows: Rows) -> Codes:
    """Outcome of each flow, as its own packets tell it. Pings and what lacks ports are merely observed."""
    protocol, seen = flows.protocol[rows], flows.seen_forward[rows] | flows.seen_reverse[rows]
    both_ways = (flows.packets_forward[rows] > 0) & (flows.packets_reverse[rows] > 0)
    answered = (protocol == TCP) & ((seen & np.uint16(Seen.SYN_ACK | Seen.DATA)) != 0)
    answered |= (protocol == UDP) & both_ways
    tried = ((protocol == TCP) & ((seen & np.uint16(Seen.SYN)) != 0)) | (protocol == UDP)
    return np.where(answered, Outcome.OPEN, np.where(tried, Outcome.ATTEMPT, Outcome.OBSERVED)).astype(np.uint8)


def _spread(hits: Sequence[Hits], name: str, dtype: Any) -> NDArray[Any]:
    """One value for each row of all hits, from scalars and arrays."""
    columns = []
    for hit in hits:
        value = getattr(hit, name)
        columns.append(np.broadcast_to(np.asarray(0 if value is None else value, dtype), len(hit.rows)))
    return np.concatenate(columns)
