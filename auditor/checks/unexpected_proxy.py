"""Find vendor traffic through a proxy that the site does not list.

What it finds
    A SOCKS or CONNECT request for a vendor's server, or for a signature port elsewhere, at a proxy that is not among
    the `proxies` of the site.
Why it matters
    A proxy sees whatever is not encrypted, and lets out whom it likes. One that nobody listed is somebody's way around
    the firewall's rules, or was forgotten there.
What you see
    unexpected-proxy  medium  10.0.0.5 → 204.164.111.9:16384/tcp via 10.0.0.66  1 flow, asked in frame 6
    server_ip is the target, service_port the proxy's port. The outcome is the proxy's answer.
Stays silent
    Sites without `proxies`. Listed proxies, and mapped ports of the site.
Rests on
    statements `socks`, `mapped-proxy`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._said import targets_of, through_proxy
from auditor.checks._select import answered
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.checks.proxy_target_outside_published import granted
from auditor.flow import Flows, Rows
from auditor.proxies import Way


class UnexpectedProxy(Check):
    id = "unexpected-proxy"
    title = "Vendor traffic through a proxy that is not listed"
    since = "0.1"
    statements = frozenset({"socks", "mapped-proxy"})
    site_key = "proxies"
    apart = frozenset({"mapped-proxy"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        if not context.site.proxies:
            return
        for way, statement in ((Way.SOCKS, "socks"), (Way.HTTP, "mapped-proxy")):
            rows = np.flatnonzero(through_proxy(flows, context, way) & (flows.vendor != 0))
            rows = rows[~context.proxied.listed[rows]] if len(rows) else rows
            if len(rows):
                yield Hits(
                    rows,
                    Severity.MEDIUM,
                    "{client_ip} reaches {server_ip} port {server_port} through {via}, no proxy of the site",
                    outcome=granted(context, rows),
                    statements=(statement,),
                    remediation="List the proxy in the site, or point the client to a listed one.",
                    targets=targets_of(rows, context),
                    told_by=context.proxied.event[rows],
                )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Vendor traffic through proxies."""
        return np.flatnonzero(through_proxy(flows, context, Way.SOCKS, Way.HTTP) & (flows.vendor != 0))

    def exercised_for(self, statement: str, flows: Flows, context: Context) -> Rows:
        """Answered vendor traffic through mapped ports."""
        rows = np.flatnonzero(through_proxy(flows, context, Way.MAPPED) & (flows.vendor != 0))
        return rows[answered(flows, rows)]
