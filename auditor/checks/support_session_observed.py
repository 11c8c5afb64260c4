"""Tell of the use of a vendor's support tool.

What it finds
    TCP sessions, or attempts at them, from the inside to a service that the vendor publishes for support.
Why it matters
    Screen sharing lets the vendor's staff see and steer the host. It belongs to a support session that somebody asked
    for; the rule for it need not be open at other times.
What you see
    support-session-observed  info  10.0.0.5 → 96.231.233.4:443/tcp  open, 1 flow, first at frame 75
Stays silent
    Packs that publish no support tool. Other ports of the support server (port-not-published).
Rests on
    statement `support-tool`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._select import outcome, tcp_sessions
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.flow import Flows, Role


class SupportSessionObserved(Check):
    id = "support-session-observed"
    title = "Vendor's support tool in use"
    since = "0.1"
    statements = frozenset({"support-tool"})
    observes = True

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        rows = np.flatnonzero(tcp_sessions(flows) & (flows.role == Role.SUPPORT))
        if len(rows):
            yield Hits(
                rows,
                Severity.INFO,
                "{client_ip} used the support tool of {vendor} at {server_ip} port {server_port}",
                outcome=outcome(flows, rows),
                statements=("support-tool",),
                remediation="Open the rule for the support tool only while support was asked for.",
            )
