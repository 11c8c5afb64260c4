"""Tell of data that came back from a vendor: a restore.

What it finds
    Data flows with more payload from server to client than the other way, and with at least `restore_bytes` (16 KiB,
    site threshold: smaller answers are listings and replies).
Why it matters
    Backups push. Data that comes back means that somebody restores files, which the owner of the data should know of: a
    restore to the wrong host is a way to copy everything out of the backup.
What you see
    restore-observed  info  10.0.0.5 → 66.241.7.9:23456/tcp  4 flows, first at frame 1003
Stays silent
    Data flows that push, and control sessions, however talkative the server.
Rests on
    statement `push`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._select import ends
from auditor.checks.base import Check, Context, Hits, Outcome, Severity
from auditor.flow import TCP, Direction, Flows, Role


class RestoreObserved(Check):
    id = "restore-observed"
    title = "Data came back from the vendor"
    since = "0.1"
    statements = frozenset({"push"})
    placeless = True
    observes = True

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        data = (flows.role == Role.DATA) & (flows.protocol == TCP) & (flows.direction != Direction.INBOUND)
        rows = np.flatnonzero(data)
        end = ends(flows, rows)
        enough = end.server_payload >= np.uint64(context.site.thresholds.restore_bytes)
        rows = rows[enough & (end.server_payload > end.client_payload)]
        if len(rows):
            yield Hits(
                rows,
                Severity.INFO,
                "{client_ip} fetched data from {server_ip} port {server_port} ({vendor})",
                outcome=Outcome.OPEN,
                statements=("push",),
                remediation="Confirm with the owner of the data that a restore was asked for.",
            )
