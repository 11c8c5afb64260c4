"""Which control session assigned each data connection, as far as it can be read.

A server announces the port of each data connection on the control connection (RFC 959: 227; RFC 2428: 229). Where that
is readable, a data connection belongs to the session that announced its address and port to its client. Whether it was
never announced can be said only if everything that could have announced it was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from auditor.addresses import AddressRange, contains, parse_range
from auditor.checks._select import REORDERING_NS, group
from auditor.events import KINDS, Events
from auditor.flow import TCP, Bools, Codes, Direction, Flows, Ints, Ports, Role, RoleBasis, Rows, Seen, Words
from auditor.frozen import frozen, replace

if TYPE_CHECKING:
    from auditor.checks.base import Labels
    from auditor.proxies import Proxied
    from auditor.rulepack import EnabledPack
    from auditor.site import Site

# No server can be reached there from another network, so a 227 that names one of them means the server that sends it:
# servers behind address translation give the address that they know themselves by.
UNROUTABLE = tuple(
    parse_range(text)
    for text in (
        "0.0.0.0/8",  # RFC 1122
        "10.0.0.0/8",  # RFC 1918, with 172.16 and 192.168
        "100.64.0.0/10",  # RFC 6598
        "127.0.0.0/8",  # RFC 1122
        "169.254.0.0/16",  # RFC 3927
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",  # multicast, reserved, broadcast: RFC 1112
        "::/127",  # unspecified, loopback: RFC 4291
        "fc00::/7",  # RFC 4193
        "fe80::/10",
        "ff00::/8",
    )
)

FOREVER = np.iinfo(np.int64).max - REORDERING_NS

# Upper half of what stands for the address of a server that is known by name only; the lower half is the name's number.
BY_NAME = 0xFFFF_FFFF_FFFF_FFFF

INCOMPLETE = ("lost", "limit", "protocol-error", "ftp-unreadable-endpoint")


class Reading(IntEnum):
    """How far an FTP control session could be read."""

    NONE = 0  # no FTP control session, or nothing of it was read
    WHOLE = 1  # from its first packet to its last
    PART = 2  # it began before the capture, bytes are missing, or it is no FTP
    SECURED = 3  # encrypted, from the beginning or from some point on


@frozen
class Endpoints:
    """Data endpoints that one end announced to the other, n of them as columns, in order of time.

    In passive mode the server's, by 227 or 229; in active mode the client's, by PORT or EPRT.
    """

    event: Rows  # row in the context's `Events`
    control: Rows  # row of the control session
    # As meant: the control's server for 229, and for a 227 with an address that cannot be routed. In active mode too,
    # for the server is who connects.
    server_hi: Words
    server_lo: Words
    port: Ports  # of whoever announced it
    data: Rows  # row of the first data connection that used it; -1: none

    def __len__(self) -> int:
        return len(self.port)

    @classmethod
    def none(cls) -> Endpoints:
        rows, words = np.empty(0, np.intp), np.empty(0, np.uint64)
        return cls(rows, rows, words, words, np.empty(0, np.uint16), rows)


@frozen
class Negotiation:
    """One element for each flow of the table, and the endpoints."""

    reading: Codes  # `Reading` of control sessions
    control: Rows  # of a data connection: row of the control session that announced its endpoint to its client; else -1
    endpoint: Rows  # of a data connection: number of that announcement in `endpoints`; else -1
    # Of a data connection: control sessions of its client were alive at its start, and all of them were read whole, so
    # that no announcement can have been missed. One that is `exact` and has no `control` was never announced.
    exact: Bools
    endpoints: Endpoints
    called: Rows  # of a connection that a server opened: number of the announcement in `active` that asked for it; -1
    active: Endpoints

    @classmethod
    def none(cls, count: int) -> Negotiation:
        """Nothing negotiated, for a table of `count` flows."""
        return cls(
            reading=np.zeros(count, np.uint8),
            control=np.full(count, -1, np.intp),
            endpoint=np.full(count, -1, np.intp),
            exact=np.zeros(count, np.bool_),
            endpoints=Endpoints.none(),
            called=np.full(count, -1, np.intp),
            active=Endpoints.none(),
        )


@frozen
class Logical:
    """Client and server of n flows, the server being the target where a proxy stands between."""

    client_hi: Words
    client_lo: Words
    server_hi: Words
    server_lo: Words
    server_port: Ports

    @classmethod
    def of(cls, flows: Flows, proxied: Proxied) -> Logical:
        ours = flows.client_is_initiator
        hi = np.where(ours, flows.responder_hi, flows.initiator_hi)
        lo = np.where(ours, flows.responder_lo, flows.initiator_lo)
        port = np.where(ours, flows.responder_port, flows.initiator_port)
        decoded, named = proxied.decoded, proxied.name >= 0
        return cls(
            client_hi=np.where(ours, flows.initiator_hi, flows.responder_hi),
            client_lo=np.where(ours, flows.initiator_lo, flows.responder_lo),
            server_hi=np.where(named, np.uint64(BY_NAME), np.where(decoded, proxied.target_hi, hi)),
            server_lo=np.where(
                named, np.maximum(proxied.name, 0).astype(np.uint64), np.where(decoded, proxied.target_lo, lo)
            ),
            server_port=np.where(decoded, proxied.target_port, port),
        )


def negotiate(
    flows: Flows,
    labels: Labels,
    events: Events,
    proxied: Proxied,
    packs: Sequence[EnabledPack],
    site: Site,
    *,
    all_heard: bool = True,
) -> Negotiation:
    """What was negotiated, of whole, classified flows. Unless `all_heard`, no session counts as read whole."""
    found = Negotiation.none(len(flows))
    if not len(flows):
        return found
    row_of = events.rows_in(flows)
    ends = Logical.of(flows, proxied)
    found.reading[:] = _readings(flows, events, row_of)
    if not all_heard:
        found.reading[found.reading == Reading.WHOLE] = Reading.PART
    endpoints = _announced(flows, events, row_of, ends, packs, site)
    candidates = np.flatnonzero((flows.vendor != 0) & (flows.protocol == TCP) & (flows.role != Role.INBOUND))
    used = _match(candidates, flows, ends, endpoints, events)
    found.endpoint[candidates] = used
    announced = used >= 0
    found.control[candidates[announced]] = endpoints.control[used[announced]]
    # in the order of their starts backwards, so that the first user stays
    users = candidates[announced][np.argsort(-flows.start_ns[candidates[announced]], kind="stable")]
    endpoints.data[found.endpoint[users]] = users
    active = _called(found.called, flows, events, row_of, ends)
    for control, data in _sessions(flows, labels, packs):
        found.exact[data] = _all_read(flows, ends, found.reading, control, data)
    return Negotiation(
        found.reading, found.control, found.endpoint, found.exact, endpoints, called=found.called, active=active
    )


def negotiated(flows: Flows, negotiation: Negotiation) -> Flows:
    """The flows, with the role basis of data connections that a readable control session announced."""
    joined = (negotiation.control >= 0) & np.isin(flows.role, (Role.DATA, Role.UNPUBLISHED))
    joined &= flows.role_basis != RoleBasis.PROXY
    if not joined.any():
        return flows
    return flows.with_columns(role_basis=np.where(joined, np.uint8(RoleBasis.NEGOTIATED), flows.role_basis))


def _readings(flows: Flows, events: Events, row_of: Rows) -> Codes:
    """`Reading` of each flow. FTP's events tell which flows are control sessions."""

    def having(*kinds: str) -> Bools:
        told = np.zeros(len(flows), np.bool_)
        rows = row_of[events.of(*kinds)]
        told[rows[rows >= 0]] = True
        return told

    ftp = having(*(kind for kind in KINDS if kind.startswith("ftp-")))
    syn = (flows.seen_forward & np.uint16(Seen.SYN) != 0) & (flows.seen_reverse & np.uint16(Seen.SYN_ACK) != 0)
    whole = syn & having("ftp-greeting") & ~having(*INCOMPLETE) & (flows.missed_bytes == 0)
    reading = np.where(whole, Reading.WHOLE, Reading.PART)
    reading = np.where(having("ftp-opaque"), Reading.SECURED, reading)
    return np.where(ftp, reading, Reading.NONE).astype(np.uint8)


