"""Two reports side by side: what a change of the firewall made of findings, services, servers, volumes and coverage.

Findings are the same in both where their ids are: an id is made of check, vendor, ends, service port and direction, and
of no time. That a finding is gone means something only where the traffic that could have shown it is still there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from auditor.named import Named, Pairs, named_in
from auditor.severity import Severity

if TYPE_CHECKING:
    import pandas as pd

    from auditor.reporttypes import Document, FindingEntry

SCHEMA = "auditor.comparison/1"
Verdict = Literal["better", "same", "worse", "inconclusive"]
BETTER: Final = "better"
SAME: Final = "same"
WORSE: Final = "worse"
INCONCLUSIVE: Final = "inconclusive"
EXIT_CODES: Final[dict[str, int]] = {BETTER: 0, SAME: 0, WORSE: 1, INCONCLUSIVE: 3}
INCOMPLETE_CHECK = "capture-incomplete"
# What may differ in a finding that is in both; `count` differs with the length of the captures.
COMPARED = ("severity", "certainty", "outcome", "statement", "count")
# From one status of coverage to another: what weakens, and what strengthens.
BROKEN, MENDED = ("met", "violated"), ("violated", "met")


@dataclass(frozen=True, slots=True)
class Changed:
    """A finding of both reports that is not the same in both."""

    before: FindingEntry
    after: FindingEntry
    fields: tuple[str, ...]  # those of COMPARED that differ, and `waived`

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.after["id"], "fields": list(self.fields), "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two reports. Pairs are (vendor, thing)."""

    before: Document  # without flows and manifest where audits were compared: a million flows take seconds to write out
    after: Document
    new: list[FindingEntry]
    gone: list[FindingEntry]
    changed: list[Changed]
    services: tuple[list[tuple[str, str]], list[tuple[str, str]]]  # new, gone
    servers: tuple[list[tuple[str, str]], list[tuple[str, str]]]
    clients: tuple[list[tuple[str, str]], list[tuple[str, str]]]
    volumes: list[tuple[str, Mapping[str, int], Mapping[str, int]]]  # by traffic class
    coverage: list[tuple[str, str, str | None, str | None]]  # vendor, statement, status before and after
    verdict: Verdict
    reasons: list[str]  # for the verdict
    notes: list[str] = field(default_factory=list)  # what makes the two hard to compare

    @property
    def exit_code(self) -> int:
        """0 better or same, 1 worse, 3 inconclusive."""
        return EXIT_CODES[self.verdict]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values; schema `auditor.comparison/1`."""
        return {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "reasons": self.reasons,
            "notes": self.notes,
            "before": _side(self.before),
            "after": _side(self.after),
            "findings": {
                "new": self.new,
                "gone": self.gone,
                "changed": [changed.to_dict() for changed in self.changed],
            },
            "services": _pairs(self.services, "service"),
            "servers": _pairs(self.servers, "server_ip"),
            "clients": _pairs(self.clients, "client_ip"),
            "volumes": [
                {"class": name, "before": dict(before), "after": dict(after)} for name, before, after in self.volumes
            ],
            "coverage": [
                {"vendor": vendor, "statement": statement, "before": before, "after": after}
                for vendor, statement, before, after in self.coverage
            ],
        }

    @property
    def findings(self) -> pd.DataFrame:
        """One row per finding that is new, gone or changed; `change` says which."""
        from auditor.tables import change_table

        return change_table(self)

    def _repr_html_(self) -> str:
        from auditor.notebookview import comparison_html

        return comparison_html(self)


def compare(
    before: Document,
    after: Document,
    *,
    fail_on: Severity = Severity.MEDIUM,
    same_traffic: bool = False,
    named: tuple[Named, Named] | None = None,
) -> Comparison:
    """Compare two reports. `fail_on`: from which severity on a finding decides the verdict.

    `same_traffic`: both are of the same captures under different rules, so that what is gone is gone for the rules.
    `named`: what the flows of both name; None: the reports hold their flows.
    """
    old, new = _by_id(before["findings"]), _by_id(after["findings"])
    appeared = [finding for id, finding in new.items() if id not in old]
    gone = [finding for id, finding in old.items() if id not in new]
    changed = [
        Changed(old[id], finding, fields)
        for id, finding in new.items()
        if id in old and (fields := _differ(old[id], finding))
    ]
    coverage = _coverage(before, after)
    old_names, new_names = named or (named_in(before["flows"]), named_in(after["flows"]))
    doubts = [] if same_traffic else _doubts(after, old_names.vendors - new_names.vendors)
    verdict, reasons = _verdict(appeared, gone, changed, coverage, fail_on, doubts)
    return Comparison(
        before=before,
        after=after,
        new=appeared,
        gone=gone,
        changed=changed,
        services=_differences(old_names.services, new_names.services),
        servers=_differences(old_names.servers, new_names.servers),
        clients=_differences(old_names.clients, new_names.clients),
        volumes=_volumes(before, after),
        coverage=coverage,
        verdict=verdict,
        reasons=reasons,
        notes=_notes(before, after),
    )


def _by_id(findings: Sequence[FindingEntry]) -> dict[str, FindingEntry]:
    """Findings about traffic. What a capture lacks is its own affair, not the firewall's: the verdict knows of it."""
    return {finding["id"]: finding for finding in findings if finding["check"] != INCOMPLETE_CHECK}


