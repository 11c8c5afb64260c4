"""Find vendor sessions that begin outside the site's backup windows.

What it finds
    Answered sessions with a vendor (control, data, registration) that the client opened at a time in none of the site's
    `windows`.
Why it matters
    Backups run on a schedule. A session at another time is a backup that somebody started by hand, a restore, a clock
    or a schedule that is wrong, or something else that uses the opening in the firewall.
What you see
    outside-backup-window  low  10.0.0.5 → 204.164.111.9:16384/tcp  1 flow, first seen 14:05
Stays silent
    Sites that declare no windows. Sessions that begin in a window and last beyond it, with all data connections of a
    control session that was open already. Attempts that nothing answered. Sessions whose start was not captured.
    Support and monitoring, which people start when they need them.
Rests on
    statement `push`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._control import data_connections
from auditor.checks._select import answered, ends, tcp_sessions
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.distinct import without
from auditor.flow import Flows, Role, Rows

SCHEDULED = (Role.CONTROL, Role.DATA, Role.REGISTRATION)


class OutsideBackupWindow(Check):
    id = "outside-backup-window"
    title = "Session outside the backup windows"
    since = "0.1"
    statements = frozenset({"push"})
    site_key = "windows"
    placeless = True

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        from auditor.windows import contains

        rows = self.exercised(flows, context)
        if not len(rows):
            return
        rows = rows[~contains(context.site.windows, flows.start_ns[rows])]
        if len(rows):
            yield Hits(
                rows,
                Severity.LOW,
                "{client_ip} opened a session with {server_ip} port {server_port} ({vendor}) outside every window",
                statements=("push",),
                remediation="Check the schedule and the clock of the client; widen the window if the time is right.",
            )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Sessions that a window is asked of; none where the site declares no windows."""
        rows = _sessions(flows, context)
        return rows[ends(flows, rows).known_opener]

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Sessions whose start was not captured."""
        rows = _sessions(flows, context)
        return rows[~ends(flows, rows).known_opener]


def _sessions(flows: Flows, context: Context) -> Rows:
    """Answered sessions, each once: the data connections of a control session begin with that."""
    if not context.site.windows:
        return np.empty(0, np.intp)
    rows = np.flatnonzero(tcp_sessions(flows) & np.isin(flows.role, SCHEDULED))
    data = data_connections(flows, context)
    return without(rows[answered(flows, rows)], data.rows[data.alive])
