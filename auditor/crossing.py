"""Which flow outside of a firewall is which one inside.

Where nothing changes on the way, both have one Community ID. An address translation changes addresses and ports, but
keeps the sequence numbers that both ends chose, or, where it chooses its own, the payload. Where all of these change,
the same end at the same time ties two flows, if no others could be meant. The clocks of both captures need not agree:
how far they are apart is told by flows that are beyond doubt.

Flows are whole (`auditor.pieces`); a tie is one to one. All of it works on whole columns, in n log n.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditor.checks._select import group, has
from auditor.flow import TCP, UDP, Bools, Codes, Counts, Flows, Ints, Ports, Rows, Seen, Words
from auditor.frozen import frozen
from auditor.pieces import whole_flows

SECOND = 10**9  # nanoseconds

# A lost SYN is repeated after 1 s, then 2 s more (RFC 6298): so far the starts of one flow may be apart.
START_WINDOW_NS = 4 * SECOND
TIME_WINDOW_NS = SECOND  # between starts that only time ties: a firewall delays by milliseconds
ANY_TIME_NS = 2**61
LATEST_NS = 2**62  # the year 2116; what claims to be later counts as then, so that sums stay in 64 bits

FEW_BYTES = 16  # payload that many flows may begin with is no tie: at least so much has to agree in both directions
MANY_BYTES = 64  # or so much of what the initiator sent

PRINT_TYPES = {
    "isn_forward": "<u4",
    "isn_reverse": "<u4",
    "digest_forward": "<u8",
    "digest_reverse": "<u8",
    "digest_bytes_forward": "<u2",
    "digest_bytes_reverse": "<u2",
}


class Tie(IntEnum):
    """What says that two flows are one, strongest first."""

    NONE = 0
    COMMUNITY_ID = 1
    SEQUENCE = 2  # initial sequence numbers
    PAYLOAD = 3  # digests of the first payload bytes
    TIME = 4

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")


@frozen
class Prints:
    """What a firewall may leave of n flows: columns. 0 where it was not seen."""

    isn_forward: Counts  # initial sequence numbers, where `Seen` has the SYN or SYN-ACK
    isn_reverse: Counts
    digest_forward: Words  # of the first payload bytes
    digest_reverse: Words
    digest_bytes_forward: Ports  # so many bytes, none missing
    digest_bytes_reverse: Ports

    @classmethod
    def of(cls, batches: Sequence[Mapping[str, Any]]) -> Prints:
        """The fingerprints of all rows of the engine's batches."""
        columns = {
            name: np.concatenate([np.frombuffer(b"", kind), *(np.frombuffer(batch[name], kind) for batch in batches)])
            for name, kind in PRINT_TYPES.items()
        }
        return cls(**columns)

    def __getitem__(self, rows: Rows) -> Prints:
        return Prints(**{name: getattr(self, name)[rows] for name in self.__match_args__})


@frozen
class View:
    """The whole flows that one vantage shows."""

    flows: Flows
    prints: Prints

    @classmethod
    def of(cls, rows: Flows, prints: Prints) -> tuple[View, Rows]:
        """From rows of the flow table; and the flow that each row belongs to."""
        whole, flow_of_row = whole_flows(rows)
        order = np.lexsort((rows.piece, flow_of_row))
        firsts = order[np.unique(flow_of_row[order], return_index=True)[1]]
        return cls(whole, prints[firsts]), flow_of_row


@frozen
class Pairs:
    """Flows of the inside with their counterparts outside."""

    counterpart: Rows  # for each flow inside its row outside; -1: none
    tie: Codes  # for each flow inside
    clock_offset_ns: int  # what the outside's clock shows more than the inside's; 0 where no flow tells


def pair(inside: View, outside: View) -> Pairs:
    """Tie the flows of two vantages together."""
    offset = _clock_offset(inside, outside)
    times = _times(inside.flows), _times(outside.flows, -offset)
    counterpart = np.full(len(inside.flows), -1, np.intp)
    tie = np.zeros(len(inside.flows), np.uint8)
    free = np.ones(len(inside.flows), np.bool_), np.ones(len(outside.flows), np.bool_)
    for step in _steps(inside, outside):
        near, far = np.flatnonzero(step.fit[0] & free[0]), np.flatnonzero(step.fit[1] & free[1])
        if not len(near) or not len(far):
            continue
        columns = [np.concatenate([a[near], b[far]]) for a, b in step.columns]
        keys = group(*columns)
        at, to = _nearest_pairs(keys[: len(near)], keys[len(near) :], times[0].start[near], times[1].start[far], step)
        at, to = near[at], far[to]
        held = _overlap(times, at, to)
        if step.tie == Tie.TIME:
            held &= ~_contradicted(inside.prints, outside.prints, at, to)
        at, to = at[held], to[held]
        counterpart[at], tie[at] = to, step.tie
        free[0][at] = free[1][to] = False
    return Pairs(counterpart, tie, offset)


