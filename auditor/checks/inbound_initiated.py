"""Find TCP sessions that the outside opened.

What it finds
    A TCP session, or the attempt at one, from a vendor's published network to the inside; and from any outside address
    to one of the site's backup hosts. Who opened it is told by the SYN. Where only an inside host's SYN-ACK was
    captured, the finding is `inferred`.
Why it matters
    Every vendor says that its clients open all connections. A firewall that lets such a SYN in has a hole that no
    backup needs; an inside host that answers it is an open door.
What you see
    inbound-initiated  critical  204.164.111.9 → 10.0.0.5:16384/tcp  open, 1 flow, first at frame 12
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
from auditor.checks._select import answered, by_outcome, client_inside, ends, has, outcome
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.flow import TCP, Bools, Direction, Flows, Role, Rows, Seen


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
        yield from self._hits(flows, rows, opened & vendors, syn, Severity.HIGH, Severity.CRITICAL)
        yield from self._hits(flows, rows, opened & ~vendors & hosts, syn, Severity.MEDIUM, Severity.HIGH)

    def _hits(
        self, flows: Flows, rows: Rows, chosen: Bools, syn: Bools, attempt: Severity, opened: Severity
    ) -> Iterable[Hits]:
        rows, certain = rows[chosen], syn[chosen]
        if not len(rows):
            return
        outcomes = outcome(flows, rows)
        of_vendor = bool(flows.vendor[rows[0]])
        who = "{vendor}'s server {server_ip}" if of_vendor else "{server_ip}, no address of a vendor,"
        yield Hits(
            rows,
            by_outcome(outcomes, attempt, opened),
            f"{who} opened TCP to {{client_ip}} port {{service_port}}",
            certain=certain,
            outcome=outcomes,
            statements=("client-initiates", "gui-monitoring") if of_vendor else (),
            remediation="Let in answers to what the inside opened, and no new connection from outside.",
        )

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Sessions with a vendor that use no published port and began before the capture: either end opened them."""
        unknown = (flows.vendor != 0) & (flows.protocol == TCP) & (flows.direction == Direction.NEITHER)
        rows = np.flatnonzero(unknown & (flows.role == Role.UNPUBLISHED))
        return rows[answered(flows, rows) & client_inside(ends(flows, rows), context)]
