"""Display filters for groups of flows: which ports and frames must be named so that nothing else is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from auditor.displayfilter import Conversation, display_filter
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


class FlowFilters:
    """Knows all flows of an audit, so that a filter names no more than it must to tell some of them from the rest."""

    def __init__(self, flows: Flows, ends: Ends) -> None:
        self._flows = flows
        self._ends = ends
        # flows sorted by a hash of their ends, so that those between the same two are found together
        keys = _mixed(ends.client_lo) + _mixed(ends.server_lo)
        self._order = np.argsort(keys)
        self._keys = keys[self._order]

    def filter_of(self, rows: Rows, only: Sequence[int] | None = None) -> str:
        """The filter for the flows at `rows`, which have client, server, protocol and service port in common.

        `only`: frames of UDP or TCP flows that alone are meant.
        """
        flows, ends = self._flows, self._ends
        first = int(rows[0])
        protocol, version = int(flows.protocol[first]), int(flows.version[first])
        client = address_text(int(ends.client_hi[first]), int(ends.client_lo[first]))
        server = address_text(int(ends.server_hi[first]), int(ends.server_lo[first]))
        others = self._others(rows)
        if protocol in (ICMP, ICMP6):
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
            return display_filter(Conversation(version, protocol, client, server, frames=self._frames(rows, others)))
        inbound = bool(flows.direction[first] == Direction.INBOUND)
        called, calling = (ends.client_port, ends.server_port) if inbound else (ends.server_port, ends.client_port)
        rivals = others[called[others] == called[first]]
        # the calling ports are named only where another flow to the service must be left out
        ports = np.unique(calling[rows]) if len(rivals) else None
        frames = None if ports is None else self._frames(rows, rivals[np.isin(calling[rivals], ports)])
        if only is not None:
            frames = [(frame, frame) for frame in only]
        service, caller = [int(called[first])], None if ports is None else ports.tolist()
        mine, theirs = (service, caller) if inbound else (caller, service)
        return display_filter(Conversation(version, protocol, client, server, mine, theirs, frames=frames))

    def _others(self, rows: Rows) -> Rows:
        """The rest of the flows of this protocol between these two ends."""
        flows, ends, first = self._flows, self._ends, rows[:1]
        wanted = (_mixed(ends.client_lo[first]) + _mixed(ends.server_lo[first]))[0]
        low, high = np.searchsorted(self._keys, wanted, "left"), np.searchsorted(self._keys, wanted, "right")
        if high - low == len(rows):
            return rows[:0]
        near = self._order[low:high]
        # The hash is that of the pair, whichever of them is the client; two pairs may share one.
        straight, crossed = flows.protocol[near] == flows.protocol[first], flows.protocol[near] == flows.protocol[first]
        for one, other in (("client", "server"), ("server", "client")):
            for word in ("hi", "lo"):
                column, same = getattr(ends, f"{one}_{word}"), getattr(ends, f"{one}_{word}")[first]
                straight &= column[near] == same
                crossed &= column[near] == getattr(ends, f"{other}_{word}")[first]
        return np.setdiff1d(near[straight | crossed], rows)

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
