"""Find FTP control sessions that go on in clear.

What it finds
    An FTP control session of a vendor who publishes an encrypted one: a login, an address or a transfer was read in
    it, and neither had the server agreed to AUTH TLS or AUTH SSL (RFC 4217), nor did the session begin with TLS.
Why it matters
    Names of files, the login and the ports of the data connections can be read on the way, and changed: whoever does
    so sends the backup elsewhere.
What you see
    control-not-secured  high  10.0.0.5 → 66.241.7.9:21/tcp  1 flow, read in frame 9
    `inferred` where the session began before the capture, or where only the port speaks of the vendor.
Stays silent
    Sessions that end after a greeting or a refused AUTH. Sessions that return to clear text after the login (CCC): that
    is part of RFC 4217. Vendors who publish no encrypted control. FTP of no vendor.
Rests on
    statement `encrypted`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._said import (
    by_way,
    control_sessions,
    first_told,
    in_vendors_flows,
    publishes_control,
    reading,
    secured,
)
from auditor.checks._select import ends, vendor_table
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.flow import Flows, Role, Rows
from auditor.negotiation import Reading

# What a client does in a session, or is told there; a greeting or a refusal alone is no session.
IN_CLEAR = ("ftp-user", "ftp-pass", "ftp-login", "ftp-passive", "ftp-active", "ftp-transfer")


class ControlNotSecured(Check):
    id = "control-not-secured"
    title = "FTP control session in clear"
    since = "0.1"
    statements = frozenset({"encrypted"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        events, rows = first_told(*in_vendors_flows(flows, context, *IN_CLEAR))
        if not len(rows):
            return
        chosen = vendor_table(context, publishes_control)[flows.vendor[rows]] & ~secured(flows, context)[rows]
        events, rows = events[chosen], rows[chosen]
        for here, targets in by_way(flows, rows, context) if len(rows) else ():
            yield Hits(
                rows[here],
                Severity.HIGH,
                "{client_ip} talked FTP to {server_ip} port {server_port} in clear, without TLS",
                certain=ends(flows, rows[here]).known_opener & (flows.role[rows[here]] != Role.UNPUBLISHED),
                statements=("encrypted",),
                remediation="Turn on TLS in the backup software, and let the server refuse logins without it.",
                targets=targets,
                told_by=events[here],
            )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Control sessions that were seen from their start and turned out to be encrypted, or in clear."""
        rows = control_sessions(flows, context)
        known = np.isin(reading(flows, context)[rows], (Reading.WHOLE, Reading.SECURED))
        return rows[known & ends(flows, rows).known_opener]

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Control sessions of which too little was read to tell."""
        rows = control_sessions(flows, context)
        unread = np.isin(reading(flows, context)[rows], (Reading.PART, Reading.NONE))
        _, spoken = in_vendors_flows(flows, context, *IN_CLEAR)
        return rows[unread & ~secured(flows, context)[rows] & ~np.isin(rows, spoken)]
