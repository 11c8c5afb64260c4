"""Display filters for groups of flows: which ports and frames must be named so that nothing else is shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from auditor.displayfilter import Conversation, display_filter, service_filter
from auditor.distinct import distinct, without
from auditor.flow import ICMP, ICMP6, TCP, UDP, Bools, Direction, Flows, Rows
from auditor.flowends import Ends
from auditor.formats import address_text

Kind = tuple[int, int | None]  # ICMP type and code; None: any code

# ICMP types of requests and their answers; all other types are one-way and have a code in `responder_port`.
PAIRS = {
    ICMP: ((8, 0), (13, 14), (15, 16), (10, 9), (17, 18)),
    ICMP6: ((128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145)),
}
PAIRED = {protocol: dict(pairs) | {answer: asked for asked, answer in pairs} for protocol, pairs in PAIRS.items()}
TABLE = 1 << 20  # places for the lowest bits of keys: a megabyte, and hundreds of thousands of keys stay apart


class _Index:
    """Flows by a key, so that those of the same key are found together: in a scan of 20,000 ports that saves 25 s.

    It holds the flows whose key some of `rows` have, and few others: of a million flows mostly a few have to be sorted.
    """

    def __init__(self, keys: NDArray[np.uint64], rows: Rows) -> None:
        wanted = np.zeros(TABLE, np.bool_)
        wanted[keys[rows] & (TABLE - 1)] = True
        near = np.flatnonzero(wanted[keys & (TABLE - 1)])
        self._order = near[np.argsort(keys[near])]
        ordered = keys[self._order]
        begins = np.ones(len(ordered), np.bool_)
        begins[1:] = ordered[1:] != ordered[:-1]
        self._bounds = np.append(np.flatnonzero(begins), len(ordered))
        self._run = np.empty(len(keys), np.intp)
        self._run[self._order] = np.cumsum(begins) - 1

    def whole(self, rows: Rows, starts: Rows) -> Bools:
        """Which groups, the i-th from `starts[i]` on in `rows`, hold all rows of one key and no others."""
        run = self._run[rows]
        sizes = np.diff(starts, append=len(rows))
        alike = np.logical_and.reduceat(run == np.repeat(run[starts], sizes), starts)
        whole: Bools = alike & (np.diff(self._bounds)[run[starts]] == sizes)
        return whole

    def like(self, row: int) -> Rows:
        """The rows that have this one's key, itself among them."""
        run = self._run[row]
        return self._order[self._bounds[run] : self._bounds[run + 1]]


