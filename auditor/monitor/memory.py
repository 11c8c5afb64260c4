"""A cap of all the memory that a watch takes, and what each of its limits may have of it.

The program itself takes some, and more with a store, plots or tables; the rest is room. Each limit has one share of
it, and is as large as fits in there by what one of its things takes at most, never larger than without a cap. While one
part of time ends and the next one has begun there are two watches: where time is cut, each has half.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from auditor.quantities import BYTES

if TYPE_CHECKING:
    from auditor.monitor.config import Monitor

MIB: Final = BYTES["M"]

PROGRAM: Final = 64 * MIB
"""Python, numpy, the engine and all that is imported to judge: 58 MB when a watch of a few flows has ended."""
STORE: Final = 28 * MIB
"""What the libraries of a store take."""
PLOTS: Final = 44 * MIB
"""Those of plots, for HTML reports."""
TABLES: Final = 96 * MIB
"""Those of Parquet, for reports and for flows by day."""
SNIFFING: Final = 64 * MIB
"""scapy, where it reads interfaces."""

JUDGED: Final = 4_000
"""Bytes that a row takes while it is judged: columns, copies of them in another order, its session."""
REPORTED: Final = 3_000
"""And while it is in a report or a table as well."""
SEGMENTS: Final = 16
"""Of the ring of evidence on disk, of which one is read at once: see `engine/src/live/evidence.rs`."""


class Share(NamedTuple):
    """What a limit of a watch may take."""

    limit: str
    """In `Options`; in capitals one of the engine's `LIMITS`."""
    percent: float
    """Of the room."""
    each: int
    """Bytes that one takes at most; rows have JUDGED beside it."""
    least: int
    """With fewer a watch is of no use."""
    rows: bool = False
    """Whether each is a row that is judged."""


