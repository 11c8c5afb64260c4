"""Find backup traffic to addresses that no vendor publishes.

What it finds
    TCP from the inside to a signature port (16384, 211, 4401) of an outside address in no network of an enabled pack.
    From a host that the site calls dedicated: traffic to any outside address that neither a pack nor the site allows.
Why it matters
    Backups hold everything. Sent to an address that the vendor does not publish, they are with somebody else, or the
    document or the address list is out of date.
What you see
    destination-outside-published  high  10.0.0.5 → 198.51.100.7:16384/tcp  open, backup-direct|online-backup-service
    Severity: attempt medium, open high. Three vendors share port 16384: the finding names all candidates that are
    enabled. `inferred` where the session began before the capture.
Stays silent
    Destinations inside, multicast and broadcast. Declared proxies, resolvers and allowed addresses. Packs without
    networks: their port may go anywhere. Port scans (one client, 20 or more ports of one host). Client ports that
    happen to be a signature port. UDP on a signature port. Answers, resets and errors that a dedicated host sends.
Rests on
    statements `networks`, `range`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.addresses import AddressRange, contains, parse_range
from auditor.checks._select import answered, at_vendor, by_outcome, ends, outcome, published_ranges, scanned
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.checks.icmp_use import ICMP6_REQUESTS, REQUESTS
from auditor.classify import EPHEMERAL_FROM
from auditor.flow import ICMP, ICMP6, TCP, Bools, Direction, Flows, Role, Rows

# Link-local and loopback addresses never leave the site, whatever it lists as inside (RFC 3927, RFC 4291, RFC 1122).
LOCAL = tuple(map(parse_range, ("169.254.0.0/16", "127.0.0.0/8", "fe80::/10", "::1")))


class DestinationOutsidePublished(Check):
    id = "destination-outside-published"
    title = "Destination that no vendor publishes"
    since = "0.1"
    statements = frozenset({"networks", "range"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
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
    rows = np.flatnonzero((flows.vendor == 0) & np.where(flows.client_is_initiator, initiators, responders))
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
