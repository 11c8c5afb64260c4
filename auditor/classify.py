"""Whose traffic each flow is, and which role it plays.

A flow belongs to a vendor when one end lies in its networks, or when a client inside opens a TCP connection to one of
its signature ports anywhere outside. Everything else is `other`, and most flows are: they cost two address lookups.

Who opened a TCP connection is told by its SYN or SYN-ACK alone. Of a flow that began before the capture nobody
knows; it keeps the role of the published port that it uses, and is never taken for one that the outside opened.

The flows must be whole (`auditor.pieces`): by volume, a piece says too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from auditor.addresses import AddressRange, parse_range
from auditor.addressmap import AddressMap, any_bit, table_of
from auditor.checks.base import Labels
from auditor.distinct import distinct
from auditor.flow import TCP, UDP, Bools, Codes, Direction, Flows, Ports, Role, RoleBasis, Rows, Seen
from auditor.interest import signature_ports
from auditor.packroles import Judged, Opener, Part, SetName, judge_pack, port_table
from auditor.proxies import Proxied, target_flows

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack
    from auditor.site import Site

# Multicast, broadcast and "no address yet" are no places outside: what goes there leaves nothing that was published.
NOWHERE = tuple(map(parse_range, ("224.0.0.0/4", "255.255.255.255", "0.0.0.0/32", "ff00::/8", "::")))

# Systems choose client ports from here up (Linux's default range; IANA's begins at 49152). Of a flow without a
# captured start, only such a port on the inside end says that the signature port on the other end is the server's.
EPHEMERAL_FROM = 32768

DNS_PORT = 53

INSIDE: SetName = ("inside", -1, "")
NO_PLACE: SetName = ("nowhere", -1, "")
RESOLVERS: SetName = ("resolver", -1, "")

VendorSet: TypeAlias = frozenset[int]  # indexes of packs


def classify(
    flows: Flows, packs: Sequence[EnabledPack], site: Site, proxied: Proxied | None = None
) -> tuple[Flows, Labels]:
    """The same flows with what is found of them: the second group of columns of `Flows`; and what the codes mean.

    `proxied`: what goes through proxies; it gets the vendor and role of its target. None: not known, so all is direct.
    """
    real = flows
    if proxied is not None:
        flows = target_flows(flows, proxied, packs)
    addresses = AddressMap(dict(_address_sets(packs, site)))
    initiator = addresses.codes(flows.initiator_hi, flows.initiator_lo)
    responder = addresses.codes(flows.responder_hi, flows.responder_lo)
    inside, nowhere = addresses.holds(INSIDE), addresses.holds(NO_PLACE)
    opener = _who_opened(flows)
    result = _Columns(len(flows))
    result.direction = _crossing(opener, inside[initiator], inside[responder], nowhere[initiator] | nowhere[responder])
    result.client_is_initiator = inside[initiator] | ~inside[responder]
    vendors = _VendorSets()

    vendor_end = addresses.holds(*(name for name, _ in _address_sets(packs, site) if name[0] in ("group", "feature")))
    near = np.flatnonzero(vendor_end[initiator] | vendor_end[responder])
    if len(near):
        part = Part.of(flows, near, initiator, responder, opener, inside)
        for index, enabled in enumerate(packs):
            for judged in judge_pack(part, index, enabled, addresses):
                result.add(judged, near, index, vendors)

    _add_signatures(flows, packs, result, vendors, opener, inside[initiator] & ~inside[responder] & ~nowhere[responder])
    if flows is real:
        _add_helpers(flows, site, result, addresses, initiator, responder)
    else:
        assert proxied is not None
        initiator = addresses.codes(real.initiator_hi, real.initiator_lo)
        responder = addresses.codes(real.responder_hi, real.responder_lo)
        _add_helpers(real, site, result, addresses, initiator, responder)
        _mark_proxied(result, proxied)
    names, vendor_codes = vendors.labels(packs)
    services = sorted({service.id for enabled in packs for service in enabled.pack.services})
    service_codes = np.zeros(len(result.service_names) + 1, np.uint16)
    for at, service in enumerate(result.service_names, start=1):
        service_codes[at] = services.index(service) + 1
    return real.with_columns(
        vendor=vendor_codes[result.vendor],
        service=service_codes[result.service],
        role=result.role,
        role_basis=result.role_basis,
        direction=result.direction,
        client_is_initiator=result.client_is_initiator,
    ), Labels(names, ("", *services))


def _address_sets(packs: Sequence[EnabledPack], site: Site) -> Iterable[tuple[SetName, Iterable[AddressRange]]]:
    yield INSIDE, site.inside
    yield NO_PLACE, NOWHERE
    yield RESOLVERS, site.resolvers
    for at, proxy in enumerate(site.proxies):
        yield ("proxy", at, ""), (proxy.address,)
    for at, enabled in enumerate(packs):
        yield ("registration", at, ""), enabled.registration_servers
        for group, ranges in enabled.networks.items():
            yield ("group", at, group), ranges
        for feature, ranges in enabled.features.items():
            yield ("feature", at, feature), ranges


def _who_opened(flows: Flows) -> Codes:
    """Opener of each flow. TCP: the end that sent a SYN, else the other end of the one that sent a SYN-ACK."""
    tcp = flows.protocol == TCP
    opener = np.full(len(flows), Opener.INITIATOR, np.uint8)
    opener[tcp] = Opener.UNKNOWN
    opener[tcp & any_bit(flows.seen_forward, Seen.SYN_ACK)] = Opener.RESPONDER
    opener[tcp & any_bit(flows.seen_reverse, Seen.SYN_ACK)] = Opener.INITIATOR
    opener[tcp & any_bit(flows.seen_reverse, Seen.SYN)] = Opener.RESPONDER
    opener[tcp & any_bit(flows.seen_forward, Seen.SYN)] = Opener.INITIATOR
    return opener


def _crossing(opener: Codes, initiator_inside: Bools, responder_inside: Bools, nowhere: Bools) -> Codes:
    """Direction of flows with one end inside whose opener is known."""
    crosses = (initiator_inside != responder_inside) & ~nowhere & (opener != Opener.UNKNOWN)
    opened_inside = np.where(opener == Opener.INITIATOR, initiator_inside, responder_inside)
    return np.where(crosses, np.where(opened_inside, Direction.OUTBOUND, Direction.INBOUND), 0).astype(np.uint8)


class _VendorSets:
    """Codes for sets of packs: 0 is none."""

    def __init__(self) -> None:
        self._sets: list[VendorSet] = [frozenset()]

    def code(self, members: VendorSet) -> int:
        if members not in self._sets:
            self._sets.append(members)
        return self._sets.index(members)

    def joined(self, codes: Ports, index: int) -> Ports:
        """The codes of the same sets with one pack more."""
        joined = codes.copy()
        for code in distinct(codes):
            joined[codes == code] = self.code(self._sets[code] | {index})
        return joined

    def labels(self, packs: Sequence[EnabledPack]) -> tuple[tuple[str, ...], Ports]:
        """Vendor names in alphabetical order, and the table from codes to places among them."""
        texts = ["|".join(sorted(packs[index].pack.id for index in members)) for members in self._sets]
        names = ("", *sorted(set(texts[1:])))
        return names, np.array([names.index(text) for text in texts], np.uint16)


class _Columns:
    """The columns under construction."""

    def __init__(self, count: int) -> None:
        self.vendor: Ports = np.zeros(count, np.uint16)
        self.service: Ports = np.zeros(count, np.uint16)
        self.role: Codes = np.zeros(count, np.uint8)
        self.role_basis: Codes = np.zeros(count, np.uint8)
        self.direction: Codes = np.zeros(count, np.uint8)
        self.client_is_initiator: Bools = np.zeros(count, np.bool_)
        self.matched: Bools = np.zeros(count, np.bool_)
        self.service_names: list[str] = []

    def service_code(self, name: str) -> int:
        if name not in self.service_names:
            self.service_names.append(name)
        return self.service_names.index(name) + 1

    def add(self, judged: Judged, near: Rows, index: int, vendors: _VendorSets) -> None:
        """Take over what one pack says, unless another pack's claim on the flow is better; equal claims are joined."""
        rows = near[judged.at]
        earlier = self.vendor[rows]
        alone, better = earlier == 0, judged.matched & ~self.matched[rows]
        equal = ~alone & (judged.matched == self.matched[rows])
        self.vendor[rows[equal]] = vendors.joined(earlier[equal], index)
        chosen: Any = alone | better
        if chosen.all():
            chosen = slice(None)
        rows = rows[chosen]
        codes = np.array([0, *map(self.service_code, judged.services)], np.uint16)
        self.vendor[rows] = vendors.code(frozenset((index,)))
        self.service[rows] = codes[judged.service[chosen]]
        self.role[rows] = judged.role[chosen]
        self.role_basis[rows] = judged.role_basis[chosen]
        self.direction[rows] = judged.direction[chosen]
        self.client_is_initiator[rows] = judged.client_is_initiator[chosen]
        self.matched[rows] = judged.matched[chosen]


