"""What plots take from the flow table: whole columns, and only those they need. A million flows cost a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auditor.flow import Direction, Role
from auditor.traffic import UNDIVIDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.flow import Bools
    from auditor.result import Audit

# odd numbers with bits all over, so that addresses that differ little give keys that differ much
MIXERS = tuple(np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


class Shown(NamedTuple):
    """Columns of the flows of vendors, n each."""

    vendors: tuple[str, ...]  # names by code
    vendor: NDArray[np.uint16]
    role: NDArray[np.uint8]
    protocol: NDArray[np.uint8]
    inbound: Bools
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    client_hi: NDArray[np.uint64]
    client_lo: NDArray[np.uint64]
    client_port: NDArray[np.uint16]
    server_hi: NDArray[np.uint64]
    server_lo: NDArray[np.uint64]
    server_port: NDArray[np.uint16]
    bytes_up: NDArray[np.uint64]  # client to server, IP lengths
    bytes_down: NDArray[np.uint64]


def shown(report: Audit) -> Shown | None:
    """The flows of vendors; None without any."""
    rows = report.judged.rows
    if rows is None:
        return None
    flows = rows.flows
    chosen = np.flatnonzero(flows.vendor)
    if not len(chosen):
        return None
    ours = flows.client_is_initiator[chosen]

    def sides(first: NDArray[Any], second: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        first, second = first[chosen], second[chosen]
        return np.where(ours, first, second), np.where(ours, second, first)

    client_hi, server_hi = sides(flows.initiator_hi, flows.responder_hi)
    client_lo, server_lo = sides(flows.initiator_lo, flows.responder_lo)
    client_port, server_port = sides(flows.initiator_port, flows.responder_port)
    up, down = sides(flows.bytes_forward_ip, flows.bytes_reverse_ip)
    return Shown(
        vendors=rows.labels.vendors,
        vendor=flows.vendor[chosen],
        role=flows.role[chosen],
        protocol=flows.protocol[chosen],
        inbound=flows.direction[chosen] == Direction.INBOUND,
        start_ns=flows.start_ns[chosen],
        end_ns=flows.end_ns[chosen],
        client_hi=client_hi,
        client_lo=client_lo,
        client_port=client_port,
        server_hi=server_hi,
        server_lo=server_lo,
        server_port=server_port,
        bytes_up=up,
        bytes_down=down,
    )


def amounts(flows: Shown) -> Iterator[tuple[str, NDArray[np.intp], NDArray[np.uint64]]]:
    """Traffic class, flows that carry some of it, and their bytes, as the traffic summary counts them; a class may come
    several times."""
    for code in np.unique(flows.role).tolist():
        name = Role(code).name.lower()
        name = "other" if name == "resolver" else name
        here = np.flatnonzero(flows.role == code)
        whole = np.full(len(here), True) if name in UNDIVIDED else flows.inbound[here]
        undivided, divided = here[whole], here[~whole]
        yield name, undivided, flows.bytes_up[undivided] + flows.bytes_down[undivided]
        yield name, divided, flows.bytes_up[divided]
        yield "return", divided, flows.bytes_down[divided]


def over_time(
    flows: Shown, rows: NDArray[np.intp], sizes: NDArray[np.uint64], edges: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The `sizes` of these rows, spread evenly over each flow's time, between each two of the `edges` (ns)."""
    start, end, size = flows.start_ns[rows], flows.end_ns[rows], sizes.astype(np.float64)
    first, last = (np.searchsorted(edges, time, "right") - 1 for time in (start, end))
    short = first == last  # most flows lie between two edges
    total = np.bincount(first[short], size[short], len(edges) - 1).astype(np.float64)
    start, size = start[~short], size[~short]
    length = (end[~short] - start).astype(np.float64)
    before = [float((np.clip((edge - start) / length, 0, 1) * size).sum()) for edge in edges.tolist()]
    spread: NDArray[np.float64] = total + np.diff(before)
    return spread


def pairs(flows: Shown) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """A row of each pair of client and server, and how many flows the pair has; most flows first."""
    key = flows.client_lo * MIXERS[0] ^ flows.client_hi
    key = key * MIXERS[1] ^ flows.server_lo
    key = key * MIXERS[2] ^ flows.server_hi
    _, rows, counts = np.unique(key, return_index=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return rows[order], counts[order]
