"""The same traffic under other rules: which flows and findings change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from auditor.comparison import EXIT_CODES, INCONCLUSIVE, WORSE, Comparison, Verdict, compare
from auditor.document import outline
from auditor.errors import AuditorError
from auditor.named import named_by
from auditor.severity import Severity

if TYPE_CHECKING:
    from auditor.reporttypes import Document, FlowEntry
    from auditor.result import Audit

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

        audits = [
            audit(inputs, packs=rules.packs, site=rules.site, as_of=as_of, all_flows=True) for rules in (old, new)
        ]
    else:
        from auditor.flowstore import judge_stored, unheard
        from auditor.site import Site

        audits = [judge_stored(stored, packs=rules.packs, site=rules.site, as_of=as_of) for rules in (old, new)]
        for one in audits:
            unjudged += unheard(stored, one.enabled_packs, one.site_given or Site())
        unjudged = list(dict.fromkeys(unjudged))
    reports = [outline(one) for one in audits]
    named = named_by(audits[0].shown_flows), named_by(audits[1].shown_flows)
    return WhatIf(compare(*reports, fail_on=fail_on, same_traffic=True, named=named), _flows(audits, reports), unjudged)


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


def _flows(audits: Sequence[Audit], reports: Sequence[Document]) -> list[FlowChange]:
    """The flows that the two audits name or object to otherwise. Only for those entries are made."""
    import numpy as np

    from auditor import flowtable

    before, after = map(_objections, reports)
    tables = [audit.shown_flows for audit in audits if audit.shown_flows is not None]
    if not tables:
        return []
    (old, old_labels), (new, new_labels) = tables
    # Each flow by its first row: later rows of it are named alike.
    (_, was), (ids, at) = (np.unique(flows.flow_id, return_index=True) for flows in (old, new))
    otherwise = old.role[was] != new.role[at]
    for name in ("vendor", "service"):
        words = getattr(old_labels, f"{name}s"), getattr(new_labels, f"{name}s")
        alike = np.array([[word == other for other in words[1]] for word in words[0]])
        otherwise |= ~alike[getattr(old, name)[was], getattr(new, name)[at]]
    objected = [int(id, 16) for id in before.keys() | after.keys() if before.get(id) != after.get(id)]
    otherwise |= np.isin(ids, np.array(objected, np.uint64))
    order = np.argsort(at[otherwise])
    sides = []
    for flows, labels, rows, audit in ((old, old_labels, was, audits[0]), (new, new_labels, at, audits[1])):
        chosen = flows[rows[otherwise][order]]
        sides.append(flowtable.rows(chosen, labels, [str(capture["path"]) for capture in audit.captures]))
    return [
        FlowChange(flow, _named(earlier), before.get(flow["flow_id"], ()), after.get(flow["flow_id"], ()))
        for earlier, flow in cast("Iterable[tuple[FlowEntry, FlowEntry]]", zip(*sides, strict=True))
    ]
