"""Which flows go through a proxy, and where to.

A request that could be read says so itself; a mapped port of the site leads where the site says; of what else goes to a
listed proxy the target is not known. Datagrams through the relay of a SOCKS proxy each name their far end. The flow
stays one with the proxy: only its classification is its target's.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from auditor.addresses import LOW_WORD, AddressSet, contains
from auditor.distinct import among, distinct
from auditor.events import Events
from auditor.flow import TCP, Bools, Codes, Flows, Ports, Rows, Words
from auditor.frozen import frozen, replace
from auditor.interest import in_force

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack
    from auditor.site import Site

# Where a target stands that is known by name only: the discard prefix (RFC 6666), which no pack and no site holds.
NOWHERE = 0x0100 << 112
GRANTED_STATUS = range(200, 300)  # of CONNECT (RFC 9110, 9.3.6)
RELAY = ("udp-associate",)  # a request for a relay, in `Events.more`


class Way(IntEnum):
    """How a flow goes through a proxy."""

    DIRECT = 0  # through none, as far as could be read
    SOCKS = 1  # a connection, or UDP through a relay
    HTTP = 2  # CONNECT
    MAPPED = 3  # a port of the firewall that the site maps to one server
    UNREAD = 4  # to a proxy of the site, but its target could not be read


class Grant(IntEnum):
    """The proxy's answer."""

    UNKNOWN = 0
    GRANTED = 1
    REFUSED = 2


@frozen
class Proxied:
    """One element for each flow of the table."""

    way: Codes  # `Way`
    at_initiator: Bools  # the proxy is the flow's initiator end; else, and mostly, its responder end
    has_address: Bools  # the target was given as an address, in `target_hi` and `target_lo`
    target_hi: Words
    target_lo: Words
    target_port: Ports
    name: Rows  # number in `names` of a target given by name; -1
    names: tuple[str, ...]  # lower case
    event: Rows  # row in the context's `Events` of the request; -1 for MAPPED and UNREAD
    granted: Codes  # `Grant`
    listed: Bools  # the site lists this proxy, or maps this port

    @classmethod
    def none(cls, count: int) -> Proxied:
        """No proxies, for a table of `count` flows."""
        return cls(
            way=np.zeros(count, np.uint8),
            at_initiator=np.zeros(count, np.bool_),
            has_address=np.zeros(count, np.bool_),
            target_hi=np.zeros(count, np.uint64),
            target_lo=np.zeros(count, np.uint64),
            target_port=np.zeros(count, np.uint16),
            name=np.full(count, -1, np.intp),
            names=(),
            event=np.full(count, -1, np.intp),
            granted=np.zeros(count, np.uint8),
            listed=np.zeros(count, np.bool_),
        )

    @property
    def decoded(self) -> Bools:
        """Flows whose target is known."""
        decoded: Bools = (self.way != Way.DIRECT) & (self.way != Way.UNREAD)
        return decoded


def proxied_flows(flows: Flows, events: Events, packs: Sequence[EnabledPack], site: Site) -> Proxied:
    """How each of the flows, whole ones, goes through a proxy. Nothing of it rests on classification."""
    found = Proxied.none(len(flows))
    if len(flows):
        _note_listed(found, flows, site)
        found = _with_requests(found, flows, events, packs)
        found = _with_datagrams(found, flows, events, packs, site)
        _note_mapped(found, flows, packs, site)
    return found


def target_flows(flows: Flows, proxied: Proxied, packs: Sequence[EnabledPack]) -> Flows:
    """The flows as if each went straight to its target: what classification has to look at.

    A target known by name that a pack publishes stands at an address of that pack, at another name NOWHERE.
    """
    rows = np.flatnonzero(proxied.decoded)
    if not len(rows):
        return flows
    hi, lo = proxied.target_hi[rows], proxied.target_lo[rows]
    for place, row in enumerate(rows.tolist()):
        if not proxied.has_address[row]:
            address = address_of_name(proxied.names[proxied.name[row]], int(proxied.target_port[row]), packs)
            hi[place], lo[place] = address >> 64, address & LOW_WORD
    columns = {}
    for end, chosen in (("initiator", proxied.at_initiator[rows]), ("responder", ~proxied.at_initiator[rows])):
        there = rows[chosen]
        for name, values in (("hi", hi), ("lo", lo), ("port", proxied.target_port[rows])):
            column = getattr(flows, f"{end}_{name}").copy()
            column[there] = values[chosen]
            columns[f"{end}_{name}"] = column
    return flows.with_columns(**columns)


