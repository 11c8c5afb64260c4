"""Rule packs from YAML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.errors import RulePackError
from auditor.places import Place
from auditor.rulepack import SITE_GROUP, RulePack
from auditor.validation import Rules, validate
from auditor.validation.given import empty_lists, mapping, mappings, texts
from auditor.words import did_you_mean
from auditor.yamlfile import Fault


def validate_pack(content: bytes, name: str) -> RulePack:
    """The rule pack in a YAML document. Raises: RulePackError with every error of it."""
    return validate(RulePack, content, name, RulePackError, Rules(_names, _relations))


def _names(given: dict[str, Any]) -> Iterator[Fault]:
    for key in empty_lists(given, "services", "statements"):
        yield Fault((key,), "is empty; expected one at least")
    yield from _twice("services", given)
    yield from _twice("statements", given)
    groups = mapping(given, "networks")
    if SITE_GROUP in groups:
        yield Fault(("networks", SITE_GROUP), "is the name of the networks that a site adds; expected another")
    for group in empty_lists(groups, *groups):
        yield Fault(("networks", group), "is empty; expected a network at least")
    known = {
        "statement": ("statement", {item.get("id") for _, item in mappings(given, "statements")}),
        "negotiated_by": ("service with the role", {item.get("role") for _, item in mappings(given, "services")}),
    }
    for at, service in mappings(given, "services"):
        for key in empty_lists(service, "ports", "protocols"):
            yield Fault(("services", at, key), "is empty; expected one at least")
        for index, group in texts(service, "networks"):
            yield from _known(("services", at, "networks", index), "group of networks", group, set(groups))
        for key, (what, names) in known.items():
            if isinstance(service.get(key), str):
                yield from _known(("services", at, key), what, service[key], names)


def _relations(pack: RulePack, _given: dict[str, Any]) -> Iterator[Fault]:
    for group, ranges in pack.networks.items():
        for at, item in enumerate(ranges):
            if any(item.overlaps(earlier) for earlier in ranges[:at]):
                yield Fault(("networks", group, at), f"{item} meets a range before it; expected each address once")
    if pack.valid_from and pack.valid_until and pack.valid_until < pack.valid_from:
        yield Fault(("valid_until",), f"{pack.valid_until} comes before valid_from, {pack.valid_from}")


def _twice(key: str, given: dict[str, Any]) -> Iterator[Fault]:
    seen: set[str] = set()
    for at, item in mappings(given, key):
        id = item.get("id")
        if isinstance(id, str):
            if id in seen:
                yield Fault((key, at, "id"), f"{id!r} is there twice; expected once")
            seen.add(id)


def _known(place: Place, what: str, name: str, known: set[Any]) -> Iterator[Fault]:
    if name not in known:
        hint = did_you_mean(name, (word for word in known if isinstance(word, str)))
        yield Fault(place, f"this pack has no {what} {name!r}{hint}")
