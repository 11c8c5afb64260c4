"""Find sessions that the firewall changes on their way.

What it finds
    TCP sessions with a vendor, captured inside and outside of the firewall (`--inside`, `--outside`), of which the
    server's address, its port or the payload differ between both.
Why it matters
    A vendor's service has to pass the firewall as it is. A firewall that sends it to another server or port, or
    rewrites what is in it, breaks the session or reads it.
What you see
    not-transparent  medium  10.0.0.5 → 198.51.100.9:4401/tcp  open, 1 flow, first at frame 12
    The message names what differs, and both values. Flows are tied by Community ID, initial sequence numbers, digests
    of the first 256 payload bytes each way, or time; `inferred` where neither of the first two does.
Stays silent
    A translated client address or port, and changed sequence numbers: that is what firewalls do. One vantage. Payload
    of which a packet is missing on one side, or whose beginning was not captured. Flows without a counterpart.
Rests on
    statement `transparency`
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from auditor.checks._select import answered, group
from auditor.checks.base import Check, Context, Hits, Severity
from auditor.flow import TCP, Bools, Direction, Flows, RoleBasis, Rows
from auditor.formats import address_text

if TYPE_CHECKING:
    from auditor.vantages import Vantages

ADDRESS, PORT, PAYLOAD = 1, 2, 4  # bits: what differs


class NotTransparent(Check):
    id = "not-transparent"
    title = "Session that the firewall changes"
    since = "0.1"
    statements = frozenset({"transparency"})
    placeless = True

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        vantages = context.vantages
        if vantages is None:
            return
        from auditor.crossing import DIFFERS, Tie
        from auditor.vantages import crossing_ends

        rows, there = vantages.paired(_sessions(flows))
        if not len(rows):
            return
        ends = crossing_ends(flows, vantages, rows, there)
        inside, outside = ends.inside.server, ends.outside.server
        differs = np.where((inside[0] != outside[0]) | (inside[1] != outside[1]), ADDRESS, 0)
        differs |= np.where(inside[2] != outside[2], PORT, 0)
        differs |= np.where(vantages.payload[rows] == DIFFERS, PAYLOAD, 0)
        changed = np.flatnonzero(differs)
        if not len(changed):
            return
        # what a message names has to be the same for all rows of its hits
        numbers = group(differs[changed], *(column[changed] for column in (*inside, *outside)))
        for number in range(int(numbers.max()) + 1):
            part = changed[numbers == number]
            one = int(part[0])
            near, far = (
                (address_text(int(side[0][one]), int(side[1][one])), int(side[2][one])) for side in (inside, outside)
            )
            yield Hits(
                rows[part],
                Severity.MEDIUM,
                "the firewall changes sessions of {client_ip} with {server_ip} port {service_port}: {differences}",
                certain=np.isin(vantages.tie[rows[part]], (Tie.COMMUNITY_ID, Tie.SEQUENCE)),
                statements=("transparency",),
                remediation="Let the firewall pass this service as it is, without redirection, proxy or inspection.",
                extra={"differences": "; ".join(_words(int(differs[one]), near, far))},
            )

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Sessions that the outside does not show, or of which the payload cannot be compared."""
        if context.vantages is None:
            return np.empty(0, np.intp)
        rows = _answered(flows, context.vantages)
        return rows[~_comparable(rows, context.vantages)]

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Answered sessions whose payload was captured on both sides of the firewall."""
        if context.vantages is None:
            return np.empty(0, np.intp)
        rows = _answered(flows, context.vantages)
        return rows[_comparable(rows, context.vantages)]


def _sessions(flows: Flows) -> Rows:
    """TCP with a vendor, either end of which opened it. What goes through a proxy goes elsewhere on its way."""
    crossing = (flows.vendor != 0) & (flows.protocol == TCP) & (flows.direction != Direction.NEITHER)
    return np.flatnonzero(crossing & (flows.role_basis != RoleBasis.PROXY))


def _answered(flows: Flows, vantages: Vantages) -> Rows:
    rows = _sessions(flows)
    return rows[answered(flows, rows) & ~vantages.only_outside[rows]]


def _comparable(rows: Rows, vantages: Vantages) -> Bools:
    from auditor.crossing import UNKNOWN

    compared: Bools = (vantages.counterpart[rows] >= 0) & (vantages.payload[rows] != UNKNOWN)
    return compared


def _words(differs: int, near: tuple[str, int], far: tuple[str, int]) -> Iterable[str]:
    if differs & ADDRESS:
        yield f"the server is {near[0]} inside and {far[0]} outside"
    if differs & PORT:
        yield f"the server's port is {near[1]} inside and {far[1]} outside"
    if differs & PAYLOAD:
        yield "the payload differs"
