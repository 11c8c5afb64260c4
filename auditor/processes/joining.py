"""Flows, and the records of hosts that tell whose they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from auditor.checks._select import group
from auditor.flow import Bools, Counts, Flows, Ints, Rows
from auditor.processes.connection import Connection

CLOCK_TOLERANCE_NS = 60 * 10**9
"""By so much may a record's time lie outside of its flow: hosts note connections late, and clocks differ."""

WORD = 2**64 - 1
NOBODY = -1  # a flow of which no record tells


def with_processes(
    flows: Flows, names: Sequence[str], connections: Sequence[Connection]
) -> tuple[Flows, tuple[str, ...]]:
    """The whole flows with the programs that `connections` name, where the capture names none itself; and all names.

    A record belongs to a flow with its 5-tuple, either way around, that was there at its time. One without a time
    belongs to the only flow with that 5-tuple, if all such records agree.
    """
    codes = {name: code for code, name in reversed(list(enumerate(names)))}
    programs = np.array([codes.setdefault(one.program, len(codes)) for one in connections], np.uint32)
    telling = _tuples_of(connections)
    both_ways = [_tuples(flows, turned) for turned in (False, True)]
    columns = [np.concatenate(parts) for parts in zip(telling, *both_ways, strict=True)]
    numbers = group(*columns) if len(columns[0]) else np.empty(0, np.intp)
    of_record, forward, reverse = np.split(numbers, [len(connections), len(connections) + len(flows)])
    timed = np.array([one.time_ns is not None for one in connections], np.bool_)
    times = np.array([one.time_ns or 0 for one in connections], np.int64)
    process = flows.process.copy()
    for ours in (forward, reverse):
        records = np.flatnonzero(timed)
        by_time = _nearest(flows, ours, of_record[records], times[records])
        _note(process, programs[records], by_time)
        records = np.flatnonzero(~timed)
        _note(process, programs[records], _only(ours, of_record[records], programs[records]))
    return flows.with_columns(process=process), tuple(sorted(codes, key=codes.__getitem__))


def _note(process: Counts, programs: Counts, record: Rows) -> None:
    """Writes the programs of the flows' records where no program is known yet."""
    found = (process == 0) & (record != NOBODY)
    process[found] = programs[record[found]]


def _tuples_of(connections: Sequence[Connection]) -> list[NDArray[np.uint64]]:
    rows = [
        (c.protocol, c.local >> 64, c.local & WORD, c.local_port, c.remote >> 64, c.remote & WORD, c.remote_port)
        for c in connections
    ]
    return list(np.array(rows, np.uint64).reshape(-1, 7).T)


def _tuples(flows: Flows, turned: bool) -> list[NDArray[np.uint64]]:
    """The 5-tuples as records have them, the initiator as the local end; `turned`: the responder."""
    ends = [
        (flows.initiator_hi, flows.initiator_lo, flows.initiator_port),
        (flows.responder_hi, flows.responder_lo, flows.responder_port),
    ]
    first, second = reversed(ends) if turned else ends
    return [column.astype(np.uint64) for column in (flows.protocol, *first, *second)]


def _nearest(flows: Flows, ours: Rows, theirs: Rows, times: Ints) -> Rows:
    """For each flow the record of its 5-tuple whose time lies in it, or else nearest to it within the tolerance."""
    if not len(theirs):
        return np.full(len(ours), NOBODY, np.intp)
    _, ranks = np.unique(np.concatenate([times, flows.start_ns]), return_inverse=True)
    span = len(ranks) + 1
    keys, wanted = theirs * span + ranks[: len(times)], ours * span + ranks[len(times) :]
    order = np.argsort(keys, kind="stable")
    after = np.searchsorted(keys[order], wanted)
    before = after - 1
    far = CLOCK_TOLERANCE_NS + 1

    def distance(place: Rows) -> tuple[Rows, Ints]:
        there = (place >= 0) & (place < len(order))
        record = order[np.where(there, place, 0)]
        time = times[record]
        away = np.maximum(np.maximum(time - flows.end_ns, flows.start_ns - time), 0)
        return record, np.where(there & (theirs[record] == ours), away, far)

    (late, late_by), (early, early_by) = distance(after), distance(before)
    nearest = np.where(late_by <= early_by, late, early)
    return np.where(np.minimum(late_by, early_by) < far, nearest, NOBODY)


def _only(ours: Rows, theirs: Rows, programs: Counts) -> Rows:
    """For each flow that alone has its 5-tuple the record of it, if all of them name one program."""
    count = int(max(ours.max(initial=-1), theirs.max(initial=-1))) + 1
    record = np.full(count, NOBODY, np.intp)
    record[theirs] = np.arange(len(theirs))
    agreed: Bools = np.ones(count, np.bool_)
    np.logical_and.at(agreed, theirs, programs == programs[record[theirs]])
    alone = np.bincount(ours, minlength=count) == 1
    return np.where((agreed & alone)[ours], record[ours], NOBODY)
