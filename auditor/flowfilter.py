"""Display filters for groups of flows: which ports and frames must be named so that nothing else is shown."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from auditor.checks._select import group
from auditor.displayfilter import Conversation, display_filter, service_filter
from auditor.distinct import distinct, without
from auditor.flow import ICMP, ICMP6, TCP, UDP, Bools, Codes, Direction, Flows, Ints, Rows
from auditor.flowends import NO_PORT, Ends
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

    @property
    def rows(self) -> Rows:
        """All that it holds, those of one key together."""
        return self._order

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


class _Rivals(IntEnum):
    """Other flows between the same ends to the same service."""

    NONE = 0
    BY_OTHERS = 1  # from other ports
    BY_SAME_PORT = 2  # some from a port that a flow of the group called from


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
        ported = (flows.protocol[first] == TCP) | (flows.protocol[first] == UDP)
        # Nobody else uses their service, so that ends and service say it all: true of nearly all groups.
        simple = whole & ported
        rivals = self._rivals(rows, starts, ported & ~simple)
        columns = zip(
            simple.tolist(),
            ported.tolist(),
            rivals.tolist(),
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
        filters = []
        for easy, has_ports, others, version, protocol, client, server, port, called_in, frames, (
            begin,
            end,
        ) in columns:
            if easy and frames is None:
                filters.append(service_filter(version, protocol, client, server, port, inbound=called_in))
            elif has_ports:
                conversation = Conversation(version, protocol, client, server)
                filters.append(self._ported(conversation, rows[begin:end], port, called_in, _Rivals(others), frames))
            else:
                filters.append(self._portless(Conversation(version, protocol, client, server), near, rows[begin:end]))
        return filters

    def _ported(
        self,
        conversation: Conversation,
        rows: Rows,
        port: int,
        inbound: bool,
        rivals: _Rivals,
        only: Sequence[int] | None,
    ) -> str:
        """The filter for one group of TCP or UDP flows with the service at `port`."""
        caller = frames = None
        if rivals:  # the calling ports are named only where another flow to the service must be left out
            ports = self._ends.server_port if inbound else self._ends.client_port
            caller = distinct(ports[rows]).tolist()
        if only is not None:
            frames = [(frame, frame) for frame in only]
        elif rivals == _Rivals.BY_SAME_PORT:
            frames = self._frames(rows)
        mine, theirs = ([port], caller) if inbound else (caller, [port])
        return display_filter(conversation._replace(client_ports=mine, server_ports=theirs, frames=frames))

    def _portless(self, conversation: Conversation, near: _Near, rows: Rows) -> str:
        """The filter for one group of ICMP, or of another protocol without ports."""
        flows, protocol = self._flows, conversation.protocol
        others = self._others(rows, near.by_pair)
        if protocol not in (ICMP, ICMP6):
            return display_filter(conversation._replace(frames=self._frames(rows) if len(others) else None))
        up, down = self._icmp_kinds(rows, protocol)
        told_apart = not self._same_kinds(others, rows).any()
        return display_filter(
            conversation._replace(
                from_client=up,
                from_server=down,
                frames=None if told_apart else self._frames(rows),
                tunnelled=bool(flows.tunnel[rows].any()),
            )
        )

    def _rivals(self, rows: Rows, starts: Rows, asked: Bools) -> Codes:
        """For each of the groups that are `asked` about `_Rivals`; all groups are told at once, as one pair may have
        thousands of them, each the others' rivals.
        """
        found = np.zeros(len(starts), np.uint8)
        sizes = np.diff(starts, append=len(rows))
        inbound = self._flows.direction[rows[starts]] == Direction.INBOUND
        for called_in in (False, True):
            groups = np.flatnonzero(asked & (inbound == called_in))
            if len(groups):
                chosen = rows[np.repeat(np.isin(np.arange(len(starts)), groups), sizes)]
                found[groups] = self._rivals_at(chosen, sizes[groups], inbound=called_in)
        return found

    def _rivals_at(self, rows: Rows, sizes: Rows, *, inbound: bool) -> Codes:
        """`_Rivals` of the groups, so many of `rows` each, of which all were called in or none."""
        ends, keys = self._ends, self._keys.client_port if inbound else self._keys.server_port
        called, calling = (ends.client_port, ends.server_port) if inbound else (ends.server_port, ends.client_port)
        starts = np.cumsum(sizes) - sizes
        near = _Index(keys, rows).rows
        near = near[called[near] != NO_PORT]
        place = np.empty(len(keys), np.intp)
        place[near] = np.arange(len(near))
        service = self._services(near, called)
        # of a group's rows, whose service is the group's: those that proxies led may have called elsewhere
        wanted = np.repeat(service[place[rows[starts]]], sizes)
        own = service[place[rows]] == wanted
        rivalled = np.bincount(service)[wanted[starts]] > np.add.reduceat(own.astype(np.intp), starts)
        caller = group(np.concatenate([service, wanted]), np.concatenate([calling[near], calling[rows]]))
        all_callers, callers = caller[: len(near)], caller[len(near) :]
        of_group = group(np.repeat(np.arange(len(sizes)), sizes), callers)
        mine = np.bincount(of_group, own)[of_group]
        same = np.bincount(all_callers, minlength=int(caller.max()) + 1)[callers] > mine
        same_port = np.logical_or.reduceat(same, starts)
        return np.where(same_port, _Rivals.BY_SAME_PORT, np.where(rivalled, _Rivals.BY_OTHERS, _Rivals.NONE)).astype(
            np.uint8
        )

    def _services(self, rows: Rows, called: Ints) -> Rows:
        """A number for each service of the rows: protocol, two ends, whichever called, and the port that was called."""
        ends = self._ends
        one, other = (ends.client_hi[rows], ends.client_lo[rows]), (ends.server_hi[rows], ends.server_lo[rows])
        swap = (one[0] > other[0]) | ((one[0] == other[0]) & (one[1] > other[1]))
        lower = (np.where(swap, high, low) for low, high in zip(one, other, strict=True))
        upper = (np.where(swap, low, high) for low, high in zip(one, other, strict=True))
        return group(self._flows.protocol[rows], *lower, *upper, called[rows])

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

    def _frames(self, rows: Rows) -> list[tuple[int, int]] | None:
        """Ranges of frames, needed where other flows have the same 5-tuple as one of the group."""
        flows = self._flows
        capture = flows.capture[rows]
        if (capture != capture[0]).any() or (flows.last_capture[rows] != capture).any():
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
