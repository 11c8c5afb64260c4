"""Find attempts to reach a vendor's service that nothing answers.

What it finds
    TCP attempts of a client to a published service, which neither the server nor anything in its name answers. They are
    judged for each client and each published network: a vendor may have several, and a client must reach every one.
Why it matters
    The backup does not run, or has lost its alternate servers without anybody noticing. Most often a firewall rule is
    missing, or names one of the vendor's networks only.
What you see
    required-access-blocked  high  10.0.0.5 → 140.239.229.9:16384/tcp  attempt, 12 flows, first at frame 3
    Severity: high where none of the client's sessions with that network got through, low otherwise.
Stays silent
    Refused attempts (RST, or an ICMP error of the server itself). Sessions that the client goes on with
    (asymmetric-path). Captures that show one direction only. An attempt made once, less than `answer_wait` (1 s, site
    threshold; the first retransmission timeout of RFC 6298) before the capture ends. Port scans. Servers outside every
    published network.
Rests on
    statements `networks`, `packet-filter-out`, `high-availability`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.addresses import contains
from auditor.checks._select import (
    Ends,
    answered,
    captured_after,
    ends,
    group,
    has,
    one_pack,
    quote_senders,
    scanned,
    seconds,
)
from auditor.checks.base import Check, Context, Hits, Outcome, Severity
from auditor.flow import ICMP, ICMP6, TCP, Bools, Direction, Flows, Role, Rows, Seen


class RequiredAccessBlocked(Check):
    id = "required-access-blocked"
    title = "Published service that nothing answers"
    since = "0.1"
    statements = frozenset({"networks", "packet-filter-out", "high-availability"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        if context.health.one_sided:
            return
        for name, rows in _by_network(flows, context):
            end = ends(flows, rows)
            blocked = _unanswered(flows, rows, end, context) & _waited(flows, rows, end, context)
            if not blocked.any():
                continue
            client = group(end.client_hi, end.client_lo)
            reached = np.bincount(client, answered(flows, rows)) > 0
            yield Hits(
                rows[blocked],
                np.where(reached[client[blocked]], Severity.LOW, Severity.HIGH).astype(np.uint8),
                "nothing answers {client_ip} at {server_ip} port {server_port}, in network {network} of {vendor}",
                certain=context.health.complete,
                outcome=Outcome.ATTEMPT,
                statements=("networks", "packet-filter-out", "high-availability"),
                remediation="Permit TCP from the client to the published ports of every network that the vendor names.",
                extra={"network": name},
            )

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Attempts whose answer may have come after the capture's end, or on the side that it does not show."""
        found = [np.empty(0, np.intp)]
        for _, rows in _by_network(flows, context):
            end = ends(flows, rows)
            unseen = context.health.one_sided | ~_waited(flows, rows, end, context)
            found.append(rows[_unanswered(flows, rows, end, context) & unseen])
        return np.concatenate(found)


def _by_network(flows: Flows, context: Context) -> Iterable[tuple[str, Rows]]:
    """Flows of each published network with a published service, none that the outside opened."""
    ours = (flows.protocol == TCP) & (flows.service != 0)
    rows = np.flatnonzero(ours & ((flows.direction == Direction.OUTBOUND) | (flows.role == Role.RETURN)))
    end = ends(flows, rows)
    for enabled in context.packs:
        mine = one_pack(context, enabled)[flows.vendor[rows]]
        if not mine.any():
            continue
        for name, ranges in enabled.networks.items():
            here = mine & contains(ranges, end.server_hi, end.server_lo)
            if here.any():
                yield name, rows[here]


def _unanswered(flows: Flows, rows: Rows, end: Ends, context: Context) -> Bools:
    """Attempts without a packet from the server, and without a sign that the client got one."""
    silent: Bools = has(end.client_seen, Seen.SYN) & (end.server_packets == 0)
    silent &= ~has(end.client_seen, Seen.ACK | Seen.DATA | Seen.FIN)
    return silent & ~scanned(flows, rows, context) & ~_refused(flows, end, context)


def _waited(flows: Flows, rows: Rows, end: Ends, context: Context) -> Bools:
    """Attempts that had their time: made again, or long enough before the capture's end."""
    again = (end.client_packets > 1) & ~has(end.client_seen, Seen.RST)
    return again | (captured_after(flows, rows, context) >= seconds(context.site.thresholds.answer_wait))


def _refused(flows: Flows, end: Ends, context: Context) -> Bools:
    """Attempts that an ICMP error quotes which the server itself sent."""
    icmp = np.flatnonzero((flows.vendor != 0) & np.isin(flows.protocol, (ICMP, ICMP6)))
    chosen, sender_hi, sender_lo = quote_senders(flows, icmp, context)
    quotes = context.quotes
    hi, lo = quotes.destination_hi[chosen], quotes.destination_lo[chosen]
    own = (hi == sender_hi) & (lo == sender_lo) & (quotes.protocol[chosen] == TCP)
    chosen = chosen[own]
    if not len(chosen):
        return np.zeros(len(end.client_port), np.bool_)
    session = group(
        np.concatenate([end.client_hi, quotes.source_hi[chosen]]),
        np.concatenate([end.client_lo, quotes.source_lo[chosen]]),
        np.concatenate([end.client_port, quotes.source_port[chosen]]),
        np.concatenate([end.server_hi, quotes.destination_hi[chosen]]),
        np.concatenate([end.server_lo, quotes.destination_lo[chosen]]),
        np.concatenate([end.server_port, quotes.destination_port[chosen]]),
    )
    return np.isin(session[: len(end.client_port)], session[len(end.client_port) :])