def _add_signatures(
    flows: Flows,
    packs: Sequence[EnabledPack],
    result: _Columns,
    vendors: _VendorSets,
    opener: Codes,
    leaves: Bools,
) -> None:
    """TCP from inside to a signature port outside all networks: somebody's of those who use that port."""
    users = signature_ports(packs)
    if not users:
        return
    begun = (opener == Opener.INITIATOR) | ((opener == Opener.UNKNOWN) & (flows.initiator_port >= EPHEMERAL_FROM))
    rows = np.flatnonzero(table_of(users)[flows.responder_port] & (flows.protocol == TCP))
    rows = rows[(leaves & begun)[rows] & (result.vendor[rows] == 0)]
    for port, members in users.items():
        here = rows[flows.responder_port[rows] == port]
        if len(here) == 0:
            continue
        result.vendor[here] = vendors.code(members)
        result.client_is_initiator[here] = True
        result.direction[here] = Direction.OUTBOUND
        # A vendor that publishes no networks leaves its port open to all the world: there the port is as published.
        anywhere = next((packs[at] for at in sorted(members) if not any(packs[at].networks.values())), None)
        result.role[here], result.role_basis[here] = Role.UNPUBLISHED, RoleBasis.PORT
        if anywhere is None:
            continue
        service = next(s for s in anywhere.pack.services if s.signature and port_table(s)[port])
        result.service[here] = result.service_code(service.id)
        bulk = np.maximum(flows.payload_forward[here], flows.payload_reverse[here]) >= anywhere.pack.bulk_bytes
        result.role[here] = np.where(bulk, Role.DATA, Role.CONTROL)
        result.role_basis[here] = RoleBasis.VOLUME
        returns = (flows.packets_forward[here] == 0) & (flows.packets_reverse[here] > 0)
        result.role[here[returns]] = Role.RETURN


