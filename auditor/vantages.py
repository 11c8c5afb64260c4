"""Two vantages: captures of the same time, inside and outside of the firewall.

The audit judges what the inside shows, because only there the clients have their own addresses. The outside adds what
the firewall kept from the inside, and tells what became of each flow on its way: these are the judged flows' columns
in `Vantages`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.addresses import AddressRange, contains
from auditor.checks._select import has
from auditor.crossing import DIFFERS, SAME, UNKNOWN, Pairs, Prints, Tie, View, compared, pair
from auditor.flow import TCP, Bools, Codes, Flows, Rows, Seen, State
from auditor.formats import address_text
from auditor.frozen import frozen, replace
from auditor.health import Health, both_sides
from auditor.lean import NamedTuple

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack
    from auditor.site import Site

# Columns of numbers that only the inside's scan gives a meaning to.
INSIDE_CODES = ("process",)


class Vantage(NamedTuple):
    """What one side's scan brought."""

    rows: Flows
    batches: Sequence[Mapping[str, Any]]  # with the fingerprints of `rows`
    health: Health


@frozen
class Vantages:
    """What two vantages say of n judged flows: columns, and the flows of the outside that they refer to."""

    outside: Flows
    counterpart: Rows  # row in `outside`; -1: none was found
    tie: Codes  # Tie
    payload: Codes  # how the payload compares: UNKNOWN, SAME, DIFFERS
    only_outside: Bools  # the firewall's inside does not show it
    inside_would_show: Bools  # of those: had it come through, the captures inside would show it
    clock_offset_ns: int  # what the outside's clock shows more than the inside's

    def __len__(self) -> int:
        return len(self.counterpart)

    def paired(self, rows: Rows) -> tuple[Rows, Rows]:
        """Those of `rows` that have a counterpart, and it."""
        known = rows[self.counterpart[rows] >= 0]
        return known, self.counterpart[known]


class Crossing(NamedTuple):
    """The rows to judge where there are two vantages, and what to judge them by."""

    rows: Flows
    vantages: Vantages  # its columns are for the whole flows of `rows`
    site: Site  # with the addresses inside that the inside has outside
    health: Health  # of both, on the inside's clock


def cross(inside: Vantage, outside: Vantage, packs: Sequence[EnabledPack], site: Site) -> Crossing:
    """Tie both sides together, and take over from the outside what the outside opened and the inside does not show."""
    first = len(inside.health.captures)
    far_rows = outside.rows.with_columns(
        capture=outside.rows.capture + np.uint32(first),
        last_capture=outside.rows.last_capture + np.uint32(first),
        **{name: np.zeros_like(getattr(outside.rows, name)) for name in INSIDE_CODES if hasattr(outside.rows, name)},
    )
    near, _ = View.of(inside.rows, Prints.of(inside.batches))
    far, flow_of_row = View.of(far_rows, Prints.of(outside.batches))
    pairs = pair(near, far)
    kept = _kept(near.flows, far.flows, pairs, packs, site)
    rows = _concatenated(inside.rows, far_rows[kept[flow_of_row]])
    added = np.flatnonzero(kept)
    shown = np.r_[np.zeros(len(near.flows), np.bool_), _shown(far.flows.start_ns[added], inside.health, pairs)]
    none = np.full(len(added), -1, np.intp)
    vantages = Vantages(
        outside=far.flows,
        counterpart=np.r_[pairs.counterpart, none],
        tie=np.r_[pairs.tie, np.zeros(len(added), np.uint8)],
        payload=np.r_[_payload(near, far, pairs), np.zeros(len(added), np.uint8)],
        only_outside=np.arange(len(shown)) >= len(near.flows),
        inside_would_show=shown,
        clock_offset_ns=pairs.clock_offset_ns,
    )
    responders = far.flows.responder_hi[added], far.flows.responder_lo[added]
    foreign = ~contains(site.inside, *responders)
    place = replace(site, inside=(*site.inside, *_ranges(responders[0][foreign], responders[1][foreign])))
    return Crossing(rows, vantages, place, _on_one_clock(inside.health, outside.health, pairs.clock_offset_ns))


def _on_one_clock(inside: Health, outside: Health, offset_ns: int) -> Health:
    """The same for the checks, which ask when each capture was taken, and what the inside alone shows one-sidedly."""
    moved = tuple(
        {**one, "first_ns": one["first_ns"] - offset_ns, "last_ns": one["last_ns"] - offset_ns}
        if one["packets"]
        else one
        for one in outside.captures
    )
    return replace(both_sides(inside, outside), one_sided=inside.one_sided, captures=inside.captures + moved)


def _kept(near: Flows, far: Flows, pairs: Pairs, packs: Sequence[EnabledPack], site: Site) -> Bools:
    """Flows outside that the inside does not show, opened by a vendor's network, or to a backup host.

    To whom they go has to be the site: one of its addresses, or one that the firewall was seen to give to the inside.
    Where the site names none (`nat`), any address that is no vendor's counts.
    """
    free = np.ones(len(far), np.bool_)
    free[pairs.counterpart[pairs.counterpart >= 0]] = False
    rows = np.flatnonzero(free & (far.protocol == TCP) & has(far.seen_forward, Seen.SYN))
    initiator = far.initiator_hi[rows], far.initiator_lo[rows]
    responder = far.responder_hi[rows], far.responder_lo[rows]
    published = tuple(item for enabled in packs for ranges in enabled.networks.values() for item in ranges)
    hosts = tuple(host.address for host in site.backup_hosts)
    ours = (*site.inside, *site.nat, *_addresses_outside(near, far, pairs, site)) if site.nat else ()
    wanted = contains(published, *initiator) & ~contains(published, *responder)
    if ours:
        wanted &= contains(ours, *responder)
    wanted |= contains(hosts, *responder)
    kept = np.zeros(len(far), np.bool_)
    kept[rows[wanted & ~contains(site.inside, *initiator)]] = True
    return kept


