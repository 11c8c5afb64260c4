"""Tell of name resolution that no backup needs.

What it finds
    DNS of a host that the site calls dedicated (port 53, over UDP or TCP, and 853 over TCP), though all vendors that it
    talks to say that their clients call servers by address. A host that talks to none: all enabled packs.
Why it matters
    A dedicated host that resolves names does something besides the backup, if only looking for updates. Its rules could
    do without DNS, by which data can be carried out as well.
What you see
    unneeded-name-resolution  info  10.0.0.5 → 10.0.0.53:53/udp  14 messages, first at frame 3
Stays silent
    Hosts that are not dedicated. Hosts that talk to a vendor whose clients need names, or ask for such a vendor's name.
    Answers to others, where the host is a resolver itself.
Rests on
    statement `no-dns`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.addresses import AddressRange, contains
from auditor.checks._said import told
from auditor.checks._select import ends, group
from auditor.checks.base import Check, Context, Hits, Outcome, Severity, answered_sessions
from auditor.distinct import distinct
from auditor.flow import TCP, UDP, Bools, Flows, Rows

DNS_PORT, DNS_OVER_TLS_PORT = 53, 853


class UnneededNameResolution(Check):
    id = "unneeded-name-resolution"
    title = "Name resolution that no backup needs"
    since = "0.1"
    statements = frozenset({"no-dns"})
    site_key = "backup_hosts"
    counts_messages = True

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        rows = _of_dedicated_hosts(flows, context)
        if not len(rows):
            return
        for vendor, chosen in _by_vendors(flows, context, rows):
            yield Hits(
                chosen,
                Severity.INFO,
                "{client_ip} asks {server_ip} for names, which no client of {vendor} needs",
                outcome=Outcome.OBSERVED,
                statements=("no-dns",),
                remediation="Take the name server out of the host's settings, or its DNS out of the rules.",
                vendor=vendor,
            )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Answered sessions of dedicated hosts."""
        rows = np.flatnonzero(answered_sessions(flows, context))
        end = ends(flows, rows)
        return rows[contains(_dedicated(context), end.client_hi, end.client_lo)] if _dedicated(context) else rows[:0]


def _dedicated(context: Context) -> list[AddressRange]:
    return [host.address for host in context.site.backup_hosts if host.dedicated]


def _of_dedicated_hosts(flows: Flows, context: Context) -> Rows:
    """DNS that dedicated hosts ask for: whoever else asks them is none of it."""
    hosts = _dedicated(context)
    if not hosts:
        return np.empty(0, np.intp)
    is_dns = (flows.responder_port == DNS_PORT) & np.isin(flows.protocol, (TCP, UDP))
    is_dns |= (flows.responder_port == DNS_OVER_TLS_PORT) & (flows.protocol == TCP)
    rows = np.flatnonzero(is_dns & (flows.vendor == 0) & (flows.packets_forward > 0))
    return rows[contains(hosts, flows.initiator_hi[rows], flows.initiator_lo[rows])]


def _by_vendors(flows: Flows, context: Context, rows: Rows) -> Iterable[tuple[str, Rows]]:
    """The rows whose hosts use no vendor that needs names, with the vendors that they use."""
    ours = np.flatnonzero(flows.vendor != 0)
    end = ends(flows, ours)
    client = group(
        np.concatenate([flows.initiator_hi[rows], end.client_hi]),
        np.concatenate([flows.initiator_lo[rows], end.client_lo]),
    )
    mine, theirs = client[: len(rows)], client[len(rows) :]
    asking = _asks_for_a_vendor(flows, context)[rows]
    every = "|".join(enabled.id for enabled in context.packs)
    needs = {enabled.id: enabled.pack.needs_dns for enabled in context.packs}
    for host in distinct(mine).tolist():
        used = distinct(flows.vendor[ours[theirs == host]]).tolist()
        names = sorted({one for code in used for one in context.labels.vendors[code].split("|")})
        here = mine == host
        vendor = "|".join(names) or every
        if not any(needs[name] for name in vendor.split("|")) and not asking[here].any():
            yield vendor, rows[here]


def _asks_for_a_vendor(flows: Flows, context: Context) -> Bools:
    """Which flows ask for the host name of a vendor whose clients need names."""
    wanted = {name.lower() for enabled in context.packs if enabled.pack.needs_dns for name in enabled.pack.hostnames}
    events, rows = told(flows, context, "dns-query", "dns-answer")
    found = np.zeros(len(flows), np.bool_)
    found[
        [row for event, row in zip(events.tolist(), rows.tolist(), strict=True) if context.events.text[event] in wanted]
    ] = True
    return found
