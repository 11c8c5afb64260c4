"""What one rule pack says of the flows near its networks: service, role, and who is the client."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from auditor.addressmap import AddressMap, table_of, table_of_ports
from auditor.flow import (
    ICMP,
    ICMP6,
    TCP,
    UDP,
    Bools,
    Codes,
    Direction,
    Flows,
    Ports,
    Role,
    RoleBasis,
    Rows,
    Seen,
    Words,
)
from auditor.frozen import frozen
from auditor.interest import in_force
from auditor.rulepack import SITE_GROUP

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack, Service

SetName: TypeAlias = tuple[str, int, str]  # kind of set, index of the pack, name of the group or feature

PROTOCOL_NUMBERS = {"tcp": TCP, "udp": UDP}
ROLES = {
    "control": Role.CONTROL,
    "data": Role.DATA,
    "volume": Role.CONTROL,
    "registration": Role.REGISTRATION,
    "gui": Role.GUI,
    "support": Role.SUPPORT,
}
# Whose port tells nothing of the backup network: a site's further networks are not for these.
APART = ("gui", "support")

# Of ICMP only a request opens anything: echo, router solicitation, timestamp, information, mask (RFC 792, 950, 1256);
# echo (RFC 4443).
ICMP_REQUESTS = (8, 10, 13, 15, 17)
ICMP6_REQUESTS = (128,)


class Opener(IntEnum):
    """Which end of a flow opened it. Protocols that open nothing: the end that sent first."""

    UNKNOWN = 0
    INITIATOR = 1
    RESPONDER = 2


@frozen
class Part:
    """The columns of some flows that roles depend on."""

    protocol: Codes
    initiator: Ports  # address codes
    responder: Ports
    initiator_port: Ports
    responder_port: Ports
    packets_forward: Words
    packets_reverse: Words
    payload: Words  # of the direction that carried more
    opener: Codes
    syn_seen: Bools
    initiator_inside: Bools
    responder_inside: Bools

    @classmethod
    def of(cls, flows: Flows, rows: Rows, initiator: Ports, responder: Ports, opener: Codes, inside: Bools) -> Part:
        """The columns at `rows`; address codes, openers and the table of inside codes are those of all flows."""
        syn = (flows.seen_forward[rows] | flows.seen_reverse[rows]) & np.uint16(Seen.SYN)
        return cls(
            protocol=flows.protocol[rows],
            initiator=initiator[rows],
            responder=responder[rows],
            initiator_port=flows.initiator_port[rows],
            responder_port=flows.responder_port[rows],
            packets_forward=flows.packets_forward[rows],
            packets_reverse=flows.packets_reverse[rows],
            payload=np.maximum(flows.payload_forward[rows], flows.payload_reverse[rows]),
            opener=opener[rows],
            syn_seen=syn != 0,
            initiator_inside=inside[initiator[rows]],
            responder_inside=inside[responder[rows]],
        )

    def at(self, rows: Rows) -> Part:
        if len(rows) == len(self.protocol):
            return self
        return Part(**{name: getattr(self, name)[rows] for name in self.__match_args__})


@frozen
class Judged:
    """A pack's claim on some flows of a `Part`."""

    at: Rows  # which flows of the part
    matched: Bools  # a service of the pack covers the flow
    service: Codes  # 1 + index in `services`; 0 without service
    services: tuple[str, ...]
    role: Codes
    role_basis: Codes
    direction: Codes
    client_is_initiator: Bools


def judge_pack(part: Part, index: int, enabled: EnabledPack, addresses: AddressMap[SetName]) -> Iterator[Judged]:
    """Claims of the pack: on flows with an end in its networks, and on those of features that the site turned on."""
    ours = addresses.holds(*(("group", index, group) for group in enabled.networks))
    at = np.flatnonzero(ours[part.initiator] | ours[part.responder])
    if len(at):
        yield _in_networks(part.at(at), at, index, enabled, addresses, ours)
    for service in enabled.pack.services:
        if service.feature in enabled.features and service.direction in ("inbound", "both"):
            yield _by_feature(part, index, service, addresses)


def port_table(service: Service) -> Bools:
    """Table over ports: whether the service lists it."""
    return table_of_ports(service.ports)


def service_groups(service: Service, enabled: EnabledPack) -> tuple[str, ...]:
    """Names of the groups of networks where the service is to be found."""
    if not service.networks:
        return tuple(enabled.networks)
    return service.networks if service.role in APART else (*service.networks, SITE_GROUP)


