"""How long the first backup of a client took, and how long the later ones.

A vendor who says that the first one often takes hours and later ones minutes gives a measure, not a promise: nothing
that traffic does can break it, so that this judge never says violated. A first backup is known only where the client's
registration was captured before it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from auditor.coverage import INCONCLUSIVE, MET, NOT_EXERCISED
from auditor.judges.base import Case, Judge, Verdict
from auditor.layout import plural
from auditor.sessions import COMPLETED

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack
    from auditor.sessions import Session

# Between "minutes" and "hours" (statement `session-length`).
HOUR_NS = 3600 * 10**9
MINUTE_NS = 60 * 10**9


class SessionLengths(Judge):
    id = "session-lengths"

    def judge(self, enabled: EnabledPack, case: Case) -> Verdict:
        firsts, laters = _lengths([session for session in case.sessions if session.vendor == enabled.id])
        if not firsts and not laters:
            return Verdict(NOT_EXERCISED, "no backup that shows its length, from its start to its end")
        told = [
            f"{plural(len(lengths), f'{kind} backup')} took {_range(lengths)}"
            for kind, lengths in (("first", firsts), ("later", laters))
            if lengths
        ]
        if not firsts:
            told.append("no first backup, after a registration, was captured whole")
        if not laters:
            told.append("no later backup was captured whole")
        what = ", ".join(told)
        if not firsts or not laters:
            return Verdict(NOT_EXERCISED, what)
        if min(firsts) >= HOUR_NS and max(laters) < HOUR_NS:
            return Verdict(MET, what)
        return Verdict(INCONCLUSIVE, f"{what}; the document's figures are a measure, from which a site may differ")


def _lengths(sessions: list[Session]) -> tuple[list[int], list[int]]:
    """Nanoseconds that the first backups took, and the later ones. Only those that were captured to their end count."""
    by_client: dict[str, list[Session]] = defaultdict(list)
    for session in sessions:  # in order of time
        by_client[session.client_ip].append(session)
    firsts: list[int] = []
    laters: list[int] = []
    for runs in by_client.values():
        registered = before = False
        for run in runs:
            registered |= run.kind == "registration"
            if run.kind != "backup":
                continue
            if run.outcome == COMPLETED and (before or registered):
                (laters if before else firsts).append(run.end_ns - run.start_ns)
            before = True
    return firsts, laters


def _range(lengths: list[int]) -> str:
    shortest, longest = _length(min(lengths)), _length(max(lengths))
    return shortest if shortest == longest else f"{shortest} to {longest}"


def _length(ns: int) -> str:
    if ns >= HOUR_NS:
        return f"{ns / HOUR_NS:.1f} h"
    return f"{ns / MINUTE_NS:.0f} min" if ns >= MINUTE_NS else f"{ns / 10**9:.0f} s"