def _waived(finding: FindingEntry) -> bool:
    return finding["waiver"] is not None and not finding["waiver"]["expired"]


def _differ(one: FindingEntry, other: FindingEntry) -> tuple[str, ...]:
    fields = tuple(name for name in COMPARED if one[name] != other[name])  # type: ignore[literal-required]
    return fields + (("waived",) if _waived(one) != _waived(other) else ())


def _weight(finding: FindingEntry, fail_on: Severity) -> int:
    """How much a finding counts: 0 where it does not decide."""
    severity = Severity[finding["severity"].upper()]
    return 0 if _waived(finding) or severity < fail_on else int(severity)


def _verdict(
    new: Sequence[FindingEntry],
    gone: Sequence[FindingEntry],
    changed: Sequence[Changed],
    coverage: Sequence[tuple[str, str, str | None, str | None]],
    fail_on: Severity,
    doubts: list[str],
) -> tuple[Verdict, list[str]]:
    worse = [_line(finding, "new") for finding in new if _weight(finding, fail_on)]
    better = [_line(finding, "gone") for finding in gone if _weight(finding, fail_on)]
    for one in changed:
        old, now = _weight(one.before, fail_on), _weight(one.after, fail_on)
        if now > old:
            worse.append(_line(one.after, f"was {_state(one.before)}"))
        elif now < old:
            better.append(_line(one.after, f"was {_state(one.before)}"))
    worse += [
        f"{vendor} {name} was met and is violated" for vendor, name, *status in coverage if tuple(status) == BROKEN
    ]
    mended = [
        f"{vendor} {name} was violated and is met" for vendor, name, *status in coverage if tuple(status) == MENDED
    ]
    if worse:
        return WORSE, worse
    if doubts:
        return INCONCLUSIVE, doubts
    if better or mended:
        return BETTER, better + mended
    return SAME, ["no finding that counts is new, gone or of another severity"]


def _doubts(after: Document, silent: frozenset[str]) -> list[str]:
    """Why nothing new and something gone need not mean anything. `silent`: vendors that had traffic before."""
    doubts = [f"{one['path']}, after the change, is not complete" for one in after["captures"] if not one["complete"]]
    if not sum(one["packets"] for one in after["captures"]):
        doubts.append("after the change no packet was captured")
    doubts += [f"after the change there is no traffic with {vendor}" for vendor in sorted(silent)]
    incomplete = [finding for finding in after["findings"] if finding["check"] == INCOMPLETE_CHECK]
    if incomplete and not doubts:
        doubts += list(dict.fromkeys(f"after the change: {finding['message']}" for finding in incomplete))
    return doubts


def _state(finding: FindingEntry) -> str:
    return f"{finding['severity']}{' and waived' if _waived(finding) else ''}"


def _line(finding: FindingEntry, what: str) -> str:
    return f"{what}: {finding['severity']} {finding['check']}: {finding['message']}"


def _coverage(before: Document, after: Document) -> list[tuple[str, str, str | None, str | None]]:
    """Statements whose status differs; None: that report does not know the statement."""
    old, new = (
        {(entry["vendor"], entry["statement"]): entry["status"] for entry in report["coverage"]}
        for report in (before, after)
    )
    return [(*key, old.get(key), new.get(key)) for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]


def _differences(old: Pairs, new: Pairs) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Pairs that only the new or only the old report has."""
    return sorted(new - old), sorted(old - new)


def _volumes(before: Document, after: Document) -> list[tuple[str, Mapping[str, int], Mapping[str, int]]]:
    nothing = {"flows": 0, "packets": 0, "bytes": 0}
    # a later version may tell other things beside the classes
    old, new = (
        {name: row for name, row in report["traffic"].items() if isinstance(row, dict)} for report in (before, after)
    )
    rows: list[tuple[str, Any, Any]] = [
        (name, old.get(name, nothing), new.get(name, nothing)) for name in [*old, *(set(new) - set(old))]
    ]
    return [row for row in rows if any(row[1].values()) or any(row[2].values())]


def _notes(before: Document, after: Document) -> list[str]:
    packs = [{(pack["id"], pack["version"]) for pack in report["packs"]} for report in (before, after)]
    notes = [
        f"only {'before' if pack in packs[0] else 'after'} was audited against {pack[0]} {pack[1]}"
        for pack in sorted(packs[0] ^ packs[1])
    ]
    if before["site"] != after["site"]:
        notes.append("the two were audited with different sites: differences may come from those")
    lost = [one["path"] for one in before["captures"] if not one["complete"]]
    if lost:
        notes.append(f"{', '.join(lost)}, before the change, is not complete: what looks new may have been there")
    versions = [report["auditor"]["version"] for report in (before, after)]
    if versions[0] != versions[1]:
        notes.append(f"audited by versions {versions[0]} and {versions[1]}")
    return notes


def _side(report: Document) -> dict[str, Any]:
    captures = [
        {key: one[key] for key in ("path", "start", "end", "packets", "complete")} for one in report["captures"]
    ]
    return {"verdict": report["verdict"], "captures": captures, "packs": report["packs"]}


def _pairs(both: tuple[list[tuple[str, str]], list[tuple[str, str]]], name: str) -> dict[str, list[dict[str, str]]]:
    new, gone = ([{"vendor": vendor, name: thing} for vendor, thing in pairs] for pairs in both)
    return {"new": new, "gone": gone}