def _announced(
    flows: Flows, events: Events, row_of: Rows, ends: Logical, packs: Sequence[EnabledPack], site: Site
) -> Endpoints:
    rows = events.of("ftp-passive")
    rows = rows[row_of[rows] >= 0]
    rows = rows[flows.vendor[row_of[rows]] != 0]  # what other servers announce is nobody's concern
    if not len(rows):
        return Endpoints.none()
    control = row_of[rows]
    hi, lo = events.address_hi[rows], events.address_lo[rows]
    vendors = tuple(item for enabled in packs for ranges in enabled.networks.values() for item in ranges)
    elsewhere: tuple[AddressRange, ...] = (*UNROUTABLE, *site.inside)
    own = ~events.has_address[rows] | (contains(elsewhere, hi, lo) & ~contains(vendors, hi, lo))
    return Endpoints(
        event=rows,
        control=control,
        server_hi=np.where(own, ends.server_hi[control], hi),
        server_lo=np.where(own, ends.server_lo[control], lo),
        port=events.port[rows],
        data=np.full(len(rows), -1, np.intp),
    )


def _called(called: Rows, flows: Flows, events: Events, row_of: Rows, ends: Logical) -> Endpoints:
    """What clients announced in active mode; `called` gets its numbers for the connections that servers then opened.

    Whatever address PORT gives, the client's end of the control session is where a connection can be told from others.
    """
    rows = events.of("ftp-active")
    rows = rows[(row_of[rows] >= 0) & (events.flag[rows] == -1)]  # as asked for; what the server said to it comes later
    rows = rows[flows.vendor[row_of[rows]] != 0]
    candidates = np.flatnonzero((flows.vendor != 0) & (flows.protocol == TCP) & (flows.role == Role.INBOUND))
    if not len(rows):
        return Endpoints.none()
    control = row_of[rows]
    active = Endpoints(
        event=rows,
        control=control,
        server_hi=ends.server_hi[control],
        server_lo=ends.server_lo[control],
        port=events.port[rows],
        data=np.full(len(rows), -1, np.intp),
    )
    ports = np.where(flows.client_is_initiator, flows.initiator_port, flows.responder_port)
    used = _match(candidates, flows, replace(ends, server_port=ports), active, events)
    called[candidates] = used
    users = candidates[used >= 0][np.argsort(-flows.start_ns[candidates[used >= 0]], kind="stable")]
    active.data[called[users]] = users
    return active


