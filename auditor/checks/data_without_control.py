"""Find data connections without a control session.

What it finds
    A data connection to a negotiated port, answered, at whose start no control session of that client with the vendor
    was open.
Why it matters
    The vendor says that the control connection assigns each data port and lasts for the whole backup. A data connection
    without one is not that backup: something else uses the wide range of ports that the rule leaves open.
What you see
    data-without-control  medium  10.0.0.5 → 66.241.7.9:23456/tcp  1 flow, first at frame 730
Stays silent
    Data connections within `midstream_grace` (300 s, site threshold) of the capture's start, or without a captured
    start: the control session may have come before. The coverage says `inconclusive` then. Attempts that nothing
    answered. Packs whose data goes over the same port as the commands.
Rests on
    statement `data-ports`
"""

from __future__ import annotations

from collections.abc import Iterable

from auditor.checks._control import data_connections
from auditor.checks._select import early
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.flow import Bools, Flows, Rows


class DataWithoutControl(Check):
    id = "data-without-control"
    title = "Data connection without a control session"
    since = "0.1"
    statements = frozenset({"data-ports"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        rows, unsure = _alone(flows, context)
        rows = rows[~unsure]
        if len(rows):
            yield Hits(
                rows,
                Severity.MEDIUM,
                "{client_ip} opened a data connection to {server_ip} port {server_port} with no control session open",
                certain=context.health.complete and not context.health.one_sided,
                statements=("data-ports",),
                remediation="Find the program behind it; the vendor's client opens a control session first.",
            )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Data connections whose start was captured."""
        data = data_connections(flows, context)
        return data.rows[data.has_start]

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Data connections whose control session may have come before the capture."""
        rows, unsure = _alone(flows, context)
        return rows[unsure]


def _alone(flows: Flows, context: Context) -> tuple[Rows, Bools]:
    """Data connections without control session, and which of them began too early to tell."""
    data = data_connections(flows, context)
    rows = data.rows[~data.alive]
    return rows, early(flows, rows, context) | ~data.has_start[~data.alive]