@frozen
class _Step:
    """One way to know a flow again: what has to be equal, and how near in time."""

    tie: Tie
    fit: tuple[Bools, Bools]  # which flows of both sides have what this goes by
    columns: tuple[tuple[NDArray[Any], NDArray[Any]], ...]
    window_ns: int = ANY_TIME_NS
    alone: bool = False  # only if nothing else comes into question within the window


def _steps(inside: View, outside: View) -> Iterator[_Step]:
    def both(name: str) -> tuple[NDArray[Any], NDArray[Any]]:
        owner = (inside.prints, outside.prints) if name in PRINT_TYPES else (inside.flows, outside.flows)
        return getattr(owner[0], name), getattr(owner[1], name)

    protocol = both("protocol")
    initiator = both("initiator_hi"), both("initiator_lo"), both("initiator_port")
    responder = both("responder_hi"), both("responder_lo"), both("responder_port")
    forward, reverse = both("isn_forward"), both("isn_reverse")
    ports = tuple((view.flows.protocol == TCP) | (view.flows.protocol == UDP) for view in (inside, outside))
    fit = (ports[0], ports[1])
    words = _community_words(inside.flows), _community_words(outside.flows)
    ids = tuple((words[0][:, at], words[1][:, at]) for at in (0, 1))
    every = np.ones(len(inside.flows), np.bool_), np.ones(len(outside.flows), np.bool_)
    yield _Step(Tie.COMMUNITY_ID, every, (*ids, protocol, *initiator))

    opened = _seen(inside, Seen.SYN), _seen(outside, Seen.SYN)
    answered = tuple(
        mine & has(view.flows.seen_reverse, Seen.SYN_ACK) for mine, view in zip(opened, (inside, outside), strict=True)
    )
    yield _Step(Tie.SEQUENCE, (answered[0], answered[1]), (forward, reverse))
    # Some scanners always choose the same number: then an end has to be the same, or no other flow come into question.
    for same in (initiator, responder):
        yield _Step(Tie.SEQUENCE, opened, (forward, *same), START_WINDOW_NS)
    yield _Step(Tie.SEQUENCE, opened, (forward,), START_WINDOW_NS, alone=True)

    digests = tuple(both(f"digest_{way}") for way in ("forward", "reverse"))
    covers = tuple(both(f"digest_bytes_{way}") for way in ("forward", "reverse"))
    some = tuple((covers[0][side] >= FEW_BYTES) & (covers[1][side] >= FEW_BYTES) for side in (0, 1))
    yield _Step(Tie.PAYLOAD, (some[0], some[1]), (*digests, *covers), START_WINDOW_NS, alone=True)
    # A server may greet everybody alike; what a client sends first is more its own.
    much = covers[0][0] >= MANY_BYTES, covers[0][1] >= MANY_BYTES
    yield _Step(Tie.PAYLOAD, much, (digests[0], covers[0]), START_WINDOW_NS, alone=True)

    yield _Step(Tie.TIME, fit, (protocol, initiator[2], *responder), TIME_WINDOW_NS, alone=True)
    for same in (responder, initiator):
        yield _Step(Tie.TIME, fit, (protocol, *same), TIME_WINDOW_NS, alone=True)


def _community_words(flows: Flows) -> Words:
    """The first 128 bits of each Community ID, as two columns."""
    ids = np.ascontiguousarray(flows.community_id)
    raw = ids.view(np.uint8).reshape(len(flows), ids.dtype.itemsize)
    return np.ascontiguousarray(raw[:, :16]).view("<u8").astype(np.uint64)


def _seen(view: View, bit: Seen) -> Bools:
    sent: Bools = has(view.flows.seen_forward, bit) & (view.flows.protocol == TCP)
    return sent


@frozen
class _Times:
    start: Ints
    end: Ints


def _times(flows: Flows, shift_ns: int = 0) -> _Times:
    """Starts and ends, on the inside's clock."""
    start, end = (np.clip(column, 0, LATEST_NS) for column in (flows.start_ns, flows.end_ns))
    return _Times(np.clip(start + shift_ns, 0, LATEST_NS), np.clip(end + shift_ns, 0, LATEST_NS))


def _overlap(times: tuple[_Times, _Times], at: Rows, to: Rows) -> Bools:
    """Pairs that were under way at the same time."""
    first, second = times
    early = np.maximum(first.start[at], second.start[to])
    late = np.minimum(first.end[at], second.end[to])
    held: Bools = early <= late + START_WINDOW_NS
    return held


def _contradicted(inside: Prints, outside: Prints, at: Rows, to: Rows) -> Bools:
    """Pairs whose payload can be compared and is not the same in either direction."""
    forward, reverse = compared(inside, outside, at, to)
    contradicted: Bools = ((forward == DIFFERS) | (reverse == DIFFERS)) & (forward != SAME) & (reverse != SAME)
    return contradicted