def _match(candidates: Rows, flows: Flows, ends: Logical, endpoints: Endpoints, events: Events) -> Rows:
    """For each candidate the number of the latest announcement of its endpoint before its start; -1 without one.

    The number of an endpoint's key and the rank of a time make one key that sorts like the pair.
    """
    used = np.full(len(candidates), -1, np.intp)
    if not len(endpoints):
        return used
    # A port that nobody announced tells most flows off.
    ports = np.zeros(1 << 16, np.bool_)
    ports[endpoints.port] = True
    near = np.flatnonzero(ports[ends.server_port[candidates]])
    chosen = candidates[near]
    keys = group(
        np.concatenate([ends.client_hi[endpoints.control], ends.client_hi[chosen]]),
        np.concatenate([ends.client_lo[endpoints.control], ends.client_lo[chosen]]),
        np.concatenate([endpoints.server_hi, ends.server_hi[chosen]]),
        np.concatenate([endpoints.server_lo, ends.server_lo[chosen]]),
        np.concatenate([endpoints.port, ends.server_port[chosen]]),
    )
    announced, asking = keys[: len(endpoints)], keys[len(endpoints) :]
    times = events.time_ns[endpoints.event]
    ranked = np.sort(times)
    span = len(ranked) + 1
    order = np.lexsort((times, announced))
    sorted_keys = (announced * span + np.searchsorted(ranked, times, side="right"))[order]
    until = np.searchsorted(ranked, flows.start_ns[chosen] + REORDERING_NS, side="right")
    at = np.searchsorted(sorted_keys, asking * span + until, side="right") - 1
    found = order[np.maximum(at, 0)]
    fits = (at >= 0) & (announced[found] == asking) & (endpoints.control[found] != chosen)
    used[near[fits]] = found[fits]
    return used


