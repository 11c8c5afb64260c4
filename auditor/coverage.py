"""How the captures stand to each published statement.

Met is what traffic put to the test and nothing contradicted, in captures that would have shown it. Silence
proves nothing: a statement that no traffic touched is `not exercised`, one that no check judges is `not checkable`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from auditor import discovery
from auditor.frozen import field, frozen
from auditor.severity import Severity

if TYPE_CHECKING:
    from auditor.finding import Finding
    from auditor.health import Health
    from auditor.rulepack import EnabledPack, Statement

MET, VIOLATED, NOT_EXERCISED = "met", "violated", "not exercised"
INCONCLUSIVE, NOT_CHECKABLE = "inconclusive", "not checkable"

# Words in `checked_by` that name no check.
CLASSIFICATION, COVERAGE, EXPORT, SUMMARY = "classification", "coverage", "export", "session-summary"
OTHER_JUDGES = tuple(discovery.ids("auditor.judges"))
NO_CHECKS = (CLASSIFICATION, COVERAGE, EXPORT, SUMMARY, *OTHER_JUDGES)
# Judges of statements which say that every group of networks has to be reached.
EVERY_GROUP = (COVERAGE, "required-access-blocked")
ROLE_NAMES = ("control", "data", "registration", "gui", "support")
# An observation says what happened and objects to nothing.
VIOLATES_FROM = Severity.LOW
FINDINGS_NAMED = 3  # findings that the evidence of one statement names


@frozen
class Coverage:
    """The verdict on one statement."""

    vendor: str
    statement: str
    status: str
    evidence: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "vendor": self.vendor,
            "statement": self.statement,
            "status": self.status,
            "evidence": self.evidence,
        }


@frozen
class Exercise:
    """Numbers of flows that put statements to the test (see `auditor.exercise`). Empty: no flow of any vendor."""

    by_check: Counter[tuple[str, str]] = field(default_factory=Counter)  # (check, vendor)
    undecided: Counter[tuple[str, str]] = field(default_factory=Counter)  # (check, vendor)
    by_service: Counter[tuple[str, str]] = field(default_factory=Counter)  # (vendor, service): answered
    by_group: Counter[tuple[str, str]] = field(default_factory=Counter)  # (vendor, network group): answered
    by_role: Counter[tuple[str, str]] = field(default_factory=Counter)  # (vendor, role): answered
    flows: Counter[str] = field(default_factory=Counter)  # vendor
    unplaced: Counter[str] = field(default_factory=Counter)  # vendor: with a published service, neither end inside

    apart: frozenset[str] = frozenset()  # names in `by_check` of checks with one statement alone (`apart_name`)

    def tests(self, check: str, statement: str, vendor: str) -> int:
        """Flows that put the statement to the test, as far as the check judges it."""
        name = apart_name(check, statement)
        return self.by_check[name if name in self.apart else check, vendor]

    def doubtful(self, check: str, vendor: str) -> int:
        """Undecided flows of the check that are, or may be, this vendor's."""
        return sum(n for (name, vendors), n in self.undecided.items() if name == check and vendor in vendors.split("|"))


def apart_name(check: str, statement: str) -> str:
    """What a check is called in counts of one statement alone."""
    return f"{check} of {statement}"


@frozen
class Judges:
    """The checks of this version."""

    ids: Collection[str]
    placeless: Collection[str] = ()  # those that judge a vendor's traffic wherever it goes
    observers: Collection[str] = ()  # those whose findings object to nothing
    # What was judged where no check can (`auditor.judges`), by vendor and judge.
    verdicts: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def verdict(self, statement: Statement, vendor: str) -> tuple[str, str] | None:
        """Status and evidence that a judge gives the statement; None where it names none."""
        for name in statement.checked_by:
            if name in OTHER_JUDGES:
                return self.verdicts.get((vendor, name), (NOT_EXERCISED, "no traffic with this vendor"))
        return None


def coverage_of(
    packs: Sequence[EnabledPack], judges: Judges, findings: Sequence[Finding], exercise: Exercise, health: Health
) -> list[Coverage]:
    """One verdict for each statement, in the packs' order."""
    concerned = concerning(findings)
    return [
        Coverage(
            enabled.id,
            statement.id,
            *_judge(statement, enabled, judges, concerned.get((enabled.id, statement.id), ()), exercise, health),
        )
        for enabled in packs
        for statement in enabled.pack.statements
    ]


def concerning(findings: Sequence[Finding]) -> dict[tuple[str, str], list[Finding]]:
    """The findings about each (vendor, statement), in order: thousands of findings have few vendors and statements."""
    concerned: dict[tuple[str, str], list[Finding]] = {}
    places: dict[tuple[str, str | None, tuple[str, ...]], list[list[Finding]]] = {}
    for finding in findings:
        about = finding.vendor, finding.statement, finding.statements
        if about not in places:
            names = {finding.statement, *finding.statements} - {None}
            keys = [(vendor, str(name)) for vendor in finding.vendors for name in names]
            places[about] = [concerned.setdefault(key, []) for key in keys]
        for place in places[about]:
            place.append(finding)
    return concerned