def _addresses_outside(near: Flows, far: Flows, pairs: Pairs, site: Site) -> tuple[AddressRange, ...]:
    """Addresses that inside hosts were seen to have outside."""
    at = np.flatnonzero(pairs.counterpart >= 0)
    to = pairs.counterpart[at]
    found: tuple[AddressRange, ...] = ()
    for end in ("initiator", "responder"):
        mine = contains(site.inside, getattr(near, f"{end}_hi")[at], getattr(near, f"{end}_lo")[at])
        found += _ranges(getattr(far, f"{end}_hi")[to[mine]], getattr(far, f"{end}_lo")[to[mine]])
    return found


def _ranges(hi: Any, lo: Any) -> tuple[AddressRange, ...]:
    """The addresses as ranges, neighbours joined."""
    numbers = sorted({(a << 64) | b for a, b in zip(hi.tolist(), lo.tolist(), strict=True)})
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    words = [tuple(address_text(n >> 64, n & (2**64 - 1)) for n in one) for one in ranges]
    return tuple(
        AddressRange(first, last, text[0] if first == last else "-".join(text))
        for (first, last), text in zip(ranges, words, strict=True)
    )


def _concatenated(first: Flows, second: Flows) -> Flows:
    columns = {name: (getattr(first, name), getattr(second, name)) for name in Flows.__match_args__}
    return Flows(**{name: np.concatenate(pair) for name, pair in columns.items()})


def _shown(starts: Any, inside: Health, pairs: Pairs) -> Bools:
    """Which of these starts, on the outside's clock, sound captures of the inside cover."""
    found = np.zeros(len(starts), np.bool_)
    if not inside.complete or inside.one_sided:
        return found
    times = starts - pairs.clock_offset_ns
    for capture in inside.captures:
        if capture["packets"]:
            found |= (capture["first_ns"] <= times) & (times <= capture["last_ns"])
    return found


def _payload(near: View, far: View, pairs: Pairs) -> Codes:
    """How the payload of each flow inside compares with its counterpart's.

    By the digests of its beginning; and where both sides saw the whole session, by the number of its bytes.
    """
    found = np.full(len(near.flows), UNKNOWN, np.uint8)
    # Of flows that only time ties, other payload would rather say that they are two.
    at = np.flatnonzero((pairs.counterpart >= 0) & (pairs.tie != Tie.TIME))
    to = pairs.counterpart[at]
    forward, reverse = compared(near.prints, far.prints, at, to)
    silent = [
        (near.flows.payload_forward[at] == 0) & (far.flows.payload_forward[to] == 0),
        (near.flows.payload_reverse[at] == 0) & (far.flows.payload_reverse[to] == 0),
    ]
    whole = np.ones(len(at), np.bool_)
    for flows, rows in ((near.flows, at), (far.flows, to)):
        whole &= (
            (flows.state[rows] == State.SF) & (flows.missed_bytes[rows] == 0) & has(flows.seen_forward[rows], Seen.SYN)
        )
    lengths = near.flows.payload_forward[at] != far.flows.payload_forward[to]
    lengths |= near.flows.payload_reverse[at] != far.flows.payload_reverse[to]
    differs = (forward == DIFFERS) | (reverse == DIFFERS) | (whole & lengths)
    same = ((forward == SAME) | silent[0]) & ((reverse == SAME) | silent[1]) & ~(silent[0] & silent[1])
    found[at] = np.where(differs, DIFFERS, np.where(same, SAME, UNKNOWN))
    return found


class SideEnds(NamedTuple):
    """Client and server as one side shows them."""

    client: tuple[Any, Any, Any]  # hi, lo, port
    server: tuple[Any, Any, Any]


class CrossingEnds(NamedTuple):
    """Client and server of paired flows on both sides."""

    inside: SideEnds
    outside: SideEnds


def crossing_ends(flows: Flows, vantages: Vantages, rows: Rows, there: Rows) -> CrossingEnds:
    """The ends of `rows`, and of their counterparts `there`."""
    ours = flows.client_is_initiator[rows]

    def ends(table: Flows, at: Rows) -> SideEnds:
        initiator = table.initiator_hi[at], table.initiator_lo[at], table.initiator_port[at]
        responder = table.responder_hi[at], table.responder_lo[at], table.responder_port[at]
        client = [np.where(ours, a, b) for a, b in _columns(initiator, responder)]
        server = [np.where(ours, b, a) for a, b in _columns(initiator, responder)]
        return SideEnds((client[0], client[1], client[2]), (server[0], server[1], server[2]))

    return CrossingEnds(ends(flows, rows), ends(vantages.outside, there))


def _columns(first: Sequence[Any], second: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(first, second, strict=True)
