"""Find clients that are answered by more of a vendor's servers than they are assigned.

What it finds
    A client that more servers of one pack answered than the registration pair and one assigned pair have. The finding
    names the servers beyond, in the order in which they first answered.
Why it matters
    The vendor assigns each client one pair of servers at registration. A client that goes through many of them is not
    what the document describes: several agents behind one address, a new assignment, or a search for open servers.
What you see
    server-set-exceeded  low  10.0.0.5 → 204.164.111.40:16384/tcp  1 flow, first at frame 2210
    With `registration_servers` in the site two further servers are expected, without them four in all.
Stays silent
    Packs that speak of no registration. Attempts that nothing answered. Proxies of the site, and outside of the
    firewall its translated addresses: they stand for several clients.
Rests on
    statement `registration`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._select import answered, at_vendor, ends, group, tcp_sessions, through_many, vendor_table
from auditor.checks.base import PUBLISHED_ROLES, Check, Context, Hits, Severity, answered_sessions
from auditor.flow import Flows, Role, Rows

# A primary and an alternate, at registration and for all later use (statement `registration`).
REGISTRATION_PAIR = 2
ASSIGNED_PAIR = 2


class ServerSetExceeded(Check):
    id = "server-set-exceeded"
    title = "More servers than one client is assigned"
    since = "0.1"
    statements = frozenset({"registration"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        rows = _assigned(flows, context)
        end = ends(flows, rows)
        rows = rows[~through_many(end, context)]
        rows = rows[_beyond(flows, rows, context)]
        if len(rows):
            yield Hits(
                rows,
                Severity.LOW,
                "more servers of {vendor} answer {client_ip} than one client is assigned; {server_ip} is beyond them",
                statements=("registration",),
                remediation="Find out whether the client was assigned new servers, or agents share its address.",
            )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Answered sessions of packs that speak of registration, of clients that are one host."""
        assigns = vendor_table(context, lambda enabled: enabled.pack.statement("registration") is not None)
        rows = np.flatnonzero(answered_sessions(flows, context) & assigns[flows.vendor])
        return rows[~through_many(ends(flows, rows), context)]

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Sessions behind a translated address or a proxy."""
        rows = _assigned(flows, context)
        return rows[through_many(ends(flows, rows), context)]


def _assigned(flows: Flows, context: Context) -> Rows:
    """Answered sessions with servers in the networks of packs that assign them."""
    assigns = vendor_table(context, lambda enabled: enabled.pack.statement("registration") is not None)
    rows = np.flatnonzero(tcp_sessions(flows) & assigns[flows.vendor] & np.isin(flows.role, PUBLISHED_ROLES))
    rows = rows[answered(flows, rows)]
    return rows[at_vendor(ends(flows, rows), context)]


def _beyond(flows: Flows, rows: Rows, context: Context) -> Rows:
    """Places in `rows` of the flows with servers beyond the limit of their client."""
    listed = vendor_table(context, lambda enabled: bool(enabled.registration_servers))[flows.vendor[rows]]
    counted = np.flatnonzero(~listed | (flows.role[rows] != Role.REGISTRATION))
    counted = counted[np.argsort(flows.start_ns[rows[counted]], kind="stable")]
    end = ends(flows, rows[counted])
    client = group(flows.vendor[rows[counted]], end.client_hi, end.client_lo)
    server = group(client, end.server_hi, end.server_lo)
    _, first, pair = np.unique(server, return_index=True, return_inverse=True)
    # Rank of each server among those of its client, in the order of first answers.
    order = np.lexsort((first, client[first]))
    owners = client[first][order]
    begins = np.searchsorted(owners, owners, side="left")
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order)) - begins
    limit = np.where(listed[counted], ASSIGNED_PAIR, REGISTRATION_PAIR + ASSIGNED_PAIR)
    return np.sort(counted[rank[pair] >= limit])
