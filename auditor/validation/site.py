"""Sites from YAML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from auditor.discovery import ids
from auditor.errors import SiteError
from auditor.places import Place
from auditor.rulepack import EnabledPack, RulePack, choose_packs, enabled_pack, find_pack, shipped_packs
from auditor.site import Site
from auditor.site_rules import contradictions
from auditor.validation import Rules, validate
from auditor.validation.given import empty_lists, mapping, mappings
from auditor.words import did_you_mean, listed
from auditor.yamlfile import Fault


def validate_site(content: bytes, name: str, chosen: Sequence[str] = ()) -> Site:
    """The site in a YAML document, used with the packs `chosen` (see `rulepack.choose_packs`).

    Raises: SiteError with every error of it; AuditorError for an unknown chosen pack.
    """
    packs = {pack.id: pack for pack in [*shipped_packs(), *(find_pack(name) for name in chosen)]}

    def names(given: dict[str, Any]) -> Iterator[Fault]:
        yield from _pack_faults(given, packs)
        yield from _waiver_faults(given, packs)

    def relations(site: Site, given: dict[str, Any]) -> Iterator[Fault]:
        for place, message in contradictions(site, _enabled(site, given, packs, chosen)):
            # An address that is written, but wrong by itself, has its message already.
            if place != ("vantage",) or "nat" not in given:
                yield Fault(place, message)

    return validate(Site, content, name, SiteError, Rules(names, relations))


def _enabled(
    site: Site, given: dict[str, Any], packs: dict[str, RulePack], chosen: Sequence[str]
) -> tuple[EnabledPack, ...]:
    """The packs that an audit with this site would use, as far as they are known."""
    if chosen:
        used: Iterable[RulePack] = choose_packs(site, chosen)
    else:
        used = [pack for name, pack in packs.items() if name in (mapping(given, "packs") or packs)]
    return tuple(enabled_pack(pack, site) for pack in used)


def _pack_faults(given: dict[str, Any], packs: dict[str, RulePack]) -> Iterator[Fault]:
    for name, options in mapping(given, "packs").items():
        if name not in packs:
            hint = did_you_mean(name, packs) or f"; expected {listed(packs)}"
            yield Fault(("packs", name), f"no rule pack {name!r}{hint}")
            continue
        for feature, setting in mapping(options, "features").items():
            place: Place = ("packs", name, "features", feature)
            known = packs[name].features
            if feature not in known:
                hint = did_you_mean(feature, known) or (f"; expected {listed(known)}" if known else "; it has none")
                yield Fault(place, f"{name} has no feature {feature!r}{hint}")
            elif list(empty_lists(setting, "networks")):
                yield Fault((*place, "networks"), "is empty; expected the networks that may open it")


def _waiver_faults(given: dict[str, Any], packs: dict[str, RulePack]) -> Iterator[Fault]:
    checks = ids("auditor.checks")
    for at, waiver in mappings(given, "waivers"):
        check, vendors = waiver.get("check"), waiver.get("vendor")
        if isinstance(check, str) and check not in checks:
            yield Fault(("waivers", at, "check"), f'no check "{check}"{did_you_mean(check, checks)}')
        for vendor in vendors.split("|") if isinstance(vendors, str) else ():
            if vendor not in packs:
                yield Fault(("waivers", at, "vendor"), f'no rule pack "{vendor}"{did_you_mean(vendor, packs)}')
