"""Find ICMP between the inside and a vendor's network.

What it finds
    ICMP and ICMPv6 messages with one end inside and the other in a network of an enabled pack.
Why it matters
    The vendors use no ICMP. Echo to their servers is somebody's test; echo from there, and everything else that is no
    error, is traffic that a firewall written after their documents would not let pass.
What you see
    icmp-use  medium  10.0.0.5 → 204.164.111.9 icmp type 8  12 messages, first at frame 40
    Severity: echo and everything else that is no error medium, errors low.
Stays silent
    Errors that quote a packet of a vendor's flow and do not come from the server of that flow: a router on the way, or
    the client itself, speaks of the path there. They are evidence about it, not the vendor's use of ICMP.
Rests on
    statement `tcp-only`
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auditor.addresses import contains
from auditor.checks._select import outcome, published_ranges, quote_senders
from auditor.checks.base import Check, Context, Hits, Outcome, Severity
from auditor.distinct import without
from auditor.flow import ICMP, ICMP6, Bools, Direction, Flows, Rows, Words

# RFC 792, RFC 4443: destination unreachable, source quench, redirect, time exceeded, parameter problem; and in ICMPv6
# every type below 128 (unreachable, too big, time exceeded, parameter problem).
ERRORS = (3, 4, 5, 11, 12)
ICMP6_INFORMATION_FROM = 128

# The types that ask for an answer (RFC 792, RFC 950, RFC 4443), so that an answer is missed.
REQUESTS = (8, 13, 15, 17)
ICMP6_REQUESTS = (128,)


class IcmpUse(Check):
    id = "icmp-use"
    title = "ICMP with a vendor's network"
    since = "0.1"
    statements = frozenset({"tcp-only"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        icmp = (flows.protocol == ICMP) | (flows.protocol == ICMP6)
        rows = np.flatnonzero(icmp & (flows.vendor != 0) & (flows.direction != Direction.NEITHER))
        if not len(rows):
            return
        errors = is_error(flows, rows)
        of_path = np.isin(flows.flow_id[rows], _about_the_path(flows, rows[errors], context))
        rows, errors = rows[~(errors & of_path)], errors[~(errors & of_path)]
        if not len(rows):
            return
        version6 = flows.protocol[rows] == ICMP6
        kind = flows.initiator_port[rows]
        asks = np.where(version6, np.isin(kind, ICMP6_REQUESTS), np.isin(kind, REQUESTS))
        yield Hits(
            rows,
            np.where(errors, Severity.LOW, Severity.MEDIUM).astype(np.uint8),
            "ICMP between {client_ip} and {server_ip}, a network of {vendor}",
            outcome=np.where(asks, outcome(flows, rows), Outcome.OBSERVED).astype(np.uint8),
            statements=("tcp-only",),
            remediation="Block ICMP with the vendor's networks, but let errors about allowed sessions pass (RFC 1191).",
        )


def is_error(flows: Flows, rows: Rows) -> Bools:
    """Which ICMP flows carry errors. Of ICMP flows the initiator's port is the type."""
    kind = flows.initiator_port[rows]
    return np.where(flows.protocol[rows] == ICMP6, kind < ICMP6_INFORMATION_FROM, np.isin(kind, ERRORS))


def _about_the_path(flows: Flows, rows: Rows, context: Context) -> Words:
    """Ids of the error flows among `rows` that quote vendors' flows alone, with other servers than their sender."""
    quotes = context.quotes
    ours, sender_hi, sender_lo = quote_senders(flows, rows, context)
    networks = published_ranges(context)
    elsewhere = np.zeros(len(ours), np.bool_)
    from_server = np.zeros(len(ours), np.bool_)
    for hi, lo in ((quotes.source_hi, quotes.source_lo), (quotes.destination_hi, quotes.destination_lo)):
        server = contains(networks, hi[ours], lo[ours])
        same = (hi[ours] == sender_hi) & (lo[ours] == sender_lo)
        elsewhere |= server & ~same
        from_server |= server & same
    about = elsewhere & ~from_server
    explained, unexplained = quotes.flow_id[ours[about]], quotes.flow_id[ours[~about]]
    return without(explained, unexplained)
