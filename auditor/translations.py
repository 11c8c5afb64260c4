"""The translation table: what the firewall makes of each client's flows with each server."""

from __future__ import annotations

from typing import Any

import numpy as np

from auditor.checks._select import group
from auditor.crossing import Tie
from auditor.distinct import distinct
from auditor.flow import Bools, Direction, Flows, Role
from auditor.formats import address_text, time_text
from auditor.frozen import frozen
from auditor.vantages import Vantages, crossing_ends

SECOND = 10**9  # nanoseconds
PORTS_LISTED = 100  # of one entry


@frozen
class Translation:
    """Flows of one client with one service that look alike outside of the firewall. Times: by the inside's clock."""

    protocol: str
    direction: str | None
    client_ip: str
    outside_client_ip: str
    server_ip: str
    outside_server_ip: str
    service_port: int  # the responder's
    outside_service_port: int
    flows: int
    initiator_ports: tuple[tuple[int, int], ...]  # the initiator's, inside and outside, the first PORTS_LISTED
    tied_by: tuple[str, ...]  # words of `Tie`
    first_ns: int
    last_ns: int

    def to_dict(self) -> dict[str, Any]:
        return {
            "protocol": self.protocol,
            "direction": self.direction,
            "client_ip": self.client_ip,
            "outside_client_ip": self.outside_client_ip,
            "server_ip": self.server_ip,
            "outside_server_ip": self.outside_server_ip,
            "service_port": self.service_port,
            "outside_service_port": self.outside_service_port,
            "flows": self.flows,
            "initiator_ports": [{"inside": inside, "outside": outside} for inside, outside in self.initiator_ports],
            "tied_by": list(self.tied_by),
            "first_seen": time_text(self.first_ns),
            "last_seen": time_text(self.last_ns),
        }


@frozen
class Crossed:
    """What became of flows on their way through the firewall."""

    translations: tuple[Translation, ...]  # of vendors' flows
    clock_offset_ns: int  # what the outside's clock shows more than the inside's
    paired: int  # flows that both vantages show
    only_inside: int
    only_outside: int

    def to_dict(self) -> dict[str, Any]:
        return {
            "clock_offset": self.clock_offset_ns / SECOND,
            "paired": self.paired,
            "only_inside": self.only_inside,
            "only_outside": self.only_outside,
        }


def crossed_firewall(flows: Flows, vantages: Vantages) -> Crossed:
    """The summary of all, and the translation table of vendors' flows."""
    found = vantages.counterpart >= 0
    return Crossed(
        translations=tuple(translations(flows, vantages, (flows.vendor != 0) | (flows.role == Role.PROXY))),
        clock_offset_ns=vantages.clock_offset_ns,
        paired=int(found.sum()),
        only_inside=int((~found & ~vantages.only_outside).sum()),
        only_outside=len(vantages.outside) - int(found.sum()),
    )


def translations(flows: Flows, vantages: Vantages, chosen: Bools) -> list[Translation]:
    """The translation table of the chosen flows, in the order of clients and servers inside."""
    rows, there = vantages.paired(np.flatnonzero(chosen))
    if not len(rows):
        return []
    inside, outside = crossing_ends(flows, vantages, rows, there)
    inbound = flows.direction[rows] == Direction.INBOUND
    # the port that was called tells services apart; the one that called is each flow's own
    services = [np.where(inbound, side.client[2], side.server[2]) for side in (inside, outside)]
    hosts = [column for side in (inside, outside) for end in side for column in end[:2]]
    numbers = group(flows.protocol[rows], inbound, *hosts, *services)
    order = np.lexsort((flows.start_ns[rows], numbers))
    found = []
    for part in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
        one, mine = int(part[0]), rows[part]
        callers = [
            np.where(inbound[part], side.server[2][part], side.client[2][part]).tolist() for side in (inside, outside)
        ]
        addresses = [address_text(int(end[0][one]), int(end[1][one])) for side in (inside, outside) for end in side]
        found.append(
            Translation(
                protocol=_protocol_name(int(flows.protocol[mine[0]])),
                direction=DIRECTIONS[Direction(int(flows.direction[mine[0]]))],
                client_ip=addresses[0],
                outside_client_ip=addresses[2],
                server_ip=addresses[1],
                outside_server_ip=addresses[3],
                service_port=int(services[0][one]),
                outside_service_port=int(services[1][one]),
                flows=len(part),
                initiator_ports=tuple(zip(*callers, strict=True))[:PORTS_LISTED],
                tied_by=tuple(Tie(code).word for code in distinct(vantages.tie[mine]).tolist()),
                first_ns=int(flows.start_ns[mine].min()),
                last_ns=int(flows.end_ns[mine].max()),
            )
        )
    return found


DIRECTIONS = {Direction.NEITHER: None, Direction.OUTBOUND: "outbound", Direction.INBOUND: "inbound"}


def _protocol_name(number: int) -> str:
    from auditor._engine import protocol_name

    return str(protocol_name(number))
