"""A check applied to described flows: what it says of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from flowbuilder import classified

from auditor.checks.base import Check, Hits, Outcome, Severity
from auditor.discovery import instances

CHECKS: dict[str, Check] = {check.id: check for check in instances("auditor.checks", Check) if isinstance(check, Check)}
OBS, DRBACKUP, SECURIDATA = "online-backup-service", "drbackup", "securidata"
ATTEMPT, OPEN, OBSERVED = Outcome.ATTEMPT, Outcome.OPEN, Outcome.OBSERVED
INFO, LOW, MEDIUM, HIGH, CRITICAL = Severity

# What a message may speak of, beside the hits' own `extra`.
FACTS = (
    "vendor",
    "client_ip",
    "server_ip",
    "server_port",
    "service_port",
    "protocol",
    "via",
    "direction",
    "count",
    "outcome",
)


@dataclass(frozen=True)
class Objection:
    """What a check says of one flow."""

    row: int
    severity: Severity
    certain: bool
    outcome: Outcome | None
    statements: tuple[str, ...]
    message: str


def judged(check: str, *rows: Any, **context: Any) -> list[Objection]:
    """What `check` objects to in the described flows, by row. Further arguments as for `flowbuilder.classified`."""
    flows, given = classified(*rows, **context)
    return objections(CHECKS[check].find(flows, given))


def objections(hits: Iterable[Hits]) -> list[Objection]:
    """One for each row of each of the hits, sorted by row."""
    found = []
    for hit in hits:
        count = len(hit.rows)
        severities = np.broadcast_to(np.asarray(hit.severity), count).tolist()
        certainties = np.broadcast_to(np.asarray(hit.certain), count).tolist()
        outcomes = [None] * count if hit.outcome is None else np.broadcast_to(np.asarray(hit.outcome), count).tolist()
        message = hit.message.format_map({**dict.fromkeys(FACTS, "…"), **hit.extra})
        for row, severity, certain, outcome in zip(hit.rows.tolist(), severities, certainties, outcomes, strict=True):
            told = None if outcome is None else Outcome(outcome)
            found.append(Objection(row, Severity(severity), certain, told, hit.statements, message))
    return sorted(found, key=lambda objection: objection.row)


def rows_of(check: str, *rows: Any, **context: Any) -> list[int]:
    """Rows that `check` objects to."""
    return [objection.row for objection in judged(check, *rows, **context)]


def only(check: str, *rows: Any, **context: Any) -> Objection:
    """The one objection that there has to be."""
    found = judged(check, *rows, **context)
    assert len(found) == 1, found
    return found[0]


def undecided(check: str, *rows: Any, **context: Any) -> list[int]:
    """Rows that `check` says it cannot judge."""
    flows, given = classified(*rows, **context)
    return sorted(CHECKS[check].undecided(flows, given).tolist())


def exercised(check: str, *rows: Any, **context: Any) -> list[int]:
    """Rows that put the statements of `check` to the test."""
    flows, given = classified(*rows, **context)
    return sorted(CHECKS[check].exercised(flows, given).tolist())
