"""The same traffic under other rules: which flows and findings change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from auditor.comparison import EXIT_CODES, INCONCLUSIVE, WORSE, Comparison, Verdict, compare
from auditor.document import document
from auditor.errors import AuditorError
from auditor.severity import Severity

if TYPE_CHECKING:
    from auditor.reporttypes import Document, FlowEntry

SCHEMA = "auditor.whatif/1"
NAMED = ("vendor", "service", "role")


@dataclass(frozen=True, slots=True)
class Rules:
    """Packs and site; none: all shipped packs, no site."""

    packs: tuple[str, ...] = ()
    site: str | None = None


@dataclass(frozen=True, slots=True)
class FlowChange:
    """A flow that other rules see otherwise. Checks: those that object to it."""

    flow: FlowEntry  # under the new rules
    before: dict[str, str]  # vendor, service, role under the old ones
    checks_before: tuple[str, ...]
    checks_after: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        ends = ("flow_id", "start", "protocol", "initiator_ip", "initiator_port", "responder_ip", "responder_port")
        return {
            **{name: self.flow[name] for name in ends},  # type: ignore[literal-required]
            "before": {**self.before, "checks": list(self.checks_before)},
            "after": {**_named(self.flow), "checks": list(self.checks_after)},
        }


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What changes. `comparison`: of the two reports; `unjudged`: what could not be judged again, a sentence each."""

    comparison: Comparison
    flows: list[FlowChange]
    unjudged: list[str]

    @property
    def verdict(self) -> Verdict:
        """better | same | worse; inconclusive where nothing got worse and something could not be judged."""
        said = self.comparison.verdict
        return INCONCLUSIVE if self.unjudged and said != WORSE else said

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.verdict]

    def to_dict(self) -> dict[str, Any]:
        compared = self.comparison.to_dict()
        kept = ("reasons", "findings", "services", "servers", "coverage")
        return {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "old": compared["before"],
            "new": compared["after"],
            "unjudged": self.unjudged,
            "flows": [change.to_dict() for change in self.flows],
            **{name: compared[name] for name in kept},
        }


def what_if(
    inputs: Sequence[str],
    new: Rules,
    old: Rules | None = None,
    *,
    as_of: date | None = None,
    fail_on: Severity = Severity.MEDIUM,
) -> WhatIf:
    """Judge captures, or one file of stored flows, by the old rules and by the new ones. Raises: AuditorError."""
    old = old or Rules()
    stored = _stored(inputs)
    unjudged: list[str] = []
    if stored is None:
        from auditor.pipeline import audit

        old_report, new_report = (
            document(audit(inputs, packs=rules.packs, site=rules.site, as_of=as_of, all_flows=True))
            for rules in (old, new)
        )
    else:
        from auditor.flowstore import judge_stored, unheard
        from auditor.site import Site

        audits = [judge_stored(stored, packs=rules.packs, site=rules.site, as_of=as_of) for rules in (old, new)]
        old_report, new_report = (document(one) for one in audits)
        for one in audits:
            unjudged += unheard(stored, one.enabled_packs, one.site_given or Site())
        unjudged = list(dict.fromkeys(unjudged))
    return WhatIf(
        compare(old_report, new_report, fail_on=fail_on, same_traffic=True), _flows(old_report, new_report), unjudged
    )


def _stored(inputs: Sequence[str]) -> Any:
    """The stored flows where that is what the input is, else None. Raises: AuditorError for a mixture."""
    from auditor.flowstore import is_store, load_flows

    stores = [word for word in inputs if is_store(word)]
    if not stores:
        return None
    if len(inputs) > 1:
        raise AuditorError(
            f"{stores[0]}: stored flows are judged one file at a time", help="expected captures, or one file"
        )
    return load_flows(stores[0])


def _named(flow: FlowEntry) -> dict[str, str]:
    return {name: flow[name] for name in NAMED}  # type: ignore[literal-required]


def _objections(report: Document) -> dict[str, tuple[str, ...]]:
    """Checks that object to each flow, waived findings aside."""
    found: dict[str, set[str]] = {}
    for finding in report["findings"]:
        if finding["waiver"] is None or finding["waiver"]["expired"]:
            for id in finding["flow_ids"]:
                found.setdefault(id, set()).add(finding["check"])
    return {id: tuple(sorted(checks)) for id, checks in found.items()}


def _flows(old: Document, new: Document) -> list[FlowChange]:
    was, objected_before, objects_after = _first_rows(old), _objections(old), _objections(new)
    changes = []
    for id, flow in _first_rows(new).items():
        before, after = objected_before.get(id, ()), objects_after.get(id, ())
        if before != after or _named(was[id]) != _named(flow):
            changes.append(FlowChange(flow, _named(was[id]), before, after))
    return changes


def _first_rows(report: Document) -> dict[str, FlowEntry]:
    """Each flow by its first row: later rows of it are named alike."""
    rows: dict[str, FlowEntry] = {}
    for flow in report["flows"]:
        rows.setdefault(flow["flow_id"], flow)
    return rows