class _Keys:
    """What flows may have in common. Keys are hashes: of both ends, whichever is the client, and of a port."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends

    @cached_property
    def pairs(self) -> NDArray[np.uint64]:
        return _mixed(self._ends.client_lo) + _mixed(self._ends.server_lo)

    @cached_property
    def client_port(self) -> NDArray[np.uint64]:
        return _mixed(self.pairs + self._ends.client_port.astype(np.uint64))

    @cached_property
    def server_port(self) -> NDArray[np.uint64]:
        return _mixed(self.pairs + self._ends.server_port.astype(np.uint64))


class _Near:
    """The flows that have a key in common with some of `rows`, each kind when it is first asked for."""

    def __init__(self, keys: _Keys, rows: Rows) -> None:
        self._keys, self._rows = keys, rows

    @cached_property
    def by_pair(self) -> _Index:
        return _Index(self._keys.pairs, self._rows)

    @cached_property
    def by_client_port(self) -> _Index:
        return _Index(self._keys.client_port, self._rows)

    @cached_property
    def by_server_port(self) -> _Index:
        return _Index(self._keys.server_port, self._rows)


class FlowFilters:
    """Knows all flows of an audit, so that a filter names no more than it must to tell some of them from the rest."""

    def __init__(self, flows: Flows, ends: Ends) -> None:
        self._flows = flows
        self._ends = ends
        self._keys = _Keys(ends)

    def filters_of(self, rows: Rows, starts: Rows, only: Sequence[Sequence[int] | None]) -> list[str]:
        """The filters for n groups of flows, the i-th from `starts[i]` on in `rows`. At least one.

        The flows of a group have client, server, protocol and service port in common. `only`: frames of a group's UDP
        or TCP flows that alone are meant; None: all.
        """
        flows, ends, first, near = self._flows, self._ends, rows[starts], _Near(self._keys, rows)
        inbound = flows.direction[first] == Direction.INBOUND
        whole = np.where(
            inbound,
            near.by_client_port.whole(rows, starts) if inbound.any() else False,
            near.by_server_port.whole(rows, starts) if not inbound.all() else False,
        )
        # Nobody else uses their service, so that ends and service say it all: true of nearly all groups.
        simple = whole & ((flows.protocol[first] == TCP) | (flows.protocol[first] == UDP))
        columns = zip(
            simple.tolist(),
            flows.version[first].tolist(),
            flows.protocol[first].tolist(),
            map(address_text, ends.client_hi[first].tolist(), ends.client_lo[first].tolist()),
            map(address_text, ends.server_hi[first].tolist(), ends.server_lo[first].tolist()),
            np.where(inbound, ends.client_port[first], ends.server_port[first]).tolist(),
            inbound.tolist(),
            only,
            pairwise([*starts.tolist(), len(rows)]),
            strict=True,
        )
        return [
            service_filter(version, protocol, client, server, port, inbound=called_in)
            if easy and frames is None
            else self._filter_of(near, rows[begin:end], frames)
            for easy, version, protocol, client, server, port, called_in, frames, (begin, end) in columns
        ]

    def _filter_of(self, near: _Near, rows: Rows, only: Sequence[int] | None) -> str:
        """The filter for one group."""
        flows, ends = self._flows, self._ends
        first = int(rows[0])
        client = address_text(int(ends.client_hi[first]), int(ends.client_lo[first]))
        server = address_text(int(ends.server_hi[first]), int(ends.server_lo[first]))
        protocol, version = int(flows.protocol[first]), int(flows.version[first])
        if protocol in (ICMP, ICMP6):
            others = self._others(rows, near.by_pair)
            up, down = self._icmp_kinds(rows, protocol)
            frames = self._frames(rows, others[self._same_kinds(others, rows)])
            tunnelled = bool(flows.tunnel[rows].any())
            return display_filter(
                Conversation(
                    version,
                    protocol,
                    client,
                    server,
                    from_client=up,
                    from_server=down,
                    frames=frames,
                    tunnelled=tunnelled,
                )
            )
        if protocol not in (TCP, UDP):
            frames = self._frames(rows, self._others(rows, near.by_pair))
            return display_filter(Conversation(version, protocol, client, server, frames=frames))
        inbound = bool(flows.direction[first] == Direction.INBOUND)
        called, calling = (ends.client_port, ends.server_port) if inbound else (ends.server_port, ends.client_port)
        others = self._others(rows, near.by_client_port if inbound else near.by_server_port)
        rivals = others[called[others] == called[first]]
        service = [int(called[first])]
        caller = frames = None
        if len(rivals):  # the calling ports are named only where another flow to the service must be left out
            ports = distinct(calling[rows])
            caller, frames = ports.tolist(), self._frames(rows, rivals[np.isin(calling[rivals], ports)])
        if only is not None:
            frames = [(frame, frame) for frame in only]
        mine, theirs = (service, caller) if inbound else (caller, service)
        return display_filter(Conversation(version, protocol, client, server, mine, theirs, frames=frames))

    def _others(self, rows: Rows, index: _Index) -> Rows:
        """The other flows of this protocol between these two ends, as far as the index has them together."""
        first = int(rows[0])
        near = index.like(first)
        if len(near) == len(rows) and set(near.tolist()) == set(rows.tolist()):  # nearly always
            return rows[:0]
        flows, ends = self._flows, self._ends
        straight = flows.protocol[near] == flows.protocol[first]
        crossed = straight.copy()
        for one, other in (("client", "server"), ("server", "client")):
            for word in ("hi", "lo"):
                column, same = getattr(ends, f"{one}_{word}"), getattr(ends, f"{one}_{word}")[first]
                straight &= column[near] == same
                crossed &= column[near] == getattr(ends, f"{other}_{word}")[first]
        return without(near[straight | crossed], rows)

    def _frames(self, rows: Rows, rivals: Rows) -> list[tuple[int, int]] | None:
        """Ranges of frames, needed where other flows have the same 5-tuple as one of the group."""
        flows = self._flows
        capture = flows.capture[rows]
        if len(rivals) == 0 or (capture != capture[0]).any() or (flows.last_capture[rows] != capture).any():
            return None  # frames count within one file: over several they tell nothing apart
        spans = sorted(zip(flows.first_frame[rows].tolist(), flows.last_frame[rows].tolist(), strict=True))
        merged = [spans[0]]
        for first, last in spans[1:]:
            if first <= merged[-1][1] + 1:
                merged[-1] = merged[-1][0], max(merged[-1][1], last)
            else:
                merged.append((first, last))
        return merged

    def _icmp_kinds(self, rows: Rows, protocol: int) -> tuple[list[Kind], list[Kind]]:
        """Types (with codes where they count) that the client sent, and that the server sent."""
        up: set[Kind] = set()
        down: set[Kind] = set()
        for kind, answer, ours in self._icmp_triples(rows):
            forward, reverse = (up, down) if ours else (down, up)
            if PAIRED[protocol].get(kind) == answer:
                forward.add((kind, None))
                reverse.add((answer, None))
            else:
                forward.add((kind, answer))
        return sorted(up, key=_by_number), sorted(down, key=_by_number)

    def _icmp_triples(self, rows: Rows) -> set[tuple[int, int, bool]]:
        flows = self._flows
        columns = (flows.initiator_port, flows.responder_port, flows.client_is_initiator)
        return set(zip(*(column[rows].tolist() for column in columns), strict=True))

    def _same_kinds(self, others: Rows, rows: Rows) -> Bools:
        """Which ICMP flows have a type and code (or the types of request and answer) of the group, whoever asked."""
        kinds = {frozenset((kind, answer)) for kind, answer, _ in self._icmp_triples(rows)}
        flows = self._flows
        pairs = zip(flows.initiator_port[others].tolist(), flows.responder_port[others].tolist(), strict=True)
        return np.array([frozenset(pair) in kinds for pair in pairs], np.bool_)


def _mixed(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A bijection of 64-bit words that spreads every bit (multiply and shift, as hash tables do)."""
    key = (key ^ (key >> np.uint64(32))) * np.uint64(0x9E37_79B9_7F4A_7C15)
    return key ^ (key >> np.uint64(29))


def _by_number(kind: Kind) -> tuple[int, int]:
    return kind[0], -1 if kind[1] is None else kind[1]