def _sessions(flows: Flows, labels: Labels, packs: Sequence[EnabledPack]) -> Iterator[tuple[Rows, Rows]]:
    """Control sessions and data connections of each pack that negotiates them."""
    for enabled in packs:
        services = [service for service in enabled.pack.services if service.negotiated_by is not None]
        if not services or enabled.id not in labels.vendors:
            continue
        roles = {service.negotiated_by for service in services}
        controls = {service.id for service in enabled.pack.services if service.role in roles}
        names = {service.id for service in services}
        rows = np.flatnonzero((flows.vendor == labels.vendors.index(enabled.id)) & (flows.protocol == TCP))
        rows = rows[flows.role[rows] != Role.INBOUND]
        is_control = np.isin(flows.service[rows], [at for at, name in enumerate(labels.services) if name in controls])
        is_data = np.isin(flows.service[rows], [at for at, name in enumerate(labels.services) if name in names])
        is_data |= flows.role[rows] == Role.UNPUBLISHED
        is_data &= (flows.direction[rows] == Direction.OUTBOUND) | (flows.role_basis[rows] == RoleBasis.PROXY)
        if is_data.any():
            yield rows[is_control], rows[is_data]


def _all_read(flows: Flows, ends: Logical, reading: Codes, control: Rows, data: Rows) -> Bools:
    """Which data connections began while their client had control sessions, all of which were read whole.

    A session that was not closed may have gone on unseen: it counts as alive for ever, but as read only up to its last
    packet, and so do not those of which neither an opening nor a close shows.
    """
    whole = reading[control] == Reading.WHOLE
    if not whole.any():
        return np.zeros(len(data), np.bool_)
    seen_forward, seen_reverse = flows.seen_forward[control], flows.seen_reverse[control]
    reset = (seen_forward | seen_reverse) & np.uint16(Seen.RST | Seen.FIN_RST) != 0
    closed = reset | (seen_forward & seen_reverse & np.uint16(Seen.FIN) != 0)
    known = (seen_forward | seen_reverse) & np.uint16(Seen.SYN | Seen.SYN_ACK) != 0
    opened = np.where(known, flows.start_ns[control] - REORDERING_NS, 0)
    last = flows.end_ns[control] + REORDERING_NS
    client = _clients(ends, control, data)
    ours, asking, times = client[: len(control)], client[len(control) :], flows.start_ns[data]
    alive = alive_at(ours, opened, np.where(closed, last, FOREVER), asking, times)
    read = alive_at(ours[whole], opened[whole], last[whole], asking, times)
    result: Bools = (alive > 0) & (alive == read)
    return result


def _clients(ends: Logical, *parts: Rows) -> Rows:
    """A number for each distinct client of the flows of all parts, one after the other."""
    rows = np.concatenate(parts)
    return group(ends.client_hi[rows], ends.client_lo[rows])


def alive_at(client: Rows, opened: Ints, closed: Ints, asking: Rows, times: Ints) -> Rows:
    """How many sessions of each asking client are open at its time."""
    return _up_to(client, opened, asking, times) - _up_to(client, closed + 1, asking, times)


def _up_to(client: Rows, happened: Ints, asking: Rows, times: Ints) -> Rows:
    """How many things of each asking client happened up to its time.

    The client's number and the rank of a time make one key that sorts like the pair.
    """
    ranked = np.sort(happened)
    span = len(ranked) + 1
    keys = np.sort(client * span + np.searchsorted(ranked, happened, side="right"))
    until = np.searchsorted(keys, asking * span + np.searchsorted(ranked, times, side="right"), side="right")
    counts: Rows = until - np.searchsorted(keys, asking * span, side="left")
    return counts
