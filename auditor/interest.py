"""Which traffic some check can ever concern. The engine counts the rest and forgets it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auditor.addresses import AddressRange, intervals

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack, Service
    from auditor.site import Site


def interesting_networks(packs: Sequence[EnabledPack], site: Site) -> tuple[tuple[int, int], ...]:
    """Sorted disjoint ranges of addresses: flows with an end in one of them are wanted.

    Networks of the packs and of features that are on; the site's backup hosts, whom nobody outside may open, and of
    whom the dedicated ones may go nowhere else; its proxies and mapped ports, behind which the vendor's servers may be.
    """
    ranges: list[AddressRange] = []
    for enabled in packs:
        ranges += [item for group in enabled.networks.values() for item in group]
        ranges += [item for networks in enabled.features.values() for item in networks]
    ranges += [host.address for host in site.backup_hosts]
    ranges += [proxy.address for proxy in site.proxies]
    ranges += [endpoint.range for endpoint in site.mapped_proxies]
    return tuple(intervals(ranges))


def interesting_ports(packs: Sequence[EnabledPack], site: Site) -> tuple[int, ...]:
    """TCP ports whose flows are wanted wherever they go: those that tell a vendor, and those of proxies."""
    from auditor.wishes import proxy_ports

    return tuple(sorted({*signature_ports(packs), *proxy_ports(packs, site)}))


def signature_ports(packs: Sequence[EnabledPack]) -> dict[int, frozenset[int]]:
    """TCP ports by which traffic is known wherever it goes, and the indexes of the packs that use each."""
    users: dict[int, frozenset[int]] = {}
    for index, enabled in enumerate(packs):
        for service in enabled.pack.services:
            if not service.signature or "tcp" not in service.protocols or not in_force(service, enabled):
                continue
            for port in (port for ports in service.ports for port in range(ports.first, ports.last + 1)):
                users[port] = users.get(port, frozenset()) | {index}
    return dict(sorted(users.items()))


def in_force(service: Service, enabled: EnabledPack) -> bool:
    """Whether the service is published without condition, or the site turned its feature on."""
    return service.feature is None or service.feature in enabled.features
