"""Columns that several checks look at, for chosen rows of the flow table.

Client is the inside end, server the other; the initiator may be either. All functions take `rows` and
give arrays with one element for each of them, so that a check narrows down first and computes for few flows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from auditor.addresses import AddressRange, contains
from auditor.flow import TCP, Bools, Codes, Direction, Flows, Ints, Ports, Rows, Seen, Words
from auditor.severity import Outcome, Severity

if TYPE_CHECKING:
    from auditor.checks.base import Context
    from auditor.rulepack import EnabledPack

KEY_SPAN = 2**63  # as many values fit one sort key
TABLE_SPAN = 4  # up to so many times the number of values, a table of all that might be there beats sorting

SECOND = 10**9  # nanoseconds
FOREVER = 10**9  # seconds, 31 years: no capture is longer, and times plus this still fit 64 bits of nanoseconds

# Two ends of one handshake, or two connections of one host, may be stamped by two interfaces. Within this time their
# order says nothing. Far more than drivers and merged captures differ by, far less than people or schedules take.
REORDERING_NS = SECOND


class Ends:
    """The columns of the two ends of some flows, as client and server. Each is made when it is first asked for."""

    def __init__(self, flows: Flows, rows: Rows) -> None:
        self._flows, self._rows = flows, rows

    @cached_property
    def _forward(self) -> Bools:
        return self._flows.client_is_initiator[self._rows]

    def _of_client(self, initiators: NDArray[Any], responders: NDArray[Any]) -> NDArray[Any]:
        """The client's values, from the columns of initiators and responders."""
        first = initiators[self._rows]
        if self._forward.all():
            return first
        return np.where(self._forward, first, responders[self._rows])

    @cached_property
    def client_hi(self) -> Words:
        return self._of_client(self._flows.initiator_hi, self._flows.responder_hi)

    @cached_property
    def client_lo(self) -> Words:
        return self._of_client(self._flows.initiator_lo, self._flows.responder_lo)

    @cached_property
    def client_port(self) -> Ports:
        return self._of_client(self._flows.initiator_port, self._flows.responder_port)

    @cached_property
    def client_seen(self) -> Ports:
        return self._of_client(self._flows.seen_forward, self._flows.seen_reverse)

    @cached_property
    def client_packets(self) -> Words:
        return self._of_client(self._flows.packets_forward, self._flows.packets_reverse)

    @cached_property
    def client_payload(self) -> Words:
        return self._of_client(self._flows.payload_forward, self._flows.payload_reverse)

    def _of_server(self, initiators: NDArray[Any], responders: NDArray[Any]) -> NDArray[Any]:
        first = responders[self._rows]
        if self._forward.all():
            return first
        return np.where(self._forward, first, initiators[self._rows])

    @cached_property
    def server_hi(self) -> Words:
        return self._of_server(self._flows.initiator_hi, self._flows.responder_hi)

    @cached_property
    def server_lo(self) -> Words:
        return self._of_server(self._flows.initiator_lo, self._flows.responder_lo)

    @cached_property
    def server_port(self) -> Ports:
        return self._of_server(self._flows.initiator_port, self._flows.responder_port)

    @cached_property
    def server_seen(self) -> Ports:
        return self._of_server(self._flows.seen_forward, self._flows.seen_reverse)

    @cached_property
    def server_packets(self) -> Words:
        return self._of_server(self._flows.packets_forward, self._flows.packets_reverse)

    @cached_property
    def server_payload(self) -> Words:
        return self._of_server(self._flows.payload_forward, self._flows.payload_reverse)

    @property
    def known_opener(self) -> Bools:
        """TCP: a SYN or SYN-ACK tells who opened it. Without one nothing does."""
        seen = self._flows.seen_forward[self._rows] | self._flows.seen_reverse[self._rows]
        return has(seen, Seen.SYN | Seen.SYN_ACK)

    @property
    def two_way(self) -> Bools:
        return (self.client_packets > 0) & (self.server_packets > 0)


def ends(flows: Flows, rows: Rows) -> Ends:
    """Client's and server's columns of `rows`."""
    return Ends(flows, rows)


