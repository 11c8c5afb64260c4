"""From the engine's columns to findings and coverage. All of it works on whole columns; this is where numpy begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from auditor import discovery
from auditor.batches import TYPES, Labelled, flows_of
from auditor.checks.base import Check, Context, Quotes
from auditor.coverage import Judges, coverage_of
from auditor.events import events_of, samples_of
from auditor.exercise import exercise_of
from auditor.flow import Flows
from auditor.grouping import Grouping, sorted_findings
from auditor.identify import identify
from auditor.judges.base import Case, all_judges, verdicts_of
from auditor.lean import NamedTuple
from auditor.pieces import classified_rows, whole_flows
from auditor.result import Judged
from auditor.sessions import sessions_of
from auditor.traffic import traffic_summary

if TYPE_CHECKING:
    from auditor.health import Health
    from auditor.processes.connection import Connection
    from auditor.rulepack import EnabledPack
    from auditor.site import Site

    class Told(Protocol):
        """What a scan, a running or a stored one, or a watch so far, tells beside the flows."""

        @property
        def events(self) -> Mapping[str, Any]: ...
        @property
        def samples(self) -> Mapping[str, Any]: ...
        @property
        def quotes(self) -> Mapping[str, Any]: ...
        @property
        def totals(self) -> Mapping[str, Any]: ...
        @property
        def processes(self) -> Iterable[str]: ...
        @property
        def port_scans(self) -> Iterable[tuple[int, int]]: ...


class Outside(NamedTuple):
    """What was read of the outside, where there are two vantages; the batches with their fingerprints."""

    batches: Sequence[Mapping[str, bytes | bytearray]]
    health: Health


QUOTE_TYPES = {
    "flow_id": "<u8",
    "protocol": "u1",
    "source_hi": "<u8",
    "source_lo": "<u8",
    "destination_hi": "<u8",
    "destination_lo": "<u8",
    "source_port": "<u2",
    "destination_port": "<u2",
}


def judge(
    batches: Sequence[Mapping[str, Any]],
    scan: Told,
    health: Health,
    packs: tuple[EnabledPack, ...],
    site: Site,
    as_of: date,
    outside: Outside | None = None,
    processes: Sequence[Connection] = (),
    listed: int | None = None,
    *,
    lasting: bool = False,
) -> Judged:
    """Everything that follows from the wanted flows, after the last batch. `processes`: what hosts tell of them.

    `listed`: findings of all checks together, at most; None: as many of each check as a report lists. `lasting`: they
    are kept beyond the flows (see `auditor.grouping`).
    """
    rows, vantages = joined(batches), None
    if outside is not None:
        from auditor.vantages import Vantage, cross

        far = Vantage(joined(outside.batches), outside.batches, outside.health)
        rows, vantages, site, health = cross(Vantage(rows, batches, health), far, packs, site)
    whole, flow_of_row = whole_flows(rows)
    process_names = tuple(scan.processes)
    if processes:
        from auditor.processes.joining import with_processes

        whole, process_names = with_processes(whole, process_names, processes)
    events, samples = events_of(scan.events), samples_of(scan.samples)
    all_heard = not scan.totals["events_dropped"]
    flows, labels, negotiation, proxied = identify(whole, events, packs, site, all_heard=all_heard)
    rows = classified_rows(rows, flows, flow_of_row)
    context = Context(
        packs=packs,
        site=site,
        labels=labels,
        health=health,
        quotes=quotes_of(scan.quotes),
        port_scans=frozenset(scan.port_scans),
        events=events,
        samples=samples,
        negotiation=negotiation,
        proxied=proxied,
        process_names=process_names,
        vantages=vantages,
    )
    checks = all_checks()
    grouping = Grouping(flows, context, as_of, lasting=lasting)
    if listed is None:
        findings = sorted_findings(finding for check in checks for finding in grouping.findings(check))
    else:
        findings = sorted_findings(grouping.findings_of_all(checks, listed))
    sessions = sessions_of(flows, context)
    judges = Judges(
        ids=[check.id for check in checks],
        placeless=[check.id for check in checks if check.placeless],
        observers=[check.id for check in checks if check.observes],
        verdicts=verdicts_of(packs, Case(flows, context, sessions)),
    )
    crossed = None
    if vantages is not None:
        from auditor.translations import crossed_firewall

        crossed = crossed_firewall(flows, vantages)
    return Judged(
        crossed=crossed,
        traffic=traffic_summary(flows, scan.totals),
        sessions=sessions,
        rows=Labelled(rows, labels),
        findings=findings,
        unlisted=grouping.unlisted,
        coverage=coverage_of(packs, judges, findings, exercise_of(checks, flows, context), health),
    )


def prepare() -> None:
    """Import all that judging will need: beside a scan that costs no time."""
    import auditor.flowtable  # noqa: F401  # for the reports that follow

    all_checks()
    all_judges()


@cache
def all_checks() -> Sequence[Check]:
    """One of each check there is, sorted by id. They keep nothing, so that a watch can ask them again and again."""
    return [check for check in discovery.instances("auditor.checks", Check) if isinstance(check, Check)]


def joined(batches: Sequence[Mapping[str, Any]]) -> Flows:
    """The rows of all batches as one table."""
    if not batches:
        return flows_of(dict.fromkeys(TYPES, b""))
    tables = [flows_of(columns) for columns in batches]
    if len(tables) == 1:
        return tables[0]
    return Flows(**{name: np.concatenate([getattr(table, name) for table in tables]) for name in TYPES})


def quotes_of(columns: Mapping[str, Any]) -> Quotes:
    """The engine's quotes as columns."""
    return Quotes(**{name: np.frombuffer(columns[name], kind) for name, kind in QUOTE_TYPES.items()})
