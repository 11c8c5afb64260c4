"""Find sessions of which the capture shows one direction only, though it shows both of others.

What it finds
    TCP sessions with a vendor whose opener goes on after its SYN although no answer was captured; and sessions of which
    only the server's packets were, from its SYN-ACK on. Monitoring sessions that a site's feature allows are among
    them.
Why it matters
    The answers take another way than the questions. A firewall that remembers connections sees half of them and drops
    what it cannot explain; a host with several gateways needs a route. And what was not captured was not judged.
What you see
    asymmetric-path  low  10.0.0.5 → 204.164.111.9:16384/tcp  1 flow, first at frame 64
    `inferred` where the capture lost packets.
Stays silent
    Captures that show one direction of everything. Attempts that nothing answered (required-access-blocked). Flows that
    began before the capture: a sender that gets no answer looks the same.
Rests on
    statement `multi-homed` (monitoring sessions)
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._select import client_inside, ends, has, went_on
from auditor.checks.base import Check, Context, Hits, Outcome, Severity
from auditor.flow import TCP, Direction, Flows, Role, Rows, Seen


class AsymmetricPath(Check):
    id = "asymmetric-path"
    title = "Session with one direction missing"
    since = "0.1"
    statements = frozenset({"multi-homed"})
    placeless = True

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        if context.health.one_sided:
            return
        rows = _half_sessions(flows, context)
        monitoring = flows.role[rows] == Role.GUI
        for chosen, statements in ((monitoring, ("multi-homed",)), (~monitoring, ())):
            if chosen.any():
                yield Hits(
                    rows[chosen],
                    Severity.LOW,
                    "only one direction was captured of a session of {client_ip} with {server_ip}, port {service_port}",
                    certain=context.health.complete,
                    outcome=Outcome.OPEN,
                    statements=statements,
                    remediation="Check the routes between client and firewall, and what the capture point sees.",
                )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Monitoring sessions of which both directions were captured."""
        both = (flows.packets_forward > 0) & (flows.packets_reverse > 0)
        opened = (flows.seen_forward | flows.seen_reverse) & np.uint16(Seen.SYN_ACK) != 0
        return np.flatnonzero((flows.role == Role.GUI) & (flows.protocol == TCP) & both & opened)

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Half sessions in captures that show one direction only."""
        return _half_sessions(flows, context) if context.health.one_sided else np.empty(0, np.intp)


def _half_sessions(flows: Flows, context: Context) -> Rows:
    """Sessions of a vendor that were opened and went on, with packets of one end only."""
    ours = (flows.vendor != 0) & (flows.protocol == TCP)
    half = (flows.packets_forward == 0) | (flows.packets_reverse == 0)
    expected = (flows.direction == Direction.OUTBOUND) | (flows.role == Role.GUI) | (flows.role == Role.RETURN)
    rows = np.flatnonzero(ours & half & expected)
    end = ends(flows, rows)
    more = Seen.ACK | Seen.DATA
    client_alone = has(end.client_seen, Seen.SYN) & has(end.client_seen, more)
    monitor_alone = has(end.server_seen, Seen.SYN) & has(end.server_seen, more)
    return rows[(client_alone | monitor_alone | went_on(end)) & client_inside(end, context)]
