"""Find IP protocols other than TCP, UDP and ICMP between the inside and a vendor's network.

What it finds
    Flows of any further IP protocol (GRE, ESP, SCTP, IGMP and so on) with one end inside and the other in a network of
    an enabled pack.
Why it matters
    The vendors speak TCP alone. Another protocol to their networks is most often a tunnel, whose content nobody judges.
What you see
    other-protocol-use  medium  10.0.0.5 → 204.164.111.9 esp  1 flow, first at frame 3310
Stays silent
    Tunnels that the audit looks into (GRE, IP in IP and the like): what they carry is judged as if it came bare.
    Fragments: they belong to the protocol of their datagram.
Rests on
    statement `tcp-only`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.checks._select import outcome
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.flow import ICMP, ICMP6, TCP, UDP, Direction, Flows


class OtherProtocolUse(Check):
    id = "other-protocol-use"
    title = "Other IP protocol with a vendor's network"
    since = "0.1"
    statements = frozenset({"tcp-only"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        crossing = (flows.vendor != 0) & (flows.direction != Direction.NEITHER)
        rows = np.flatnonzero(crossing & ~np.isin(flows.protocol, (TCP, UDP, ICMP, ICMP6)))
        if len(rows):
            yield Hits(
                rows,
                Severity.MEDIUM,
                "IP protocol {protocol} between {client_ip} and {server_ip}, a network of {vendor}",
                outcome=outcome(flows, rows),
                statements=("tcp-only",),
                remediation="Block every protocol but TCP with the vendor's networks.",
            )
