"""The rows that are judged: what the engine handed out, the latest state of each flow, until it leaves.

Ended flows leave when their client has been silent for long, whole clients at a time: what explains a flow, such as its
control session, is a flow of the same client. Only where that is not enough to keep the number of rows do single flows
leave, the oldest first.
"""

from __future__ import annotations

from sys import getsizeof
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from auditor.batches import TYPES
from auditor.distinct import among, distinct
from auditor.events import NUMBERS, SAMPLES
from auditor.flow import TCP
from auditor.judging import QUOTE_TYPES
from auditor.watch.options import Options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor._engine import Tick
    from auditor.flow import Flows

Column = NDArray[Any]

SECOND_NS = 10**9
# A flow of which one side was seen is not judged before it is so old: the answer may be under way. The engine ends an
# attempt that nobody answered after the same time.
ANSWER_NS = 5 * SECOND_NS
ROOM = 0.75  # of the rows, after some had to leave for want of room
# What tells how far a flow is; its counters aside.
MILESTONES = ("state", "seen_forward", "seen_reverse", "basis")
# Nobody is the client of what is no vendor's; all of that is one group.
NOBODY = 0
PIECE = np.uint64(0x9E37_79B9_7F4A_7C15)  # spreads pieces of one flow over the keys


class Window:
    """Rows in order of arrival, each with the group of flows that it leaves with."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._rows: dict[str, Column] = {name: np.zeros(0, kind) for name, kind in TYPES.items()}
        self._final = np.zeros(0, np.bool_)
        self._group = np.zeros(0, np.uint64)
        self._events: dict[str, Any] = {name: np.zeros(0, kind) for name, kind in NUMBERS.items()}
        self._events |= {name: [] for name in ("kind", "text", "more")}
        self._event_sizes = np.zeros(0, np.int64)  # bytes of the text in each
        self._samples: dict[str, Column] = {name: np.zeros(0, kind) for name, kind in SAMPLES.items()}
        self._quotes: dict[str, Column] = {name: np.zeros(0, kind) for name, kind in QUOTE_TYPES.items()}
        self._shown = np.zeros(0, np.intp)
        self.port_scans: set[tuple[int, int]] = set()
        self.processes: Sequence[str] = ("",)
        self.totals: Mapping[str, Any] = {}
        self.dropped: dict[str, int] = {}  # names of limits that were reached, with how much found no room
        self.is_news = False  # something else came than further bytes of flows that were known to go on

    def __len__(self) -> int:
        return len(self._final)

    @property
    def events(self) -> Mapping[str, Any]:
        return self._events

    @property
    def samples(self) -> Mapping[str, Any]:
        return self._samples

    @property
    def quotes(self) -> Mapping[str, Any]:
        return self._quotes

    def take(self, tick: Tick, now_ns: int) -> None:
        """Add what is new, and put the latest state of a flow in the place of the one before."""
        self.processes, self.totals = tick.processes, tick.totals
        self._note_scans(tick.port_scans)
        events = tick.events
        self.is_news = bool(events["kind"]) or tick.ended > 0
        self._take_events(events)
        self._take_samples(tick.samples)
        self._take_quotes(tick.quotes)
        if not tick.rows:
            return
        columns = tick.columns()
        new = {name: np.frombuffer(columns[name], kind) for name, kind in TYPES.items()}
        final = np.arange(tick.rows) < tick.ended
        stale = ~self._final & among(_keys(self._rows), _keys(new))
        keep = slice(None) if not stale.any() else ~stale
        self.is_news = self.is_news or self._tells(new, ~_is_young(new, final, now_ns))
        self._rows = {name: np.concatenate([self._rows[name][keep], new[name]]) for name in TYPES}
        self._final = np.concatenate([self._final[keep], final])
        self._group = np.concatenate([self._group[keep], np.zeros(tick.rows, np.uint64)])

    def judged_columns(self, now_ns: int) -> dict[str, Column]:
        """The rows that can be judged now, in order of capture and first frame."""
        rows = self._rows
        young = _is_young(rows, self._final, now_ns)
        order = np.lexsort((rows["piece"], rows["first_frame"], rows["capture"]))
        self._shown = order[~young[order]]
        return {name: column[self._shown] for name, column in rows.items()}

    def comes_of_age(self, since_ns: int, now_ns: int) -> bool:
        """Whether a row that was too young to be judged at the first of these times is not so any more."""
        waits = _is_young(self._rows, self._final, since_ns)
        return bool((waits & ~_is_young(self._rows, self._final, now_ns)).any())

    def note_clients(self, flows: Flows) -> None:
        """Take whose flows they are, from the classified rows of `judged_columns`."""
        ours = flows.client_is_initiator
        hi = np.where(ours, flows.initiator_hi, flows.responder_hi)
        lo = np.where(ours, flows.initiator_lo, flows.responder_lo)
        mixed = (hi * PIECE) ^ lo
        self._group[self._shown] = np.where(flows.vendor > 0, np.maximum(mixed, 1), NOBODY)

    def alive(self) -> set[int]:
        """Ids of the flows that have not ended."""
        return set(self._rows["flow_id"][~self._final].tolist())

    def pick_leavers(self, now_ns: int, *, age_ns: int, limit: int) -> NDArray[np.bool_]:
        """Rows that are to leave; none is alive."""
        leaving = np.zeros(len(self), np.bool_)
        if not len(self):
            return leaving
        _, group = np.unique(self._group, return_inverse=True)
        end = self._rows["end_ns"]
        latest = np.full(group.max() + 1, np.iinfo(np.int64).min)
        np.maximum.at(latest, group, end)
        over = np.ones(len(latest), np.bool_)
        np.logical_and.at(over, group, self._final)
        # Of what is no vendor's nothing explains anything else: each flow goes by itself.
        alone = self._group == NOBODY
        ended = np.where(alone, self._final, over[group])
        since = np.where(alone, end, latest[group])
        leaving |= ended & (since < now_ns - age_ns)
        surplus = len(self) - int(leaving.sum()) - limit
        if surplus > 0:
            wanted = surplus + int(limit * (1 - ROOM))
            # whole clients first, the longest silent; then single flows
            order = np.lexsort((end, since, ~ended))
            order = order[self._final[order] & ~leaving[order]]
            leaving[order[:wanted]] = True
            self._drop("judged-flows", min(wanted, len(order)))
        return leaving

    def leave(self, leaving: NDArray[np.bool_]) -> None:
        """Let rows go, and what was heard of flows that are gone."""
        self._rows = {name: column[~leaving] for name, column in self._rows.items()}
        self._final, self._group = self._final[~leaving], self._group[~leaving]
        here = distinct(self._rows["flow_id"])
        self._keep_events(among(self._events["flow_id"], here))
        known = among(self._samples["flow_id"], here)
        self._samples = {name: column[known] for name, column in self._samples.items()}
        known = among(self._quotes["flow_id"], here)
        self._quotes = {name: column[known] for name, column in self._quotes.items()}

    def _tells(self, new: Mapping[str, Column], judged: NDArray[np.bool_]) -> bool:
        """Whether of the rows that are judged one is new here, or further than it was."""
        keys = _keys(new)[judged]
        known = ~self._final & among(_keys(self._rows), keys)
        names = ("flow_id", "piece", *MILESTONES)
        return not _same({name: self._rows[name][known] for name in names}, {name: new[name][judged] for name in names})

    def _take_events(self, new: Mapping[str, Any]) -> None:
        if not new["kind"]:
            return
        self._events = _appended(self._events, new, NUMBERS) | {
            name: [*self._events[name], *new[name]] for name in ("kind", "text", "more")
        }
        self._event_sizes = np.concatenate([self._event_sizes, _text_sizes(new)])
        surplus = len(self._events["kind"]) - self._options.window_events
        if self._options.window_event_bytes is not None:
            latest = np.cumsum(self._event_sizes[::-1]) <= self._options.window_event_bytes
            surplus = max(surplus, int((~latest).sum()))
        if surplus > 0:
            self._drop("window-events", surplus)
            self._keep_events(np.arange(len(self._events["kind"])) >= surplus)

    def _keep_events(self, keep: NDArray[np.bool_]) -> None:
        if keep.all():
            return
        self._event_sizes = self._event_sizes[keep]
        chosen = np.flatnonzero(keep).tolist()
        self._events = {name: self._events[name][keep] for name in NUMBERS} | {
            name: [self._events[name][row] for row in chosen] for name in ("kind", "text", "more")
        }

    def _take_samples(self, new: Mapping[str, Any]) -> None:
        if not new["flow_id"]:
            return
        both = _appended(self._samples, new, SAMPLES)
        # the latest of each flow
        _, last = np.unique(both["flow_id"][::-1], return_index=True)
        keep = np.sort(len(both["flow_id"]) - 1 - last)
        self._samples = {name: column[keep] for name, column in both.items()}

    def _take_quotes(self, new: Mapping[str, Any]) -> None:
        self._quotes = _appended(self._quotes, new, QUOTE_TYPES)
        surplus = len(self._quotes["flow_id"]) - self._options.window_events
        if surplus > 0:
            self._drop("window-quotes", surplus)
            self._quotes = {name: column[surplus:].copy() for name, column in self._quotes.items()}

    def _note_scans(self, pairs: Sequence[tuple[int, int]]) -> None:
        for pair in pairs:
            if len(self.port_scans) < self._options.port_scans:
                self.port_scans.add(pair)
            elif pair not in self.port_scans:
                self._drop("port-scans", 1)

    def _drop(self, limit: str, count: int) -> None:
        self.dropped[limit] = self.dropped.get(limit, 0) + count


def _text_sizes(events: Mapping[str, Any]) -> Column:
    """Bytes that the text of each event takes: names, and addresses as text."""
    sizes = [len(text) + sum(map(getsizeof, more)) for text, more in zip(events["text"], events["more"], strict=True)]
    return np.array(sizes, np.int64)


def _is_young(rows: Mapping[str, Column], final: NDArray[np.bool_], now_ns: int) -> NDArray[np.bool_]:
    """Rows that are too young to be judged: TCP flows that go on, of which one side was seen."""
    sides = (rows["packets_forward"] > 0) & (rows["packets_reverse"] > 0)
    young: NDArray[np.bool_] = ~final & ~sides & (rows["protocol"] == TCP) & (rows["start_ns"] > now_ns - ANSWER_NS)
    return young


def _same(old: Mapping[str, Column], new: Mapping[str, Column]) -> bool:
    """Whether both are the same flows, as far along."""
    if len(old["flow_id"]) != len(new["flow_id"]):
        return False
    left, right = np.argsort(_keys(old)), np.argsort(_keys(new))
    return all(np.array_equal(old[name][left], new[name][right]) for name in ("flow_id", "piece", *MILESTONES))


def _keys(rows: Mapping[str, Column]) -> Column:
    """One number for each piece of each flow."""
    keys: Column = rows["flow_id"] ^ (rows["piece"].astype(np.uint64) * PIECE)
    return keys


def _appended(old: Mapping[str, Any], new: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    """The engine's columns behind those that are there."""
    return {name: np.concatenate([old[name], np.frombuffer(new[name], kind)]) for name, kind in kinds.items()}