def _in_networks(
    part: Part, at: Rows, index: int, enabled: EnabledPack, addresses: AddressMap[SetName], ours: Bools
) -> Judged:
    server_is_initiator = ours[part.initiator] & ~ours[part.responder]
    server = np.where(server_is_initiator, part.initiator, part.responder)
    server_port = np.where(server_is_initiator, part.initiator_port, part.responder_port)
    client_inside = np.where(server_is_initiator, part.responder_inside, part.initiator_inside)
    from_client = np.where(server_is_initiator, part.packets_reverse, part.packets_forward)
    from_server = np.where(server_is_initiator, part.packets_forward, part.packets_reverse)
    known = part.opener != Opener.UNKNOWN
    server_opened = known & ((part.opener == Opener.INITIATOR) == server_is_initiator)
    tcp = part.protocol == TCP

    count = len(at)
    service_code = np.zeros(count, np.uint8)
    role = np.full(count, Role.UNPUBLISHED, np.uint8)
    basis = np.full(count, RoleBasis.PORT, np.uint8)
    names: list[str] = []
    for service in enabled.pack.services:
        if not in_force(service, enabled) or service.direction == "inbound":
            continue
        numbers = table_of((PROTOCOL_NUMBERS[name] for name in service.protocols), 256)
        here = addresses.holds(*(("group", index, group) for group in service_groups(service, enabled)))
        fits = numbers[part.protocol] & port_table(service)[server_port] & here[server] & ~server_opened
        fits &= service_code == 0
        if not fits.any():
            continue
        names.append(service.id)
        service_code[fits] = len(names)
        role[fits] = ROLES[service.role]
        basis[fits] = RoleBasis.INFERRED if service.negotiated_by else RoleBasis.PORT
        if service.role == "volume":
            role[fits & (part.payload >= np.uint64(enabled.pack.bulk_bytes))] = Role.DATA
            basis[fits] = RoleBasis.VOLUME
        if service.role not in APART:
            registers = fits & addresses.holds(("registration", index, ""))[server]
            role[registers], basis[registers] = Role.REGISTRATION, RoleBasis.PORT

    matched = service_code != 0
    returns = tcp & (from_client == 0) & (from_server > 0) & ~server_opened
    role[returns], basis[returns] = Role.RETURN, RoleBasis.PORT
    basis[returns & ~known] = RoleBasis.INFERRED
    inbound = server_opened & client_inside & (tcp | (part.protocol == UDP) | _is_request(part))
    role[inbound], basis[inbound] = Role.INBOUND, RoleBasis.PORT
    basis[inbound & ~(tcp & part.syn_seen)] = RoleBasis.INFERRED
    # Of a flow without captured start the published port says that the client opened it; without one nothing does.
    client_opened = (known & ~server_opened) | (~known & matched & ~returns)
    direction = np.where(server_opened, Direction.INBOUND, np.where(client_opened, Direction.OUTBOUND, 0))
    return Judged(
        at=at,
        matched=matched,
        service=service_code,
        services=tuple(names),
        role=role,
        role_basis=basis,
        direction=np.where(client_inside, direction, Direction.NEITHER).astype(np.uint8),
        client_is_initiator=~server_is_initiator,
    )


def _by_feature(part: Part, index: int, service: Service, addresses: AddressMap[SetName]) -> Judged:
    """Flows from the networks that may open the feature to the service's ports inside."""
    assert service.feature is not None
    theirs = addresses.holds(("feature", index, service.feature))
    numbers, ports = table_of((PROTOCOL_NUMBERS[name] for name in service.protocols), 256), port_table(service)
    # The inside end answers on the service's port; a TCP session must not have been opened by it.
    opened = part.opener != Opener.RESPONDER
    forward = theirs[part.initiator] & part.responder_inside & ports[part.responder_port] & opened
    not_inside_opened = (part.opener != Opener.INITIATOR) | (part.protocol != TCP)
    backward = theirs[part.responder] & part.initiator_inside & ports[part.initiator_port] & not_inside_opened
    at = np.flatnonzero(numbers[part.protocol] & (forward | backward))
    count = len(at)
    return Judged(
        at=at,
        matched=np.ones(count, np.bool_),
        service=np.ones(count, np.uint8),
        services=(service.id,),
        role=np.full(count, ROLES[service.role], np.uint8),
        role_basis=np.full(count, RoleBasis.PORT, np.uint8),
        direction=np.full(count, Direction.INBOUND, np.uint8),
        client_is_initiator=~forward[at],
    )


def _is_request(part: Part) -> Bools:
    """ICMP that asks: an answer or an error opens nothing."""
    asks: Bools = (part.protocol == ICMP) & table_of(ICMP_REQUESTS)[part.initiator_port]
    asks |= (part.protocol == ICMP6) & table_of(ICMP6_REQUESTS)[part.initiator_port]
    return asks