SHARES: Final = (
    # What lives in the engine: 448 bytes, 800 of what is missing in its streams, its places in indexes and timers, and
    # 448 again in a tick that is told.
    Share("ACTIVE_FLOWS", 11, 2_000, 500, rows=True),
    # Twice as many as those alive: all of these may end at once, and none is lost where half of the room was free.
    Share("PENDING_FLOWS", 22, 2_000, 1_000, rows=True),
    Share("window_flows", 11, 0, 500, rows=True),
    # What is said in flows: samples of a kilobyte, lines, what waits for replies, and tunnels within tunnels.
    Share("APP_CONVERSATIONS", 3, 8_000, 200),
    Share("APP_HELD_BYTES", 2, 1, MIB // 2),
    Share("APP_EVENTS", 3, 700, 1_000),
    Share("APP_EVENT_BYTES", 1.5, 3, 100_000),
    Share("APP_SAMPLES", 0.5, 200, 1_000),
    Share("APP_RELAYED", 0.5, 600, 500),
    Share("window_events", 5, 900, 1_000),
    Share("window_event_bytes", 2.5, 5, 100_000),
    Share("ICMP_QUOTES", 1, 400, 500),
    Share("PORT_SCAN_PAIRS", 1, 450, 1_000),
    Share("port_scans", 1, 400, 500),
    Share("ASIDE_ROUND", 2, 48, 10_000),
    Share("FLOW_MEMORY", 1, 48, 4_096),
    Share("FRAGMENT_BYTES", 2, 2, MIB // 4),
    Share("FRAGMENT_TABLE", 1, 700, 500),
    # A finding of three judgements, and as an event; one whose flows have left names some of these.
    Share("listed_findings", 5, 16_000, 100),
    Share("known_findings", 4, 20_000, 100),
    Share("known_sessions", 2, 5_000, 100),
    Share("evidence_waiting", 0.5, 6_000, 50),
    Share("evidence_remembered", 0.5, 3_000, 50),
    Share("EVIDENCE_BUFFERS", 1.5, 256 << 10, 2),
    # Packets of so many findings are copied at once, those of the flows that are evidence.
    Share("evidence_at_once", 1.5, 0, 1),
    Share("ring_bytes", 7, 1, 2 * MIB),
)
NAMED: Final = 50
"""Flows, ports and servers that a finding or session names whose flows have left."""
QUEUES_PERCENT: Final = 3.5
"""For events that wait for sinks, in equal parts: a third for what waits, the rest for what is being delivered."""
STORE_PERCENT: Final = 3.5
"""For what waits for the store: a quarter of it for what waits, the rest for what is being written."""
QUEUES_PARTS: Final = 3
STORE_PARTS: Final = 4
LEAST_WAITING: Final = 200_000
"""Bytes for what waits for a sink or the store: some fifty findings."""


class Room(NamedTuple):
    """The limits under a cap."""

    options: dict[str, Any]
    """Fields of `Options`."""
    queue: int | None = None
    """Bytes of what waits for each sink; None: any."""
    store: int | None = None
    """Bytes of what waits for the store; None: any."""


def room_of(monitor: Monitor) -> Room:
    """The limits that follow from the configuration's cap; none where there is no cap."""
    limits = monitor.limits
    if limits is None or limits.memory is None:
        return Room({})
    from auditor._engine import LIMITS
    from auditor.watch.options import Options

    room = limits.memory - _taken(monitor)
    options: dict[str, Any] = {"named": NAMED}
    engine: dict[str, int] = {}
    usual = Options()
    for share in _shares(monitor):
        size = int(room * share.percent / 100) // _need(share, monitor)
        if share.limit in LIMITS:
            engine[share.limit] = min(size, LIMITS[share.limit])
        else:
            most = getattr(usual, share.limit)
            options[share.limit] = size if most is None else min(size, most)
    options["active_flows"] = min(engine.pop("ACTIVE_FLOWS"), usual.active_flows)
    options["room"] = engine
    return Room(
        options,
        queue=int(room * QUEUES_PERCENT / 100) // (QUEUES_PARTS * max(1, len(monitor.sinks))),
        store=int(room * STORE_PERCENT / 100) // STORE_PARTS,
    )


def smallest(monitor: Monitor) -> int:
    """The smallest cap with which such a watch is of use, in whole MiB."""
    rooms = [share.least * _need(share, monitor) * 100 / share.percent for share in _shares(monitor)]
    rooms.append(LEAST_WAITING * QUEUES_PARTS * len(monitor.sinks) * 100 / QUEUES_PERCENT)
    if monitor.store is not None:
        rooms.append(LEAST_WAITING * STORE_PARTS * 100 / STORE_PERCENT)
    return math.ceil((_taken(monitor) + max(rooms)) / MIB) * MIB


def _taken(monitor: Monitor) -> int:
    """What the program takes, with what the configuration asks for."""
    return PROGRAM + sum(_libraries(monitor))


def _libraries(monitor: Monitor) -> Iterator[int]:
    from auditor.monitor.evidence import SHARES as PARTS
    from auditor.watch.options import are_sniffed

    reports = monitor.window_end.reports if monitor.window_end is not None else ()
    if monitor.store is not None:
        yield STORE
    if any(path.endswith(".html") for path in reports):
        yield PLOTS
    if any(path.endswith(".parquet") for path in reports) or (monitor.store and monitor.store.flows):
        yield TABLES
    if are_sniffed(monitor.source):
        yield SNIFFING
    if monitor.evidence is not None:
        yield monitor.evidence.size // PARTS // SEGMENTS  # one segment of the ring on disk is read at once


def _shares(monitor: Monitor) -> Iterator[Share]:
    """Those of what such a watch has."""
    for share in SHARES:
        if "evidence" in share.limit.lower() and monitor.evidence is None:
            continue
        if share.limit == "ring_bytes" and len(monitor.streams) == len(monitor.interfaces):
            continue
        yield share


def _need(share: Share, monitor: Monitor) -> int:
    """Bytes of the room that make the limit larger by one: of all interfaces, and of all watches at once."""
    each = share.each
    if share.limit == "ring_bytes":
        each *= len(monitor.interfaces) - len(monitor.streams)
    if share.limit == "evidence_at_once" and monitor.evidence is not None:
        from auditor.grouping import MAX_EVIDENCE

        each = MAX_EVIDENCE * monitor.evidence.flow * 3 // 2  # with a comment for each packet
    if share.rows:
        reported = (monitor.window_end is not None and monitor.window_end.reports) or (
            monitor.store is not None and monitor.store.flows
        )
        each += JUDGED + (REPORTED if reported else 0)
    return each * _parts(monitor)


def _parts(monitor: Monitor) -> int:
    """Watches at work at once: two around a cut of time. A stream, which cannot be opened twice, is not cut."""
    return 1 if monitor.streams else 2