def _add_helpers(
    flows: Flows, site: Site, result: _Columns, addresses: AddressMap[SetName], initiator: Ports, responder: Ports
) -> None:
    """Flows to the site's proxies and resolvers."""
    tcp, free = flows.protocol == TCP, result.vendor == 0
    kinds: list[tuple[Role, SetName, int, Bools]] = [
        (Role.PROXY, ("proxy", at, ""), proxy.port, tcp) for at, proxy in enumerate(site.proxies)
    ]
    kinds.append((Role.RESOLVER, RESOLVERS, DNS_PORT, tcp | (flows.protocol == UDP)))
    for role, name, port, protocols in kinds:
        there = addresses.holds(name)
        if not there.any():
            continue
        forward = free & protocols & there[responder] & (flows.responder_port == port)
        backward = free & protocols & there[initiator] & (flows.initiator_port == port) & ~forward
        for rows, client_is_initiator in ((forward, True), (backward, False)):
            result.role[rows], result.role_basis[rows] = role, RoleBasis.PORT
            result.client_is_initiator[rows] = client_is_initiator


def _mark_proxied(result: _Columns, proxied: Proxied) -> None:
    """What follows from the proxy between: the role's basis; and no direction, for the flow's server is not the vendor.

    A target that is no vendor's makes the flow `other`, though it goes to a proxy.
    """
    rows = np.flatnonzero(proxied.decoded)
    ours = result.vendor[rows] != 0
    result.direction[rows] = Direction.NEITHER
    result.role_basis[rows] = np.where(ours, RoleBasis.PROXY, RoleBasis.NONE)
    result.role[rows[~ours]] = Role.OTHER
    result.client_is_initiator[rows] = ~proxied.at_initiator[rows]
