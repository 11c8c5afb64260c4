"""Find data connections that no control session announced.

What it finds
    An answered data connection to a server and port that none of the client's control sessions had announced to it (227
    or 229, RFC 959 and RFC 2428), though all that were open at its start were read from their beginning. An address in
    227 that is private, or cannot be routed, means the control session's own server.
Why it matters
    The rule for passive FTP leaves tens of thousands of ports open. A connection that the control session did not
    assign is not the backup's: some other program goes out through that rule.
What you see
    data-port-not-negotiated  high  10.0.0.5 → 66.241.7.9:23456/tcp  1 flow, first at frame 88
    `inferred` where the capture lost packets.
Stays silent
    Control sessions under TLS: their announcements cannot be read. Sessions of which something is missing; the coverage
    says `inconclusive` then. Connections without any control session (data-without-control).
Rests on
    statement `data-ports`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._control import data_connections
from auditor.checks._said import reading
from auditor.checks._select import ends, group
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.flow import Bools, Flows, Rows
from auditor.negotiation import Reading


class DataPortNotNegotiated(Check):
    id = "data-port-not-negotiated"
    title = "Data connection that no control session announced"
    since = "0.1"
    statements = frozenset({"data-ports"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        rows, announced, exact = _judged(flows, context)
        rows = rows[exact & ~announced]
        if len(rows):
            yield Hits(
                rows,
                Severity.HIGH,
                "no control session announced {server_ip} port {server_port} to {client_ip}",
                certain=context.health.complete,
                statements=("data-ports",),
                remediation="Find the program behind it; let the firewall follow the control session if it can.",
            )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Data connections that were announced, or should have been."""
        rows, announced, exact = _judged(flows, context)
        return rows[announced | exact]

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Data connections whose control session was not encrypted, and yet not read wholly."""
        rows, announced, exact = _judged(flows, context)
        return rows[~announced & ~exact & ~_encrypted(flows, context, rows)]


def _judged(flows: Flows, context: Context) -> tuple[Rows, Bools, Bools]:
    """Data connections with a control session; whether one announced them; whether all were read from the beginning."""
    if not len(context.negotiation.control):
        none = np.empty(0, np.bool_)
        return np.empty(0, np.intp), none, none
    data = data_connections(flows, context)
    rows = data.rows[data.alive]
    return rows, context.negotiation.control[rows] >= 0, context.negotiation.exact[rows]


def _encrypted(flows: Flows, context: Context, rows: Rows) -> Bools:
    """Whose client had an encrypted control session with that vendor: announcements may be hidden in it."""
    controls = np.flatnonzero(reading(flows, context) == Reading.SECURED)
    ours, theirs = ends(flows, rows), ends(flows, controls)
    client = group(
        np.concatenate([ours.client_hi, theirs.client_hi]),
        np.concatenate([ours.client_lo, theirs.client_lo]),
        np.concatenate([flows.vendor[rows], flows.vendor[controls]]),
    )
    return np.isin(client[: len(rows)], client[len(rows) :])