def address_of_name(name: str, port: int, packs: Sequence[EnabledPack]) -> int:
    """An address of the pack that publishes the host name: where its service on `port` is found, if it has one."""
    for enabled in packs:
        if name.rstrip(".") not in {known.lower().rstrip(".") for known in enabled.pack.hostnames}:
            continue
        groups = [
            group
            for service in enabled.pack.services
            if in_force(service, enabled) and any(ports.first <= port <= ports.last for ports in service.ports)
            for group in service.networks
        ]
        for group in (*groups, *enabled.networks):
            for item in enabled.networks.get(group, ()):
                return item.first
    return NOWHERE


def _note_listed(found: Proxied, flows: Flows, site: Site) -> None:
    for proxy in site.proxies:
        for end in ("initiator", "responder"):
            there = contains((proxy.address,), getattr(flows, f"{end}_hi"), getattr(flows, f"{end}_lo"))
            there &= (flows.protocol == TCP) & (getattr(flows, f"{end}_port") == proxy.port)
            there &= found.way == Way.DIRECT
            found.way[there], found.listed[there] = Way.UNREAD, True
            found.at_initiator[there] = end == "initiator"


def _with_requests(found: Proxied, flows: Flows, events: Events, packs: Sequence[EnabledPack]) -> Proxied:
    """With what requests say: of several in one flow, tunnels within tunnels or new attempts, the last."""
    requests = events.of("socks-request", "http-connect")
    # what a client names when it asks for a relay is its own end
    requests = requests[[events.more[event] != RELAY for event in requests.tolist()]]
    if not len(requests):
        return found
    row_of = events.rows_in(flows)
    requests = requests[row_of[requests] >= 0]
    # What is said to a vendor's own server is no request to a proxy.
    rows = row_of[requests]
    server = np.where(found.at_initiator[rows], flows.initiator_hi[rows], flows.responder_hi[rows])
    server_lo = np.where(found.at_initiator[rows], flows.initiator_lo[rows], flows.responder_lo[rows])
    vendors = tuple(item for enabled in packs for ranges in enabled.networks.values() for item in ranges)
    requests = requests[~contains(vendors, server, server_lo)]
    rows = row_of[requests]
    socks = np.zeros(len(events), np.bool_)
    socks[events.of("socks-request")] = True
    # in order of time, so that the last one of a flow stays
    found.way[rows] = np.where(socks[requests], Way.SOCKS, Way.HTTP)
    found.event[rows] = requests
    found.has_address[rows] = events.has_address[requests]
    found.target_hi[rows], found.target_lo[rows] = events.address_hi[requests], events.address_lo[requests]
    found.target_port[rows] = events.port[requests]
    names: dict[str, int] = {}
    for row in distinct(rows).tolist():
        if not found.has_address[row]:
            found.name[row] = names.setdefault(events.text[found.event[row]].lower(), len(names))
    _note_answers(found, events, row_of)
    return replace(found, names=tuple(names))


