"""Find vendor traffic around a proxy that the site requires.

What it finds
    TCP sessions with a vendor, or attempts at them, that go straight to its servers though the site says of one of its
    proxies that vendor traffic may take no other way (`required: true`).
Why it matters
    The proxy's rules and logs hold only for what goes through it. A client that finds another way out proves that the
    firewall has one, and sooner or later something else will use it.
What you see
    proxy-bypassed  medium  10.0.0.5 → 204.164.111.9:16384/tcp  open, 1 flow, first at frame 7
    `inferred` where the session began before the capture.
Stays silent
    Sites that require no proxy. What the proxies themselves send on. Mapped ports of the site. Outside of the firewall
    its translated addresses: the proxy may be behind them. Port scans of addresses outside the vendors' networks.
Rests on
    no statement: the site asks for it
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._said import through_proxy
from auditor.checks._select import answered, at_vendor, ends, outcome, scanned, tcp_sessions, through_many
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.flow import Flows, Rows


class ProxyBypassed(Check):
    id = "proxy-bypassed"
    title = "Vendor traffic around the proxy"
    since = "0.1"
    statements = frozenset()
    site_key = "proxies"
    placeless = True

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        rows = _direct(flows, context)
        end = ends(flows, rows)
        at_home, known = at_vendor(end, context), end.known_opener
        elsewhere = ~scanned(flows, rows, context) & (known | answered(flows, rows))
        chosen = ~through_many(end, context) & (at_home | elsewhere)
        rows = rows[chosen]
        if len(rows):
            yield Hits(
                rows,
                Severity.MEDIUM,
                "{client_ip} reaches {server_ip} port {server_port} ({vendor}) around the proxy that the site requires",
                certain=known[chosen],
                outcome=outcome(flows, rows),
                remediation="Block the vendor's networks for all but the proxy, and set the proxy in the client.",
            )


def _direct(flows: Flows, context: Context) -> Rows:
    """TCP sessions with a vendor through no proxy, where the site requires one."""
    if not any(proxy.required for proxy in context.site.proxies):
        return np.empty(0, np.intp)
    return np.flatnonzero(tcp_sessions(flows) & ~through_proxy(flows, context))
