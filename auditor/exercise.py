"""What traffic put each statement to the test: counts of flows, by vendor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from auditor.addresses import contains
from auditor.checks._select import ends
from auditor.checks.base import Check, Context, answered_sessions
from auditor.coverage import Exercise, apart_name
from auditor.distinct import distinct
from auditor.flow import TCP, Bools, Direction, Flows, Role, RoleBasis, Rows, Seen
from auditor.proxies import Grant, Way


def exercise_of(checks: Sequence[Check], flows: Flows, context: Context) -> Exercise:
    """Counts over whole, classified flows."""
    counts = Exercise(apart=frozenset(apart_name(check.id, statement) for check in checks for statement in check.apart))
    vendors = context.labels.vendors
    for check in checks:
        _count(counts.by_check, check.id, check.exercised(flows, context), flows, vendors)
        for statement in check.apart:
            name = apart_name(check.id, statement)
            _count(counts.by_check, name, check.exercised_for(statement, flows, context), flows, vendors)
        for vendor, n in check.exercised_apart(flows, context).items():
            counts.by_check[check.id, vendor] += n
        _count(counts.undecided, check.id, check.undecided(flows, context), flows, vendors)
    counts.flows.update({vendors[code]: int(n) for code, n in enumerate(np.bincount(flows.vendor)) if n and code})
    outside = (flows.vendor != 0) & (flows.direction == Direction.NEITHER) & (flows.service != 0)
    outside &= flows.role_basis != RoleBasis.PROXY
    for code, n in enumerate(np.bincount(flows.vendor[outside & (flows.role != Role.RETURN)])):
        counts.unplaced[vendors[code]] += int(n)
    answered = np.flatnonzero(_answered_services(flows) & ~_not_let_through(flows, context))
    for code in distinct(flows.vendor[answered]):
        vendor = vendors[int(code)]
        rows = answered[flows.vendor[answered] == code]
        for service, n in zip(*np.unique(flows.service[rows], return_counts=True), strict=True):
            counts.by_service[vendor, context.labels.services[int(service)]] = int(n)
        for role, n in zip(*np.unique(flows.role[rows], return_counts=True), strict=True):
            counts.by_role[vendor, Role(int(role)).name.lower()] = int(n)
    _count_groups(counts, flows, context)
    return counts


def _count(counter: Counter[tuple[str, str]], name: str, rows: Rows, flows: Flows, vendors: Sequence[str]) -> None:
    for code, n in enumerate(np.bincount(flows.vendor[rows]) if len(rows) else ()):
        if n:
            counter[name, vendors[code]] += int(n)


def _count_groups(counts: Exercise, flows: Flows, context: Context) -> None:
    sessions = np.flatnonzero(answered_sessions(flows, context))
    for enabled in context.packs:
        if enabled.id not in context.labels.vendors:
            continue
        rows = sessions[flows.vendor[sessions] == context.labels.vendors.index(enabled.id)]
        end = ends(flows, rows)
        for group, ranges in enabled.networks.items():
            counts.by_group[enabled.id, group] = int(contains(ranges, end.server_hi, end.server_lo).sum())


def _not_let_through(flows: Flows, context: Context) -> Bools:
    """Flows that a proxy answered, but is not known to have connected to their target."""
    proxied = context.proxied
    if not len(proxied.way):
        return np.zeros(len(flows), np.bool_)
    asked: Bools = (proxied.way == Way.SOCKS) | (proxied.way == Way.HTTP)
    return np.asarray(asked & (proxied.granted != Grant.GRANTED))


def _answered_services(flows: Flows) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Flows with a service that show both ends, TCP ones from their start on."""
    seen = flows.seen_forward | flows.seen_reverse
    handshake = (seen & np.uint16(Seen.SYN_ACK) != 0) & (seen & np.uint16(Seen.SYN) != 0)
    both = (flows.packets_forward > 0) & (flows.packets_reverse > 0)
    placed = (flows.direction != Direction.NEITHER) | (flows.role_basis == RoleBasis.PROXY)
    served = (flows.service != 0) & placed & (flows.role != Role.RETURN)
    return served & both & (handshake | (flows.protocol != TCP))  # type: ignore[no-any-return]
