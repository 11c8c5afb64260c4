"""Find answers to nothing: packets from a vendor's server that no session of the client explains.

What it finds
    TCP packets from a vendor's server to a client, without a packet of the client in that session, none in an earlier
    session between the same ports, and nothing that says that the server opened it. They begin more than
    `midstream_grace` (300 s, site threshold) after the capture's start.
Why it matters
    A filter that remembers connections drops such packets. Seeing them inside means that the filter lets in whatever
    looks like an answer, or that somebody forges the vendor's addresses.
What you see
    unsolicited-return  medium  204.164.111.9:16384 → 10.0.0.5:1044/tcp  3 packets, first at frame 907
    `inferred` where the capture lost packets: the client's may be among them.
Stays silent
    Early in the capture, and after a pause between two captures: the session may have begun before. Captures that show
    one direction only. Stragglers of a session that the client opened earlier. Servers whose packets go on after their
    SYN-ACK: the client answered where the capture did not see it (asymmetric-path).
Rests on
    statement `packet-filter-return`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._select import REORDERING_NS, client_inside, early, ends, first_of, group, went_on
from auditor.checks.base import Check, Context, Hits, Outcome, Severity
from auditor.flow import TCP, Flows, Role, Rows


class UnsolicitedReturn(Check):
    id = "unsolicited-return"
    title = "Answer that no client asked for"
    since = "0.1"
    statements = frozenset({"packet-filter-return"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        if context.health.one_sided:
            return
        rows = _unexplained(flows, context)
        rows = rows[~early(flows, rows, context)]
        if len(rows):
            yield Hits(
                rows,
                Severity.MEDIUM,
                "{server_ip} port {server_port} sent packets to {client_ip} that no session of the client explains",
                certain=context.health.complete,
                outcome=Outcome.OBSERVED,
                statements=("packet-filter-return",),
                remediation="Let the firewall admit answers by remembered connections, not by ports alone.",
            )

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Answers whose question may have come before the capture, or was on the side that it does not show."""
        rows = _unexplained(flows, context)
        return rows if context.health.one_sided else rows[early(flows, rows, context)]


def _unexplained(flows: Flows, context: Context) -> Rows:
    """Flows of servers alone, without an earlier session of the client between the same ports."""
    alone = (flows.role == Role.RETURN) & (flows.protocol == TCP)
    if not alone.any():
        return np.empty(0, np.intp)
    rows = np.flatnonzero((flows.vendor != 0) & (flows.protocol == TCP))
    end = ends(flows, rows)
    alone = alone[rows] & ~went_on(end) & client_inside(end, context)
    session = group(end.client_hi, end.client_lo, end.client_port, end.server_hi, end.server_lo, end.server_port)
    asked = end.client_packets > 0
    starts = flows.start_ns[rows]
    opened = first_of(session[asked], starts[asked], len(rows))
    unexplained: Rows = rows[alone & (opened[session] > starts + REORDERING_NS)]
    return unexplained