def _judge(
    statement: Statement,
    enabled: EnabledPack,
    judges: Judges,
    concerned: Sequence[Finding],
    exercise: Exercise,
    health: Health,
) -> tuple[str, str]:
    """Status and evidence; `concerned` are the findings about the statement that are or may be this vendor's."""
    against = [f for f in concerned if f.severity >= VIOLATES_FROM]
    certain = [f for f in against if f.vendor == enabled.id]
    if certain:
        return VIOLATED, _names(certain)
    obstacle = _obstacle(statement, enabled, judges, exercise)
    if obstacle:
        return NOT_CHECKABLE, obstacle
    if against:
        return INCONCLUSIVE, f"{_names(against)}; it may be another vendor's traffic"
    checks = [name for name in statement.checked_by if name in judges.ids]
    doubts = list(_doubts(statement, enabled, judges, concerned, exercise, health))
    verdict = judges.verdict(statement, enabled.id)
    if verdict is not None:
        status, evidence = verdict
        return (INCONCLUSIVE, f"{evidence}; {'; '.join(doubts)}") if status == MET and doubts else verdict
    tested, what = _tested(statement, enabled, checks, exercise)
    if not tested:
        if exercise.unplaced[enabled.id]:
            flows = _flows(exercise.unplaced[enabled.id])
            return (
                INCONCLUSIVE,
                f"{flows} with its servers have no end inside; the site's `inside` may lack the clients",
            )
        if doubts and exercise.flows[enabled.id]:
            return INCONCLUSIVE, f"{doubts[0]}; {what}"
        return NOT_EXERCISED, what
    if doubts:
        return INCONCLUSIVE, f"{what}; {'; '.join(doubts)}"
    return MET, f"{what}, no finding of {', '.join(checks)}" if checks else what


def _obstacle(statement: Statement, enabled: EnabledPack, judges: Judges, exercise: Exercise) -> str:
    """Why the statement cannot be judged whatever the captures hold; empty where it can."""
    named = [name for name in statement.checked_by if name not in NO_CHECKS]
    missing = [name for name in named if name not in judges.ids]
    words = [name for name in statement.checked_by if name in (CLASSIFICATION, COVERAGE)]
    if any(name in OTHER_JUDGES for name in statement.checked_by):
        return ""
    if not named and not words:
        if SUMMARY in statement.checked_by:
            return "nothing judges it; the sessions of the report show it"
        return "it asks for no traffic that could be checked; it is there for those who write the rules"
    if missing and len(missing) == len(named) and not any(s.statement == statement.id for s in enabled.pack.services):
        return f"this version has no check {' or '.join(missing)}"
    # Without networks only the port shows whose traffic it is, and that is enough for some checks.
    placed = any(enabled.networks.values())
    if not placed and not (exercise.flows[enabled.id] and any(name in judges.placeless for name in named)):
        return "the vendor publishes no networks, and the site lists none"
    return ""


def _doubts(
    statement: Statement,
    enabled: EnabledPack,
    judges: Judges,
    concerned: Sequence[Finding],
    exercise: Exercise,
    health: Health,
) -> Iterator[str]:
    """Why traffic that put the statement to the test does not prove it."""
    yield from health.losses()[:1]
    named = [name for name in statement.checked_by if name not in NO_CHECKS]
    missing = [name for name in named if name not in judges.ids]
    if missing:
        yield f"{', '.join(missing)} would have to judge it as well, which this version lacks"
    for name in named:
        doubtful = exercise.doubtful(name, enabled.id) if name in judges.ids else 0
        if doubtful:
            yield f"{name} could not judge {_flows(doubtful)}"
    noted = [
        finding for finding in concerned if finding.severity < VIOLATES_FROM and finding.check not in judges.observers
    ]
    if noted:
        yield _names(noted)


def _tested(statement: Statement, enabled: EnabledPack, checks: Sequence[str], exercise: Exercise) -> tuple[int, str]:
    """How many flows put the statement to the test (0: none, or not all of it), and the words for that."""
    vendor = enabled.id
    services = [service.id for service in enabled.pack.services if service.statement == statement.id]
    if services:
        answered = sum(exercise.by_service[vendor, service] for service in services)
        words = f"{_flows(answered)} answered" if answered else f"no answered flow of {' or '.join(services)}"
        return answered, words
    groups = [group for group in enabled.networks if any(name in EVERY_GROUP for name in statement.checked_by)]
    if groups:
        silent = [group for group in groups if not exercise.by_group[vendor, group]]
        reached = sum(exercise.by_group[vendor, group] for group in groups)
        if silent:
            return 0, f"no answered session with network {' or '.join(silent)}"
        return reached, f"{_flows(reached)} answered, in every published network"
    if CLASSIFICATION in statement.checked_by and (statement.id in ROLE_NAMES or not checks):
        # a statement called like a role speaks of that role's traffic; one that no check judges, of all sessions
        wanted = (statement.id,) if statement.id in ROLE_NAMES else ROLE_NAMES
        answered = sum(exercise.by_role[vendor, role] for role in wanted)
        kind = f" of {statement.id}" if statement.id in ROLE_NAMES else ""
        return answered, f"{_flows(answered)} answered" if answered else f"no answered flow{kind}"
    counts = [exercise.tests(check, statement.id, vendor) for check in checks]
    tested = max(counts) if counts and all(counts) else 0
    if tested:
        return tested, f"put to the test by {_flows(tested)}"
    if not exercise.flows[vendor]:
        return 0, "no traffic with this vendor"
    idle = [check for check, count in zip(checks, counts, strict=True) if not count]
    return 0, f"no traffic that {' or '.join(idle)} could judge"


def _names(findings: Sequence[Finding]) -> str:
    shown = [
        f"{f.check} {f.id} ({f.severity.word}{'' if f.certain else ', inferred'}{', waived' if f.waived else ''})"
        for f in findings[:FINDINGS_NAMED]
    ]
    more = len(findings) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _flows(count: int) -> str:
    return f"{count:,} flow{'' if count == 1 else 's'}"
