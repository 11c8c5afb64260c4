"""Find data that still flows after its control session closed.

What it finds
    A data connection with packets that carry payload more than `control_close_grace` (60 s, site threshold) after the
    control session closed: the one that announced it, where that can be read; else all those of that client which were
    open when the data connection was opened.
Why it matters
    The vendor says that the control connection lasts for the whole backup and that both are closed at its end. Data
    that goes on belongs to a session that nobody steers any more; often a firewall dropped the idle control connection.
What you see
    data-outlives-control  low  10.0.0.5 → 66.241.7.9:23456/tcp  1 flow, first at frame 611
    `inferred` where time alone ties the connection to the control session.
Stays silent
    Data connections opened after the close (data-without-control). Control sessions that were not seen to close.
Rests on
    statement `control-spans-data`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._control import AFTER, data_connections
from auditor.checks._select import seconds
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.flow import Flows, Rows


class DataOutlivesControl(Check):
    id = "data-outlives-control"
    title = "Data after the end of the control session"
    since = "0.1"
    statements = frozenset({"control-spans-data"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        data = data_connections(flows, context)
        rows, closed = data.rows[data.alive], data.closed_ns[data.alive]
        # Packets until then may still have been on their way, or in the server's buffers.
        grace = seconds(context.site.thresholds.control_close_grace)
        latest = np.minimum(closed, AFTER - grace) + grace
        late = flows.last_data_ns[rows] > latest
        rows, exact = rows[late], data.exact[data.alive][late]
        if len(rows):
            yield Hits(
                rows,
                Severity.LOW,
                "data between {client_ip} and {server_ip} port {server_port} went on after the control session closed",
                certain=exact & context.health.complete,
                statements=("control-spans-data",),
                remediation="Raise the firewall's idle timeout for the control port above the longest transfer.",
            )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Data connections whose control session was seen to close."""
        data = data_connections(flows, context)
        return data.rows[data.alive & (data.closed_ns < AFTER)]
