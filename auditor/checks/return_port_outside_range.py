"""Find sessions whose answers go to client ports outside the published return range.

What it finds
    TCP sessions with a vendor's server that the client opened and that were answered, from a client port outside of the
    ports to which the vendor says that answers have to be let in.
Why it matters
    A packet filter that remembers nothing needs a rule for the answers. Rules after the vendor's document admit ports
    1024 to 5000; systems of today choose client ports above 32768, and their answers are then dropped.
What you see
    return-port-outside-range  info  10.0.0.5:49152 → 204.164.111.9:16384/tcp  4 flows
    Severity: info; high where the site says `explicit_return_rules: true`.
Stays silent
    Packs without a return range. Attempts that nothing answered. Servers outside of the pack's networks.
Rests on
    statement `packet-filter-return`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.addresses import contains
from auditor.checks._select import answered, ends, one_pack, tcp_sessions, vendor_table
from auditor.checks.base import Check, Context, Hits, Severity, answered_sessions
from auditor.flow import Flows, Rows


class ReturnPortOutsideRange(Check):
    id = "return-port-outside-range"
    title = "Client port outside the published return range"
    since = "0.1"
    statements = frozenset({"packet-filter-return"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        strict = context.site.explicit_return_rules
        for enabled in context.packs:
            returns = enabled.pack.returns
            if returns is None:
                continue
            rows = np.flatnonzero(tcp_sessions(flows) & one_pack(context, enabled)[flows.vendor])
            rows = rows[answered(flows, rows)]
            end = ends(flows, rows)
            ports = returns.client_ports
            networks = tuple(item for ranges in enabled.networks.values() for item in ranges)
            beyond = (end.client_port < ports.first) | (end.client_port > ports.last)
            rows = rows[end.known_opener & beyond & contains(networks, end.server_hi, end.server_lo)]
            if len(rows):
                yield Hits(
                    rows,
                    Severity.HIGH if strict else Severity.INFO,
                    f"answers from {{server_ip}} go to client ports outside {ports}, the published return range",
                    statements=("packet-filter-return",),
                    remediation="Use a stateful firewall, or let established answers in to the ports that clients use.",
                )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Answered sessions of packs that publish a return range."""
        with_range = vendor_table(context, lambda enabled: enabled.pack.returns is not None)
        return np.flatnonzero(answered_sessions(flows, context) & with_range[flows.vendor])
