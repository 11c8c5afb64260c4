"""Checks of rule packs as a set: what no single file can get wrong by itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import Final

from auditor.addresses import AddressSet
from auditor.discovery import ids
from auditor.frozen import frozen
from auditor.rulepack import RulePack
from auditor.words import did_you_mean, listed

JUDGES: Final = ("classification", "coverage", "export", "session-summary", *ids("auditor.judges"))
"""Words that may stand for a check in `checked_by`: parts of the program that a statement rests on instead."""
NAMED: Final = frozenset(
    {
        "active-mode-ftp",
        "asymmetric-path",
        "capture-incomplete",
        "cleartext-credentials",
        "control-not-secured",
        "data-outlives-control",
        "data-port-not-negotiated",
        "data-without-control",
        "destination-outside-published",
        "hostname-resolves-outside",
        "icmp-use",
        "inbound-initiated",
        "not-transparent",
        "other-protocol-use",
        "outside-backup-window",
        "port-not-published",
        "proxy-bypassed",
        "proxy-target-outside-published",
        "required-access-blocked",
        "restore-observed",
        "return-port-outside-range",
        "server-set-exceeded",
        "support-session-observed",
        "udp-use",
        "unauthorised-client",
        "unencrypted-payload",
        "unexpected-proxy",
        "unlisted-program",
        "unneeded-name-resolution",
        "unsolicited-return",
    }
)
"""Checks whose names and meanings are fixed. A statement may name one before the version at hand has it."""


@frozen
class Remark:
    """Something about a set of packs: an error, or a note that asks for no change."""

    error: bool
    pack: str
    """The id; several are joined by `|`."""
    place: str
    message: str


def check_packs(packs: Sequence[RulePack]) -> list[Remark]:
    """What is wrong with, or worth knowing of, `packs` together. Errors first, then by pack."""
    remarks = [*_duplicates(packs), *_clashes(packs), *_overlaps(packs)]
    for pack in packs:
        remarks += _judges(pack)
        remarks += _unused(pack)
    return sorted(remarks, key=lambda remark: (not remark.error, remark.pack))


def _duplicates(packs: Sequence[RulePack]) -> Iterator[Remark]:
    for name, count in Counter(pack.id for pack in packs).items():
        if count > 1:
            yield Remark(True, name, "id", f"{count} packs have this id; expected one")


def _judges(pack: RulePack) -> Iterator[Remark]:
    checks = ids("auditor.checks")
    for statement in pack.statements:
        place = f"statements.{statement.id}.checked_by"
        if not statement.checked_by:
            yield Remark(True, pack.id, place, f"is empty; expected a check or {listed(JUDGES)}")
        for name in statement.checked_by:
            if name in checks or name in JUDGES:
                continue
            if name in NAMED:
                yield Remark(False, pack.id, place, f"this version has no check {name!r} yet")
            else:
                hint = did_you_mean(name, [*checks, *JUDGES, *NAMED])
                yield Remark(True, pack.id, place, f"no check {name!r}{hint}")


def _clashes(packs: Sequence[RulePack]) -> Iterator[Remark]:
    """Signature ports that several packs have: there a port alone names candidates, not a vendor."""
    owners: dict[tuple[str, str], set[str]] = defaultdict(set)
    for pack in packs:
        for service in (service for service in pack.services if service.signature):
            for ports, transport in product(service.ports, service.protocols):
                owners[str(ports), transport].add(pack.id)
    for (number, protocol), names in sorted(owners.items()):
        if len(names) > 1:
            found = f"{number}/{protocol} is a signature port of {listed(sorted(names), 'and')}"
            message = f"{found}; outside their networks it may be any of them"
            yield Remark(False, "|".join(sorted(names)), "services", message)


def _overlaps(packs: Sequence[RulePack]) -> Iterator[Remark]:
    for one, other in combinations(sorted(packs, key=lambda pack: pack.id), 2):
        theirs = AddressSet(other.published)
        for item in one.published:
            if one.id != other.id and theirs.overlaps(item):
                message = f"{item} of {one.id} meets a network of {other.id}; flows there may belong to either"
                yield Remark(False, f"{one.id}|{other.id}", "networks", message)


def _unused(pack: RulePack) -> Iterator[Remark]:
    used = {group for service in pack.services for group in service.networks or pack.networks}
    for group in pack.networks:
        if group not in used:
            yield Remark(False, pack.id, f"networks.{group}", "no service is found there")
    if not pack.networks and not any(service.signature for service in pack.services):
        yield Remark(
            False, pack.id, "networks", "neither networks nor a signature port: nothing is this pack's by itself"
        )