def has(column: Ports, bits: int) -> Bools:
    """Whether any of the bits is set."""
    found: Bools = (column & np.uint16(bits)) != 0
    return found


def tcp_sessions(flows: Flows) -> Bools:
    """TCP flows of a vendor that the client opened, or that use a published port and began before the capture."""
    chosen: Bools = (flows.vendor != 0) & (flows.protocol == TCP) & (flows.direction == Direction.OUTBOUND)
    return chosen


def went_on(end: Ends) -> Bools:
    """Servers that sent a SYN-ACK and then more than resets: only the client's acknowledgement makes them do so."""
    return has(end.server_seen, Seen.SYN_ACK) & has(end.server_seen, Seen.ACK | Seen.DATA | Seen.FIN)


def answered(flows: Flows, rows: Rows) -> Bools:
    """Which flows got an answer: TCP a SYN-ACK or data, everything else a packet back.

    One end of a TCP session may be all that was captured. An opener that goes on after its SYN was answered, whether or
    not the answer was captured; so was a session whose data shows and whose start does not.
    """
    forward, reverse = flows.seen_forward[rows], flows.seen_reverse[rows]
    went_on = has(forward, Seen.SYN) & has(forward, Seen.ACK)
    back = (flows.packets_forward[rows] > 0) & (flows.packets_reverse[rows] > 0)
    running = back & ~has(forward | reverse, Seen.SYN | Seen.RST)
    session = has(forward | reverse, Seen.SYN_ACK | Seen.DATA) | went_on | running
    return np.where(flows.protocol[rows] == TCP, session, back)


def outcome(flows: Flows, rows: Rows) -> Codes:
    """`Outcome.OPEN` or `Outcome.ATTEMPT`."""
    return np.where(answered(flows, rows), Outcome.OPEN, Outcome.ATTEMPT).astype(np.uint8)


def by_outcome(outcomes: Codes, attempt: Severity, opened: Severity) -> Codes:
    """Severity of each flow."""
    return np.where(outcomes == Outcome.OPEN, opened, attempt).astype(np.uint8)


def group(*columns: NDArray[Any]) -> Rows:
    """A number for each distinct combination of values, from 0 in the order of the values.

    Columns are packed into one key as long as their ranges of values fit: one sort instead of one for each.
    """
    key, span = np.zeros(len(columns[0]), np.uint64), 1
    if not len(key):
        return key.astype(np.intp)
    for column in columns:
        lowest, width = int(column.min()), int(column.max()) - int(column.min()) + 1
        values = column.astype(np.uint64) - np.uint64(lowest)
        if span * width > KEY_SPAN:
            key, span = _dense(key, span)
        if span * width > KEY_SPAN:
            values, width = _dense(values, width)
        key = key * np.uint64(width) + values
        span *= width
    return _dense(key, span)[0].astype(np.intp)


def _dense(values: Words, span: int) -> tuple[Words, int]:
    """The values, all below `span`, replaced by their ranks, and how many ranks there are."""
    if span <= TABLE_SPAN * len(values):
        present = np.zeros(span, np.bool_)
        present[values] = True
        upto: Words = np.cumsum(present, dtype=np.uint64)
        return upto[values] - np.uint64(1), int(upto[-1])
    distinct, ranks = np.unique(values, return_inverse=True)
    return ranks.astype(np.uint64), len(distinct)


def published_ranges(context: Context) -> tuple[AddressRange, ...]:
    """All networks of all enabled packs, those that the site gives among them."""
    return tuple(item for enabled in context.packs for ranges in enabled.networks.values() for item in ranges)


def at_vendor(end: Ends, context: Context) -> Bools:
    """Whose server lies in the networks of an enabled pack; of the others only the port speaks of a vendor."""
    return contains(published_ranges(context), end.server_hi, end.server_lo)


def client_inside(end: Ends, context: Context) -> Bools:
    """Whose client is inside: of a flow that nobody is known to have opened, the direction does not tell."""
    return contains(context.site.inside, end.client_hi, end.client_lo)


def through_many(end: Ends, context: Context) -> Bools:
    """Whose client address stands for several hosts: a translated address, or a proxy of the site."""
    site = context.site
    shared = tuple(proxy.address for proxy in site.proxies)
    if site.vantage == "outside":
        shared += site.nat
    return contains(shared, end.client_hi, end.client_lo)