UNKNOWN, SAME, DIFFERS = 0, 1, 2


def compared(inside: Prints, outside: Prints, at: Rows, to: Rows) -> tuple[Codes, Codes]:
    """How the first payload of pairs compares, forward and reverse: UNKNOWN, SAME or DIFFERS.

    Digests over unequal numbers of bytes say nothing: a packet is missing on one side.
    """
    found = []
    for way in ("forward", "reverse"):
        first, second = (getattr(inside, f"digest_bytes_{way}")[at], getattr(outside, f"digest_bytes_{way}")[to])
        equal = getattr(inside, f"digest_{way}")[at] == getattr(outside, f"digest_{way}")[to]
        comparable = (first == second) & (first > 0)
        found.append(np.where(comparable, np.where(equal, SAME, DIFFERS), UNKNOWN).astype(np.uint8))
    return found[0], found[1]


def _clock_offset(inside: View, outside: View) -> int:
    """Median difference of the starts of flows that can be no others; 0 without such flows."""
    for step in _steps(inside, outside):
        if step.tie == Tie.TIME:
            break
        near, far = np.flatnonzero(step.fit[0]), np.flatnonzero(step.fit[1])
        if not len(near) or not len(far):
            continue
        keys = group(*(np.concatenate([a[near], b[far]]) for a, b in step.columns))
        mine, theirs = keys[: len(near)], keys[len(near) :]
        count = int(keys.max()) + 1
        once = (np.bincount(mine, minlength=count) == 1) & (np.bincount(theirs, minlength=count) == 1)
        # a flow whose SYN one side lacks may have begun long before that side shows it
        near, mine = _with_syn(inside, near, mine)
        far, theirs = _with_syn(outside, far, theirs)
        _, at, to = np.intersect1d(mine[once[mine]], theirs[once[theirs]], assume_unique=True, return_indices=True)
        if len(at):
            starts = _times(inside.flows).start[near[once[mine]][at]]
            return int(np.median(_times(outside.flows).start[far[once[theirs]][to]] - starts))
    return 0


def _with_syn(view: View, rows: Rows, keys: Rows) -> tuple[Rows, Rows]:
    shown = _seen(view, Seen.SYN)[rows]
    return rows[shown], keys[shown]


def _nearest_pairs(near_keys: Rows, far_keys: Rows, near: Ints, far: Ints, step: _Step) -> tuple[Rows, Rows]:
    """Pairs of equal keys, each the other's nearest in time and within the window."""
    to = _nearest(near_keys, near, far_keys, far)
    back = _nearest(far_keys, far, near_keys, near)
    at = np.flatnonzero(to >= 0)
    at = at[back[to[at]] == at]
    at = at[np.abs(near[at] - far[to[at]]) <= step.window_ns]
    if step.alone:
        others = _around(near_keys[at], near[at], far_keys, far, step.window_ns)
        rivals = _around(far_keys[to[at]], far[to[at]], near_keys, near, step.window_ns)
        at = at[(others == 1) & (rivals == 1)]
    return at, to[at]


def _nearest(keys: Rows, times: Ints, other_keys: Rows, other_times: Ints) -> Rows:
    """For each the nearest of the others with the same key; -1 where there is none."""
    order = np.lexsort((other_times, other_keys))
    ordered_keys, ordered_times = other_keys[order], other_times[order]
    place = _before(keys, times, other_keys, other_times, equal=False)
    found = np.full(len(keys), -1, np.intp)
    best = np.full(len(keys), np.iinfo(np.int64).max, np.int64)
    for candidate in (place, place - 1):
        valid = (candidate >= 0) & (candidate < len(order))
        safe = np.where(valid, candidate, 0)
        distance = np.abs(ordered_times[safe] - times)
        better = valid & (ordered_keys[safe] == keys) & (distance < best)
        found[better], best[better] = order[safe][better], distance[better]
    return found


def _around(keys: Rows, times: Ints, other_keys: Rows, other_times: Ints, window_ns: int) -> Rows:
    """For each, how many of the others with the same key are within the window."""
    last = _before(keys, times + window_ns, other_keys, other_times, equal=True)
    return last - _before(keys, times - window_ns, other_keys, other_times, equal=False)


def _before(keys: Rows, times: Ints, other_keys: Rows, other_times: Ints, *, equal: bool) -> Rows:
    """For each, how many of the others stand before it in the order of keys and times; equal ones too if `equal`."""
    is_other = np.r_[np.zeros(len(keys), np.bool_), np.ones(len(other_keys), np.bool_)]
    last = ~is_other if equal else is_other
    order = np.lexsort((last, np.r_[times, other_times], np.r_[keys, other_keys]))
    counts = np.cumsum(is_other[order])
    place = np.empty(len(order), np.intp)
    place[order] = counts
    return place[: len(keys)]
