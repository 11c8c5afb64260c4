"""Find names of a vendor's servers that lead elsewhere.

What it finds
    A DNS answer about a host name that a vendor publishes, with an address (A or AAAA, through CNAMEs) in none of the
    vendor's networks. One finding for each client and address; `via` is the resolver that answered.
Why it matters
    The client connects to whatever the name means. An address that the vendor does not publish is a forged answer, a
    filter that rewrites names, or a move that nobody told: the firewall blocks it, or the backup goes to a stranger.
What you see
    hostname-resolves-outside  high  10.0.0.5 → 198.51.100.9 via 10.0.0.53  2 answers, first in frame 4
Stays silent
    Answers without an address. Addresses made of a published one for networks that have IPv6 alone (64:ff9b::/96,
    RFC 6052). Proxies and mapped ports of the site. Names of no vendor; vendors without networks.
Rests on
    statement `cluster-name`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditor.addresses import MAPPED_FIRST, AddressRange, AddressSet, parse_address
from auditor.checks._said import told
from auditor.checks.base import Check, Context, Hits, Outcome, Severity, Targets
from auditor.flow import Flows, Rows
from auditor.flowends import NO_PORT

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack

NAT64 = parse_address("64:ff9b::") >> 32  # RFC 6052, 2.1: an IPv4 address follows
LOW_WORD = 2**64 - 1


class HostnameResolvesOutside(Check):
    id = "hostname-resolves-outside"
    title = "Vendor's host name leads outside its networks"
    since = "0.1"
    statements = frozenset({"cluster-name"})
    counts_messages = True

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        for enabled, answers in _answers(flows, context):
            known = _known(enabled, context)
            outside = [one for one in answers if one[2] not in known]
            for name in sorted({context.events.text[event] for event, _, _ in outside}):
                yield self._hits(name, [one for one in outside if context.events.text[one[0]] == name], enabled)

    def _hits(self, name: str, answers: Sequence[tuple[int, int, int]], enabled: EnabledPack) -> Hits:
        events, rows, addresses = zip(*answers, strict=True)
        return Hits(
            np.array(rows, np.intp),
            Severity.HIGH,
            "{via} told {client_ip} that {name} is {server_ip}, outside the networks of {vendor}",
            outcome=Outcome.OBSERVED,
            statements=("cluster-name",),
            remediation="Ask the vendor whether the address is new; if not, find out who forges the answer.",
            extra={"name": name},
            vendor=enabled.id,
            targets=Targets(
                hi=np.array([address >> 64 for address in addresses], np.uint64),
                lo=np.array([address & LOW_WORD for address in addresses], np.uint64),
                port=np.full(len(rows), NO_PORT, np.int64),
            ),
            told_by=np.array(events, np.intp),
        )

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """None of the vendor's flows: answers do it."""
        return np.empty(0, np.intp)

    def exercised_apart(self, flows: Flows, context: Context) -> Mapping[str, int]:
        """Answers that name an address."""
        return {enabled.id: len({event for event, _, _ in answers}) for enabled, answers in _answers(flows, context)}


def _answers(flows: Flows, context: Context) -> Iterable[tuple[EnabledPack, list[tuple[int, int, int]]]]:
    """For each pack with host names and networks: event, row and address of each answer about one of the names."""
    numbers, rows = told(flows, context, "dns-answer")
    for enabled in context.packs if len(numbers) else ():
        names = {name.lower().rstrip(".") for name in enabled.pack.hostnames}
        if not names or not any(enabled.networks.values()):
            continue
        found = [
            (event, row, _unwrapped(parse_address(item.removeprefix("address "))))
            for event, row in zip(numbers.tolist(), rows.tolist(), strict=True)
            if context.events.text[event] in names
            for item in context.events.more[event]
            if item.startswith("address ")
        ]
        yield enabled, found


def _unwrapped(address: int) -> int:
    """The IPv4 address within one that a translator made of it; any other address itself."""
    return MAPPED_FIRST | (address & 0xFFFF_FFFF) if address >> 32 == NAT64 else address


def _known(enabled: EnabledPack, context: Context) -> AddressSet:
    """Where the names may lead: the vendor's networks, and what stands for them at this site."""
    site = context.site
    networks = [item for ranges in enabled.networks.values() for item in ranges]
    mapped = {endpoint.address for endpoint in site.mapped_proxies}
    own = [AddressRange(address, address, str(address)) for address in mapped]
    return AddressSet([*networks, *(proxy.address for proxy in site.proxies), *own])
