"""Find UDP between the inside and a vendor's network.

What it finds
    UDP flows with one end inside and the other in a network of an enabled pack, published or given by the site. Also
    datagrams to and from such a network through the relay of a SOCKS proxy (UDP ASSOCIATE), one finding for each far
    end.
Why it matters
    The vendors speak TCP only, so UDP to or from their networks is misuse or a firewall rule that is too wide. UDP has
    no handshake: what comes in unasked reaches the host.
What you see
    udp-use  medium  10.0.0.5 → 204.164.111.9:16384/udp  3 flows, first at frame 88
    Severity: outbound medium, inbound high. Who sent first is `inferred` where the capture shows one direction only, or
    where both ends were talking within `midstream_grace` (300 s, site threshold) of its start. SecuriData's document
    contradicts itself about UDP on port 4401: the finding names both readings.
Stays silent
    UDP that the pack publishes, when the site turned that feature on. UDP on a signature port of an address outside the
    networks: that is somebody's telephone call, not the vendor.
Rests on
    statements `conflict`, `tcp-only`, `ports`
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from auditor.addressmap import table_of_ports
from auditor.checks._said import told
from auditor.checks._select import early, ends, one_pack, outcome
from auditor.checks.base import Check, Context, Hits, Severity, Targets
from auditor.flow import UDP, Bools, Direction, Flows, Role, Rows
from auditor.interest import in_force
from auditor.proxies import at_vendors

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack, Service

BOTH_READINGS = (
    "; {vendor}'s document has this port with TCP alone in one place and with TCP and UDP in another: by the first"
    " reading this is outside of what is published, by the second it is within"
)


REMEDIATION = "Block UDP with the vendor's networks, unless the vendor confirms that it is needed."


class UdpUse(Check):
    id = "udp-use"
    title = "UDP with a vendor's network"
    since = "0.1"
    statements = frozenset({"conflict", "tcp-only", "ports"})

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        yield from self._relayed(flows, context)
        crossing = (flows.vendor != 0) & (flows.protocol == UDP) & (flows.direction != Direction.NEITHER)
        rows = np.flatnonzero(crossing & np.isin(flows.role, (Role.UNPUBLISHED, Role.INBOUND)))
        if not len(rows):
            return
        rows = rows[~_published(flows, rows, context)]
        contested = _contested(flows, rows, context)
        yield from self._hits(flows, rows[~contested], context, ("tcp-only", "ports"), "")
        yield from self._hits(flows, rows[contested], context, ("conflict", "tcp-only", "ports"), BOTH_READINGS)

    def _relayed(self, flows: Flows, context: Context) -> Iterable[Hits]:
        """Far ends of datagrams through relays, vendor by vendor: one flow may lead to several."""
        events, rows = told(flows, context, "socks-datagram")
        for enabled in context.packs if len(rows) else ():
            ports = context.events.port[events]
            theirs = at_vendors(context.events, events, [enabled]) & ~_ports(_udp_services(enabled))[ports]
            both = _tcp_ports(enabled)[ports] & (enabled.pack.statement("conflict") is not None)
            for chosen, statements, reading in (
                (theirs & ~both, ("tcp-only", "ports"), ""),
                (theirs & both, ("conflict", "tcp-only", "ports"), BOTH_READINGS),
            ):
                if chosen.any():
                    here, which = rows[chosen], events[chosen]
                    yield Hits(
                        here,
                        Severity.MEDIUM,
                        "UDP between {client_ip} and {server_ip}, a network of {vendor}, through"
                        " the relay of the SOCKS proxy {via}" + reading,
                        outcome=outcome(flows, here),
                        statements=statements,
                        remediation=REMEDIATION,
                        vendor=enabled.id,
                        targets=_far_ends(context, which),
                        told_by=which,
                    )

    def _hits(
        self, flows: Flows, rows: Rows, context: Context, statements: tuple[str, ...], reading: str
    ) -> Iterable[Hits]:
        if not len(rows):
            return
        inbound = flows.direction[rows] == Direction.INBOUND
        both_ways = (flows.packets_forward[rows] > 0) & (flows.packets_reverse[rows] > 0)
        unsure = context.health.one_sided | (early(flows, rows, context) & both_ways)
        yield Hits(
            rows,
            np.where(inbound, Severity.HIGH, Severity.MEDIUM).astype(np.uint8),
            "UDP between {client_ip} and {server_ip}, a network of {vendor}, port {service_port}" + reading,
            certain=~(inbound & unsure),
            outcome=outcome(flows, rows),
            statements=statements,
            remediation=REMEDIATION,
        )


def _published(flows: Flows, rows: Rows, context: Context) -> Bools:
    """UDP with a port that the pack publishes for UDP, whoever was captured first."""
    found = np.zeros(len(rows), np.bool_)
    server_port = ends(flows, rows).server_port
    for enabled in context.packs:
        found |= one_pack(context, enabled)[flows.vendor[rows]] & _ports(_udp_services(enabled))[server_port]
    return found


def _udp_services(enabled: EnabledPack) -> Iterable[Service]:
    """What the vendor's servers publish for UDP."""
    services = (service for service in enabled.pack.services if in_force(service, enabled))
    return (service for service in services if "udp" in service.protocols and service.direction != "inbound")


def _tcp_ports(enabled: EnabledPack) -> Bools:
    """Table over ports: those that are published, but not for UDP."""
    return _ports(service for service in enabled.pack.services if "udp" not in service.protocols)


def _far_ends(context: Context, events: Rows) -> Targets:
    """The far ends that relayed datagrams name."""
    names = tuple(context.events.text[event].lower() for event in events.tolist())
    return Targets(
        hi=context.events.address_hi[events],
        lo=context.events.address_lo[events],
        port=context.events.port[events].astype(np.int64),
        names=names if any(names) else (),
    )


def _contested(flows: Flows, rows: Rows, context: Context) -> Bools:
    """UDP with a port that a self-contradicting document has for TCP, at either end."""
    found = np.zeros(len(rows), np.bool_)
    for enabled in context.packs:
        if enabled.pack.statement("conflict") is None:
            continue
        ports = _tcp_ports(enabled)
        there = ports[flows.initiator_port[rows]] | ports[flows.responder_port[rows]]
        found |= one_pack(context, enabled)[flows.vendor[rows]] & there
    return found


def _ports(services: Iterable[Service]) -> Bools:
    """Table over ports: whether one of the services lists it."""
    return table_of_ports(ports for one in services for ports in one.ports)