def _with_datagrams(found: Proxied, flows: Flows, events: Events, packs: Sequence[EnabledPack], site: Site) -> Proxied:
    """With the far ends of relayed datagrams: of several in one flow the first that is a vendor's, else the first."""
    datagrams = events.of("socks-datagram")
    row_of = events.rows_in(flows)
    datagrams = datagrams[row_of[datagrams] >= 0]
    if not len(datagrams):
        return found
    theirs = at_vendors(events, datagrams, packs)
    # backwards, a vendor's behind the others, so that the one meant is the last to be written
    order = datagrams[np.lexsort((-datagrams, theirs))]
    rows = row_of[order]
    found.way[rows], found.event[rows], found.granted[rows] = Way.SOCKS, order, Grant.GRANTED
    found.has_address[rows] = events.has_address[order]
    found.target_hi[rows], found.target_lo[rows] = events.address_hi[order], events.address_lo[order]
    found.target_port[rows] = events.port[order]
    names = {name: at for at, name in enumerate(found.names)}
    relayed = np.unique(rows)
    for row in relayed.tolist():
        by_name = not found.has_address[row]
        found.name[row] = names.setdefault(events.text[found.event[row]].lower(), len(names)) if by_name else -1
    ports = np.unique(events.port[_relay_answers(events)])
    found.at_initiator[relayed] = ~np.isin(flows.responder_port[relayed], ports)
    proxies = tuple(proxy.address for proxy in site.proxies)
    at_initiator = found.at_initiator[relayed]
    found.listed[relayed] = contains(
        proxies,
        np.where(at_initiator, flows.initiator_hi[relayed], flows.responder_hi[relayed]),
        np.where(at_initiator, flows.initiator_lo[relayed], flows.responder_lo[relayed]),
    )
    return replace(found, names=tuple(names))


def _relay_requests(events: Events) -> Rows:
    requests = events.of("socks-request")
    return requests[[events.more[event] == RELAY for event in requests.tolist()]]


def _relay_answers(events: Events) -> Rows:
    """What proxies said to those who asked for a relay: its port among it."""
    answers = events.of("socks-reply")
    return answers[among(events.flow_id[answers], events.flow_id[_relay_requests(events)])]


def at_vendors(events: Events, chosen: Rows, packs: Sequence[EnabledPack]) -> Bools:
    """Which of the events name a target in the packs' networks, or one of their hosts."""
    networks = tuple(item for enabled in packs for ranges in enabled.networks.values() for item in ranges)
    hosts = {name.lower().rstrip(".") for enabled in packs for name in enabled.pack.hostnames}
    named = np.array([events.text[event].lower().rstrip(".") in hosts for event in chosen.tolist()], np.bool_)
    there = contains(networks, events.address_hi[chosen], events.address_lo[chosen])
    found: Bools = np.where(events.has_address[chosen], there, named)
    return found


def _note_answers(found: Proxied, events: Events, row_of: Rows) -> None:
    answers = events.of("socks-reply", "http-connect-reply")
    answers = answers[row_of[answers] >= 0]
    answers = answers[(found.event[row_of[answers]] >= 0) & (answers > found.event[row_of[answers]])]
    status = (events.number[answers] >= GRANTED_STATUS.start) & (events.number[answers] < GRANTED_STATUS.stop)
    http = np.isin(answers, events.of("http-connect-reply"))
    granted = np.where(http, status, events.flag[answers] == 1)
    found.granted[row_of[answers]] = np.where(granted, Grant.GRANTED, Grant.REFUSED)


def _note_mapped(found: Proxied, flows: Flows, packs: Sequence[EnabledPack], site: Site) -> None:
    for endpoint, target in site.mapped_proxies.items():
        hi, lo = endpoint.address >> 64, endpoint.address & LOW_WORD
        for end in ("initiator", "responder"):
            there = (getattr(flows, f"{end}_hi") == hi) & (getattr(flows, f"{end}_lo") == lo)
            there &= (flows.protocol == TCP) & (getattr(flows, f"{end}_port") == endpoint.port)
            rows = np.flatnonzero(there)
            found.way[rows], found.listed[rows], found.has_address[rows] = Way.MAPPED, True, True
            found.at_initiator[rows] = end == "initiator"
            found.target_hi[rows], found.target_lo[rows] = target.first >> 64, target.first & LOW_WORD
            found.target_port[rows] = mapped_port(target.first, packs)


def mapped_port(address: int, packs: Sequence[EnabledPack]) -> int:
    """The port that a mapped proxy leads to: the first that the server's vendor listens on; 0 if it is nobody's."""
    for enabled in packs:
        if address not in AddressSet(item for ranges in enabled.networks.values() for item in ranges):
            continue
        for service in enabled.pack.services:
            if service.direction != "inbound" and in_force(service, enabled) and "tcp" in service.protocols:
                return service.ports[0].first
    return 0
