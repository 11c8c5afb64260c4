"""What has to hold between a site and the rule packs that it is used with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from auditor.addresses import AddressRange, AddressSet
from auditor.errors import SiteError
from auditor.places import Place, path

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack
    from auditor.site import Site


def require_consistent(site: Site, packs: Sequence[EnabledPack]) -> None:
    """Refuse a site that contradicts the enabled `packs`. A site from a file was told so before, with line numbers.

    Raises: SiteError with every contradiction.
    """
    errors = [f"site: {path(place)}: {message}" for place, message in contradictions(site, packs)]
    if errors:
        raise SiteError(errors)


def contradictions(site: Site, packs: Sequence[EnabledPack]) -> Iterator[tuple[Place, str]]:
    """Where a site says what cannot be, or contradicts the enabled packs: the place in the site, and a message."""
    from auditor.site import DEFAULT_INSIDE

    if site.vantage == "outside" and not site.nat:
        yield ("vantage",), "outside needs `nat`: there the inside shows only by its translated addresses"
    own = [(("nat", at), item) for at, item in enumerate(site.nat)]
    if site.inside[: len(DEFAULT_INSIDE)] != DEFAULT_INSIDE:
        own += [(("inside", at), item) for at, item in enumerate(site.inside) if item not in site.nat]
        if not site.inside:
            yield ("inside",), "is empty; expected a network at least"
    for pack in packs:
        for place, item in own:
            yield from (
                (place, _inside(item, *vendor, pack.id)) for vendor in _networks(pack) if item.overlaps(vendor[1])
            )
        if site.inside[: len(DEFAULT_INSIDE)] == DEFAULT_INSIDE:
            yield from _in_default_inside(pack)
    for name, options in site.packs.items():
        if options.valid_from and options.valid_until and options.valid_until < options.valid_from:
            yield ("packs", name, "valid_until"), f"{options.valid_until} comes before {options.valid_from}, valid_from"
    inside = AddressSet(site.inside)
    for at, host in enumerate(site.backup_hosts):
        if not inside.overlaps(host.address):
            yield ("backup_hosts", at), f"{host.address} is not inside; expected an address of `inside`"
    vendors = AddressSet(item for pack in packs for _, item in _networks(pack))
    for endpoint, target in site.mapped_proxies.items():
        if target.first != target.last:
            yield ("mapped_proxies", endpoint.text), f"leads to {target}; expected one address"
        if not vendors.overlaps(target):
            yield (
                ("mapped_proxies", endpoint.text),
                f"{target} is in no network of {_ids(packs)}; expected a server's address",
            )


def _networks(pack: EnabledPack) -> list[tuple[str, AddressRange]]:
    return [(group, item) for group, ranges in pack.networks.items() for item in ranges]


def _inside(own: AddressRange, group: str, item: AddressRange, vendor: str) -> str:
    return f"{own} meets {item}, which is {vendor}'s ({group}); a vendor's network cannot be inside"


def _in_default_inside(pack: EnabledPack) -> Iterator[tuple[Place, str]]:
    from auditor.rulepack import SITE_GROUP
    from auditor.site import DEFAULT_INSIDE

    for group, item in _networks(pack):
        own = next((own for own in DEFAULT_INSIDE if own.overlaps(item)), None)
        if own is not None:
            place = ("packs", pack.id, "networks") if group == SITE_GROUP else ("inside",)
            yield (
                place,
                f"{item} of {pack.id} ({group}) meets {own}, which is inside as long as the site gives no `inside`",
            )


def _ids(packs: Sequence[EnabledPack]) -> str:
    return ", ".join(pack.id for pack in packs)
