"""Find credentials that anybody on the way can read.

What it finds
    On a vendor's flow, or on the way to its proxy: the password of an FTP login (USER, PASS), user name and password
    for a SOCKS proxy (RFC 1929), credentials for an HTTP proxy in Basic form (RFC 7617). Neither is kept or shown.
Why it matters
    Whoever reads them can fetch or delete the backups, or use the proxy. What went over the wire in clear has to be
    changed, not only protected from now on.
What you see
    cleartext-credentials  critical  10.0.0.5 → 66.241.7.9:21/tcp  1 flow, read in frame 12
    `inferred` where only the user name was read, or where only the port speaks of the vendor.
Stays silent
    Control sessions that are encrypted before the login. A user name that the client gave before it turned encryption
    on, without the password. Digest and other forms that hold no password. FTP and proxies of no vendor.
Rests on
    statement `encrypted`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._said import (
    by_way,
    control_sessions,
    flags,
    in_vendors_flows,
    marked,
    reading,
    secured,
    statements_of,
    told,
)
from auditor.checks._select import ends
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.flow import Bools, Flows, Role, Rows
from auditor.negotiation import Reading

LOGIN = "{client_ip} sent its FTP password to {server_ip} port {server_port} in clear"
NAME = "{client_ip} logged in to {server_ip} port {server_port} by FTP in clear; its user name can be read"
SOCKS = "{client_ip} sent user name and password for the SOCKS proxy {via} in clear"
BASIC = "{client_ip} sent its credentials for the HTTP proxy {via} in clear (Basic)"


class CleartextCredentials(Check):
    id = "cleartext-credentials"
    title = "Credentials in clear"
    since = "0.1"
    statements = frozenset({"encrypted"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        passwords, with_password = in_vendors_flows(flows, context, "ftp-pass")
        yield from self._hits(flows, context, passwords, with_password, LOGIN)
        users, with_user = in_vendors_flows(flows, context, "ftp-user")
        # A client that goes on with TLS after its name gave nothing away that opens anything.
        alone = ~np.isin(with_user, with_password) & ~secured(flows, context)[with_user]
        logins, logged_in = told(flows, context, "ftp-login")
        entered = marked(len(flows), logged_in[flags(context, logins, 1)])
        yield from self._hits(flows, context, users[alone], with_user[alone], NAME, entered)
        yield from self._hits(flows, context, *in_vendors_flows(flows, context, "socks-credentials"), SOCKS)
        events, rows = in_vendors_flows(flows, context, "proxy-authorization")
        basic = flags(context, events, 1)
        yield from self._hits(flows, context, events[basic], rows[basic], BASIC)

    def _hits(
        self, flows: Flows, context: Context, events: Rows, rows: Rows, message: str, sure: Bools | None = None
    ) -> Iterable[Hits]:
        """Hits for the events; `sure` is a table over the flows."""
        said = statements_of(context, self.id, *self.statements)[flows.vendor[rows]] if len(rows) else np.zeros(0, bool)
        for concerned in (said, ~said):
            chosen, numbers = rows[concerned], events[concerned]
            for here, targets in by_way(flows, chosen, context) if len(chosen) else ():
                certain = flows.role[chosen[here]] != Role.UNPUBLISHED
                yield Hits(
                    chosen[here],
                    Severity.CRITICAL,
                    message,
                    certain=certain if sure is None else certain & sure[chosen[here]],
                    statements=tuple(self.statements) if concerned is said else (),
                    remediation="Change the password; turn on TLS, or a way to log in that shows nothing.",
                    targets=targets,
                    told_by=numbers[here],
                )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Control sessions that were read, or are encrypted, from their start."""
        rows = control_sessions(flows, context)
        known = np.isin(reading(flows, context)[rows], (Reading.WHOLE, Reading.SECURED))
        return rows[known & ends(flows, rows).known_opener]

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Control sessions that were not read wholly."""
        rows = control_sessions(flows, context)
        return rows[np.isin(reading(flows, context)[rows], (Reading.PART, Reading.NONE))]
