"""Find TCP to a vendor's network on a port that the vendor does not publish.

What it finds
    TCP sessions, or attempts at them, from the inside to a network of an enabled pack, to a port that no service of the
    pack lists for that network: a service of a feature counts where the site turned the feature on.
Why it matters
    A rule written after the document opens the published ports alone. Traffic to others needs a wider rule than anybody
    asked for, and it is not the backup.
What you see
    port-not-published  medium  10.0.0.5 → 204.164.111.9:443/tcp  open, 2 flows, first at frame 17
    Severity: attempt low, open medium. `inferred` where the session began before the capture: then its ports alone tell
    the two ends apart.
Stays silent
    Servers' packets alone (unsolicited-return). Sessions that the outside opened (inbound-initiated). Packets whose
    ports were not captured.
Rests on
    statements `control-port`, `data-ports`, `port`, `ports`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._select import answered, at_vendor, by_outcome, client_inside, ends, outcome
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.flow import TCP, Direction, Flows, Role


class PortNotPublished(Check):
    id = "port-not-published"
    title = "TCP to a port that the vendor does not publish"
    since = "0.1"
    statements = frozenset({"control-port", "data-ports", "port", "ports"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        rows = np.flatnonzero((flows.vendor != 0) & (flows.protocol == TCP) & (flows.role == Role.UNPUBLISHED))
        if not len(rows):
            return
        end = ends(flows, rows)
        rows = rows[at_vendor(end, context) & client_inside(end, context)]
        end = ends(flows, rows)
        # Of a session that began before the capture nobody knows which end opened it; neither way is published.
        client_opened = flows.direction[rows] == Direction.OUTBOUND
        running = ~end.known_opener & answered(flows, rows)
        unread = (end.client_port == 0) & (end.server_port == 0)
        chosen = (client_opened | running) & ~unread
        rows = rows[chosen]
        if not len(rows):
            return
        outcomes = outcome(flows, rows)
        yield Hits(
            rows,
            by_outcome(outcomes, Severity.LOW, Severity.MEDIUM),
            "TCP from {client_ip} to port {server_port} of {server_ip}, which {vendor} does not publish there",
            certain=end.known_opener[chosen],
            outcome=outcomes,
            statements=("control-port", "data-ports", "port", "ports"),
            remediation="Limit the rule for the vendor's networks to the published ports.",
        )