def vendor_table(context: Context, accepts: Callable[[EnabledPack], bool]) -> Bools:
    """Table over vendor codes: whether `accepts` holds for the pack, for all of them where several are possible."""
    packs = {enabled.pack.id: enabled for enabled in context.packs}
    return np.array(
        [bool(name) and all(accepts(packs[one]) for one in name.split("|")) for name in context.labels.vendors]
    )


def one_pack(context: Context, enabled: EnabledPack) -> Bools:
    """Table over vendor codes: whether it is this pack and no other."""
    return np.array([name == enabled.pack.id for name in context.labels.vendors])


def scanned(flows: Flows, rows: Rows, context: Context) -> Bools:
    """Which flows belong to a port scan: whoever tries every port is not looking for the vendor's."""
    found = np.zeros(len(rows), np.bool_)
    if not context.port_scans or not len(rows):
        return found
    ends_of = (flows.initiator_hi[rows], flows.initiator_lo[rows], flows.responder_hi[rows], flows.responder_lo[rows])
    pair = group(*ends_of)
    _, first = np.unique(pair, return_index=True)
    initiator_hi, initiator_lo, responder_hi, responder_lo = (column[first].tolist() for column in ends_of)
    scans = [
        ((a << 64) | b, (c << 64) | d) in context.port_scans
        for a, b, c, d in zip(initiator_hi, initiator_lo, responder_hi, responder_lo, strict=True)
    ]
    return np.array(scans)[pair]


def seconds(count: int) -> int:
    """A site's threshold in nanoseconds."""
    return min(count, FOREVER) * SECOND


def stretches(context: Context) -> list[tuple[int, int]]:
    """First and last packet of each time of capturing, in order. A pause of `midstream_grace` parts two of them.

    Captures that follow each other closely are one; of what happens in a pause nobody knows.
    """
    grace = seconds(context.site.thresholds.midstream_grace)
    spans = sorted((one["first_ns"], one["last_ns"]) for one in context.health.captures if one.get("packets"))
    found = [(context.health.start_ns, context.health.start_ns if spans else context.health.end_ns)]
    for first, last in spans:
        if first > found[-1][1] + grace:
            found.append((first, last))
        else:
            found[-1] = (found[-1][0], max(found[-1][1], last))
    return found


def early(flows: Flows, rows: Rows, context: Context) -> Bools:
    """Which flows begin so soon after capturing (`midstream_grace`) that what explains them may have come before."""
    starts = np.array([first for first, _ in stretches(context)], np.int64)
    times = flows.start_ns[rows]
    latest = starts[np.maximum(np.searchsorted(starts, times, side="right") - 1, 0)]
    return times - latest < seconds(context.site.thresholds.midstream_grace)


def captured_after(flows: Flows, rows: Rows, context: Context) -> Ints:
    """Nanoseconds that capturing went on after each flow's start."""
    parts = stretches(context)
    starts = np.array([first for first, _ in parts], np.int64)
    lasts = np.array([last for _, last in parts], np.int64)
    times = flows.start_ns[rows]
    return lasts[np.maximum(np.searchsorted(starts, times, side="right") - 1, 0)] - times


def first_of(numbers: Rows, values: Ints, count: int) -> Ints:
    """The smallest of `values` for each number below `count`; the largest possible time where there is none."""
    smallest = np.full(count, np.iinfo(np.int64).max, np.int64)
    np.minimum.at(smallest, numbers, values)
    return smallest


def quote_senders(flows: Flows, rows: Rows, context: Context) -> tuple[Rows, Words, Words]:
    """Which of the context's quotes came with the ICMP flows `rows`, and the addresses that sent those."""
    by_id = rows[np.argsort(flows.flow_id[rows])]
    ids, wanted = flows.flow_id[by_id], context.quotes.flow_id
    at = np.searchsorted(ids, wanted)
    quotes = np.flatnonzero(at < len(ids))
    quotes = quotes[ids[at[quotes]] == wanted[quotes]]
    sent = by_id[at[quotes]]
    return quotes, flows.initiator_hi[sent], flows.initiator_lo[sent]
