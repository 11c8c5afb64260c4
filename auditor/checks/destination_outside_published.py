"""Find backup traffic to addresses that no vendor publishes.

What it finds
    TCP from the inside to a signature port (16384, 211, 4401) of an outside address in no network of an enabled pack.
    An address outside that a vendor's server announced for an FTP data connection (227), in no such network either.
    From a host that the site calls dedicated: traffic to any outside address that neither a pack nor the site allows.
Why it matters
    Backups hold everything. Sent to an address that the vendor does not publish, they are with somebody else, or the
    document or the address list is out of date.
What you see
    destination-outside-published  high  10.0.0.5 → 198.51.100.7:16384/tcp  open, backup-direct|online-backup-service
    Severity: attempt medium, open high. Three vendors share port 16384: the finding names all candidates that are
    enabled. `inferred` where the session began before the capture.
Stays silent
    Targets of proxies (proxy-target-outside-published). Announced addresses that are private or cannot be routed: they
    mean the server itself. Destinations inside, multicast and broadcast. Declared proxies, resolvers and allowed
    addresses. Packs without networks: their port may go anywhere. Port scans (one client, 20 or more ports of one
    host). Client ports that happen to be a signature port. UDP on a signature port. Answers, resets and errors that a
    dedicated host sends.
Rests on
    statements `networks`, `range`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.addresses import AddressRange, contains, parse_range
from auditor.checks._said import through_proxy
from auditor.checks._select import answered, at_vendor, by_outcome, ends, outcome, published_ranges, scanned
from auditor.checks.base import Check, Context, Hits, Outcome, Severity, Targets
from auditor.checks.icmp_use import ICMP6_REQUESTS, REQUESTS
from auditor.classify import EPHEMERAL_FROM
from auditor.events import Events
from auditor.flow import ICMP, ICMP6, TCP, Bools, Direction, Flows, Role, Rows

# Link-local and loopback addresses never leave the site, whatever it lists as inside (RFC 3927, RFC 4291, RFC 1122).
LOCAL = tuple(map(parse_range, ("169.254.0.0/16", "127.0.0.0/8", "fe80::/10", "::1")))


class DestinationOutsidePublished(Check):
    id = "destination-outside-published"
    title = "Destination that no vendor publishes"
    since = "0.1"
    statements = frozenset({"networks", "range"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        yield from _announced(flows, context)
        rows = _by_signature(flows, context)
        yield from self._hits(
            flows,
            rows[~scanned(flows, rows, context)],
            "TCP from {client_ip} to port {server_port}, that of {vendor}, of {server_ip}, in no published network",
            ("networks", "range"),
        )
        rows = _of_dedicated_hosts(flows, context)
        yield from self._hits(
            flows,
            rows[~scanned(flows, rows, context)],
            "{client_ip} is a dedicated backup host, and neither a vendor nor the site allows {server_ip}",
            (),
        )

    def _hits(self, flows: Flows, rows: Rows, message: str, statements: tuple[str, ...]) -> Iterable[Hits]:
        if not len(rows):
            return
        outcomes = outcome(flows, rows)
        yield Hits(
            rows,
            by_outcome(outcomes, Severity.MEDIUM, Severity.HIGH),
            message,
            certain=ends(flows, rows).known_opener | (flows.protocol[rows] != TCP),
            outcome=outcomes,
            statements=statements,
            remediation="Allow the backup's ports to published networks only; ask the vendor whether they changed.",
        )


def _announced(flows: Flows, context: Context) -> Iterable[Hits]:
    """Addresses that servers in published networks announced for data connections, and that are in none of these.

    The transfer after it tells whether the connection came about: it need not be in the flow table.
    """
    endpoints, events = context.negotiation.endpoints, context.events
    if not len(endpoints):
        return
    known = (*published_ranges(context), *_permitted(context), *context.site.inside)
    ours = (flows.vendor[endpoints.control] != 0) & (flows.role[endpoints.control] == Role.CONTROL)
    chosen = np.flatnonzero(ours & ~contains(known, endpoints.server_hi, endpoints.server_lo))
    if not len(chosen):
        return
    rows = endpoints.control[chosen]
    transfers = events.of("ftp-transfer")
    started = transfers[events.flag[transfers] == 1]
    opened = (endpoints.data[chosen] >= 0) | _followed(events, endpoints.event, endpoints.event[chosen], started)
    outcomes = np.where(opened, Outcome.OPEN, Outcome.ATTEMPT).astype(np.uint8)
    yield Hits(
        rows,
        by_outcome(outcomes, Severity.MEDIUM, Severity.HIGH),
        "{vendor}'s server sent {client_ip} to {server_ip} port {server_port}, in no published network, with its data",
        outcome=outcomes,
        statements=("range", "networks"),
        remediation="Allow data connections to published networks only; ask the vendor whether they changed.",
        targets=Targets(
            hi=endpoints.server_hi[chosen],
            lo=endpoints.server_lo[chosen],
            port=endpoints.port[chosen].astype(np.int64),
            through=False,
        ),
        told_by=endpoints.event[chosen],
    )


def _followed(events: Events, announcements: Rows, chosen: Rows, started: Rows) -> Bools:
    """After which of the `chosen` announcements a transfer started before the next announcement of their session."""
    found = np.zeros(len(chosen), np.bool_)
    for at, event in enumerate(chosen.tolist()):
        later = [
            there[(events.flow_id[there] == events.flow_id[event]) & (there > event)]
            for there in (started, announcements)
        ]
        found[at] = len(later[0]) > 0 and (len(later[1]) == 0 or later[0][0] < later[1][0])
    return found


def _permitted(context: Context) -> tuple[AddressRange, ...]:
    """Addresses outside that the site knows of."""
    site = context.site
    return (*site.allowed, *site.resolvers, *(proxy.address for proxy in site.proxies), *LOCAL)


def _by_signature(flows: Flows, context: Context) -> Rows:
    """TCP of a pack to a server outside all networks."""
    ours = (flows.vendor != 0) & (flows.protocol == TCP) & (flows.role == Role.UNPUBLISHED)
    rows = np.flatnonzero(ours & (flows.direction == Direction.OUTBOUND))
    end = ends(flows, rows)
    elsewhere = ~at_vendor(end, context) & ~contains(_permitted(context), end.server_hi, end.server_lo)
    # Without a start and without data nothing was exchanged that could be a session.
    return rows[elsewhere & (end.known_opener | answered(flows, rows))]


def _of_dedicated_hosts(flows: Flows, context: Context) -> Rows:
    """Traffic of dedicated hosts that is of no pack and leaves the inside."""
    hosts = [host.address for host in context.site.backup_hosts if host.dedicated]
    if not hosts:
        return np.empty(0, np.intp)
    initiators = contains(hosts, flows.initiator_hi, flows.initiator_lo)
    responders = contains(hosts, flows.responder_hi, flows.responder_lo)
    ours = (flows.vendor == 0) & ~through_proxy(flows, context)
    rows = np.flatnonzero(ours & np.where(flows.client_is_initiator, initiators, responders))
    end = ends(flows, rows)
    further = tuple(item for enabled in context.packs for ranges in enabled.features.values() for item in ranges)
    known = (*_permitted(context), *published_ranges(context), *further, *context.site.inside)
    elsewhere = ~contains(known, end.server_hi, end.server_lo)
    return rows[elsewhere & (_sent(flows, rows) | _running(flows, rows))]


def _sent(flows: Flows, rows: Rows) -> Bools:
    """What a host sent of its own accord: not the errors and answers of ICMP."""
    kind = flows.initiator_port[rows]
    asks = np.where(flows.protocol[rows] == ICMP6, np.isin(kind, ICMP6_REQUESTS), np.isin(kind, REQUESTS))
    icmp = np.isin(flows.protocol[rows], (ICMP, ICMP6))
    sent: Bools = (flows.direction[rows] == Direction.OUTBOUND) & (~icmp | asks)
    return sent


def _running(flows: Flows, rows: Rows) -> Bools:
    """TCP sessions that began before the capture, whose ports say that the host is the client."""
    end = ends(flows, rows)
    running: Bools = (flows.protocol[rows] == TCP) & ~end.known_opener & end.two_way & answered(flows, rows)
    return running & (end.client_port >= EPHEMERAL_FROM) & (end.server_port < EPHEMERAL_FROM)
