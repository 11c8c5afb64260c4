"""Find vendor traffic of hosts that are no backup hosts.

What it finds
    TCP sessions with a vendor, or attempts at them, that a host opened which is not among the site's backup hosts.
Why it matters
    Where the backup hosts are known, rules can name them. Another host that talks to the vendor is a forgotten
    installation, or somebody who copies data out by a way that the firewall leaves open.
What you see
    unauthorised-client  medium  10.0.0.77 → 204.164.111.9:16384/tcp  2 flows, first at frame 501
    `inferred` where the session began before the capture and only its port speaks of the vendor.
Stays silent
    Sites that list no backup hosts. Hosts that the outside opened a session to. Proxies of the site, and outside of the
    firewall its translated addresses: they stand for several hosts. Port scans of addresses outside the vendors'
    networks.
Rests on
    statement `single-host`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.addresses import contains
from auditor.checks._select import answered, at_vendor, ends, outcome, scanned, tcp_sessions, through_many
from auditor.checks.base import Check, Context, Hits, Severity, answered_sessions
from auditor.flow import Flows, Rows


class UnauthorisedClient(Check):
    id = "unauthorised-client"
    title = "Vendor traffic of a host that is no backup host"
    since = "0.1"
    statements = frozenset({"single-host"})
    site_key = "backup_hosts"
    placeless = True

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        rows = _of_others(flows, context)
        end = ends(flows, rows)
        at_home = at_vendor(end, context)
        known = end.known_opener
        elsewhere = ~scanned(flows, rows, context) & (known | answered(flows, rows))
        chosen = ~through_many(end, context) & (at_home | elsewhere)
        rows = rows[chosen]
        if len(rows):
            yield Hits(
                rows,
                Severity.MEDIUM,
                "{client_ip}, no backup host of the site, talks to {server_ip} port {server_port} ({vendor})",
                certain=(at_home | known)[chosen],
                outcome=outcome(flows, rows),
                statements=("single-host",),
                remediation="Limit the rule for the vendor to the backup hosts, or list this host among them.",
            )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Answered sessions, where the site lists its backup hosts and the capture shows them."""
        if not context.site.backup_hosts:
            return np.empty(0, np.intp)
        rows = np.flatnonzero(answered_sessions(flows, context))
        return rows[~through_many(ends(flows, rows), context)]

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Sessions behind a translated address or a proxy."""
        rows = _of_others(flows, context)
        return rows[through_many(ends(flows, rows), context)]


def _of_others(flows: Flows, context: Context) -> Rows:
    """TCP sessions of a vendor whose client is not listed; none where nobody is."""
    if not context.site.backup_hosts:
        return np.empty(0, np.intp)
    rows = np.flatnonzero(tcp_sessions(flows))
    end = ends(flows, rows)
    hosts = [host.address for host in context.site.backup_hosts]
    return rows[~contains(hosts, end.client_hi, end.client_lo)]
