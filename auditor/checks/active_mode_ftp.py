"""Find FTP in active mode, where the server opens the data connection.

What it finds
    A client that asks for it on a control session (PORT, EPRT, or a form of them that cannot be read), whether or not
    the server agreed; and TCP that a vendor's server opened from its port 20 (inbound-initiated as well).
Why it matters
    The vendor's client uses passive mode alone, so that the firewall need not let anything in. Active mode needs a hole
    for connections from outside, or a helper in the firewall that opens one whenever a packet asks for it.
What you see
    active-mode-ftp  high  10.0.0.5 → 66.241.7.9:21/tcp  1 flow, asked for in frame 31
    `inferred` where only the inside host's SYN-ACK tells that the server opened the connection, or where only the
    control port speaks of the vendor.
Stays silent
    Vendors who do not rule it out. Connections that began before the capture: either end may have opened them. FTP of
    no vendor.
Rests on
    statement `passive-only`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._said import by_way, flags, in_vendors_flows
from auditor.checks._select import answered, ends, has, outcome, vendor_table
from auditor.checks.base import Check, Context, Hits, Outcome, Severity, answered_sessions
from auditor.flow import TCP, Bools, Direction, Flows, Role, Rows, Seen
from auditor.rulepack import EnabledPack

DATA_PORT = 20  # from which servers open data connections in active mode (RFC 959, 3.2)
FORBIDDEN = "active-mode-ftp"
REMEDIATION = "Set the backup software to passive mode, and turn the firewall's FTP helper off."


class ActiveModeFtp(Check):
    id = "active-mode-ftp"
    title = "FTP in active mode"
    since = "0.1"
    statements = frozenset({"passive-only"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        ruled_out = vendor_table(context, _forbids)
        yield from self._asked_for(flows, context, ruled_out)
        rows = _from_data_port(flows, ruled_out)
        end = ends(flows, rows)
        opened = end.known_opener & ~has(end.client_seen, Seen.SYN) & (flows.direction[rows] == Direction.INBOUND)
        rows = rows[opened]
        if len(rows):
            yield Hits(
                rows,
                Severity.HIGH,
                "{vendor}'s server {server_ip} opened TCP from its FTP data port to {client_ip} port {service_port}",
                certain=has(end.server_seen, Seen.SYN)[opened],
                outcome=outcome(flows, rows),
                statements=("passive-only",),
                remediation=REMEDIATION,
            )

    def _asked_for(self, flows: Flows, context: Context, ruled_out: Bools) -> Iterable[Hits]:
        events, rows = in_vendors_flows(flows, context, "ftp-active", "ftp-unreadable-endpoint")
        if not len(rows):
            return
        passive = np.isin(events, context.events.of("ftp-unreadable-endpoint"))
        passive &= context.events.number[events] != 0  # a reply's code: the server's announcement in passive mode
        chosen = ruled_out[flows.vendor[rows]] & ~passive
        events, rows = events[chosen], rows[chosen]
        for here, targets in by_way(flows, rows, context) if len(rows) else ():
            yield Hits(
                rows[here],
                Severity.HIGH,
                "{client_ip} asked {server_ip} port {server_port} for FTP in active mode",
                certain=flows.role[rows[here]] != Role.UNPUBLISHED,
                outcome=np.where(flags(context, events[here], 1), Outcome.OPEN, Outcome.ATTEMPT).astype(np.uint8),
                statements=("passive-only",),
                remediation=REMEDIATION,
                targets=targets,
                told_by=events[here],
            )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Data connections that a client opened."""
        data = np.flatnonzero(answered_sessions(flows, context) & (flows.role == Role.DATA))
        return data[vendor_table(context, _forbids)[flows.vendor[data]]]

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Connections with a server's port 20 that began before the capture."""
        rows = _from_data_port(flows, vendor_table(context, _forbids))
        return rows[~ends(flows, rows).known_opener & answered(flows, rows)]


def _forbids(enabled: EnabledPack) -> bool:
    return FORBIDDEN in enabled.pack.forbids


def _from_data_port(flows: Flows, ruled_out: Bools) -> Rows:
    """TCP flows with port 20 of a vendor's server."""
    rows = np.flatnonzero(ruled_out[flows.vendor] & (flows.protocol == TCP))
    there: Rows = rows[ends(flows, rows).server_port == DATA_PORT]
    return there
