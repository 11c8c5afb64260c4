"""Find TCP sessions that the outside opened.

What it finds
    A TCP session, or the attempt at one, from a vendor's published network to the inside; and from any outside address
    to one of the site's backup hosts. Who opened it is told by the SYN. Where only an inside host's SYN-ACK was
    captured, the finding is `inferred`. A client that asks a SOCKS proxy to take such a session for it (BIND) is found
    as well: `open` once the proxy says that the server has called.
Why it matters
    Every vendor says that its clients open all connections. A firewall that lets such a SYN in has a hole that no
    backup needs; an inside host that answers it is an open door.
What you see
    inbound-initiated  critical  204.164.111.9 → 10.0.0.5:16384/tcp  open, 1 flow, first at frame 12
    With `--inside` and `--outside` the message says whether the firewall let it through or stopped it.
    Severity: attempt high, open critical. From an address of no vendor: attempt medium, open high.
Stays silent
    Flows that began before the capture. Flows that begin with the server's SYN-ACK, and sessions for which the client's
    own SYN was captured as well (a simultaneous open, RFC 9293, 3.5): the client opened those. A feature that the site
    turned on, from the networks that may use it. Lone resets and acknowledgements, which answer a forged address.
Rests on
    statements `client-initiates`, `gui-monitoring`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.addresses import contains
from auditor.checks._said import flags, in_vendors_flows, targets_of, told
from auditor.checks._select import answered, by_outcome, client_inside, ends, group, has, outcome
from auditor.checks.base import Check, Context, Hits, Outcome, Severity
from auditor.flow import TCP, Bools, Direction, Flows, Role, RoleBasis, Rows, Seen

BIND = ("bind",)  # of a SOCKS request, in `Events.more`
REMEDIATION = "Let in answers to what the inside opened, and no new connection from outside."


class InboundInitiated(Check):
    id = "inbound-initiated"
    title = "TCP session opened from outside"
    since = "0.1"
    statements = frozenset({"client-initiates", "gui-monitoring"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        inbound = (flows.direction == Direction.INBOUND) & (flows.protocol == TCP) & (flows.role != Role.GUI)
        rows = np.flatnonzero(inbound)
        end = ends(flows, rows)
        opened = end.known_opener & ~has(end.client_seen, Seen.SYN)
        vendors = flows.vendor[rows] != 0
        hosts = contains([host.address for host in context.site.backup_hosts], end.client_hi, end.client_lo)
        syn = has(end.server_seen, Seen.SYN)
        yield from self._hits(flows, rows, opened & vendors, syn, context, (Severity.HIGH, Severity.CRITICAL))
        yield from self._hits(flows, rows, opened & ~vendors & hosts, syn, context, (Severity.MEDIUM, Severity.HIGH))

        yield from self._taken_by_proxies(flows, context)

    def _taken_by_proxies(self, flows: Flows, context: Context) -> Iterable[Hits]:
        """What vendors' servers open to a SOCKS proxy, at the request of a client inside."""
        events, rows = in_vendors_flows(flows, context, "socks-request")
        asked = np.array([context.events.more[event] == BIND for event in events.tolist()], np.bool_)
        events, rows = events[asked], rows[asked]
        if not len(rows):
            return
        answers, of = told(flows, context, "socks-reply")
        granted = np.bincount(of[flags(context, answers, 1)], minlength=len(flows))[rows]
        outcomes = np.where(granted > 1, Outcome.OPEN, Outcome.ATTEMPT).astype(np.uint8)  # the second tells of a call
        yield Hits(
            rows,
            by_outcome(outcomes, Severity.HIGH, Severity.CRITICAL),
            "{client_ip} asked the SOCKS proxy {via} to take a connection from {vendor}'s server {server_ip}",
            outcome=outcomes,
            statements=("client-initiates",),
            remediation=REMEDIATION,
            targets=targets_of(rows, context),
            told_by=events,
        )

    def _hits(
        self,
        flows: Flows,
        rows: Rows,
        chosen: Bools,
        syn: Bools,
        context: Context,
        severities: tuple[Severity, Severity],
    ) -> Iterable[Hits]:
        rows, certain = rows[chosen], syn[chosen]
        for there, fate in _fates(flows, rows, context):
            yield from self._hits_of(flows, rows[there], certain[there], severities, fate)

    def _hits_of(
        self, flows: Flows, rows: Rows, certain: Bools, severities: tuple[Severity, Severity], fate: str
    ) -> Iterable[Hits]:
        if not len(rows):
            return
        attempt, opened = severities
        outcomes = outcome(flows, rows)
        of_vendor = bool(flows.vendor[rows[0]])
        who = "{vendor}'s server {server_ip}" if of_vendor else "{server_ip}, no address of a vendor,"
        yield Hits(
            rows,
            by_outcome(outcomes, attempt, opened),
            f"{who} opened TCP to {{client_ip}} port {{service_port}}{fate}",
            certain=certain,
            outcome=outcomes,
            statements=("client-initiates", "gui-monitoring") if of_vendor else (),
            remediation=REMEDIATION,
        )

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Sessions with a vendor that use no published port and began before the capture: either end opened them."""
        unknown = (flows.vendor != 0) & (flows.protocol == TCP) & (flows.direction == Direction.NEITHER)
        unknown &= flows.role_basis != RoleBasis.PROXY  # the client asked the proxy
        rows = np.flatnonzero(unknown & (flows.role == Role.UNPUBLISHED))
        return rows[answered(flows, rows) & client_inside(ends(flows, rows), context)]


PASSED = "; the firewall let it through"
STOPPED = "; the firewall stopped it: outside it was captured, inside it was not"
AT_THE_FIREWALL = "; it was answered outside, and what it opened was not captured inside"
UNSEEN = "; it was captured outside, and what was captured inside does not tell whether it came through"
SOME_PASSED = "; the firewall let some of them through and stopped others"


def _fates(flows: Flows, rows: Rows, context: Context) -> Iterable[tuple[Bools, str]]:
    """What became of sessions at the firewall: which of `rows`, and the words for it. One vantage: no words for all."""
    vantages = context.vantages
    if vantages is None:
        yield np.ones(len(rows), np.bool_), ""
        return
    passed, told = ~vantages.only_outside[rows], vantages.inside_would_show[rows]
    stopped = ~passed & told & ~answered(flows, rows)
    end = ends(flows, rows)
    port = np.where(flows.client_is_initiator[rows], end.server_port, end.client_port)
    asked = group(flows.vendor[rows], end.client_hi, end.client_lo, end.server_hi, end.server_lo, port)
    # one finding takes in both where the firewall translates nothing
    mixed = (np.bincount(asked, passed) > 0)[asked] & (np.bincount(asked, stopped) > 0)[asked]
    yield passed & ~mixed, PASSED
    yield stopped & ~mixed, STOPPED
    yield mixed, SOME_PASSED
    yield ~passed & ~mixed & told & ~stopped, AT_THE_FIREWALL
    yield ~passed & ~mixed & ~told, UNSEEN
