"""What a watch knows beyond the rows that are judged now: findings, coverage, sessions and traffic of flows that left.

When rows leave, the judgement before and the one after differ by what they stood for. That is put down here, and shown
together with every later judgement.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from auditor.coverage import INCONCLUSIVE, MET, NOT_CHECKABLE, NOT_EXERCISED, VIOLATED
from auditor.frozen import replace
from auditor.grouping import MAX_EVIDENCE, sorted_findings
from auditor.result import INCOMPLETE_CHECK
from auditor.traffic import Amount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from auditor.coverage import Coverage
    from auditor.finding import Finding
    from auditor.result import Judged
    from auditor.sessions import Session

# What is known of a statement that was judged several times; a later one says more or stays as it was.
STRENGTH = {status: at for at, status in enumerate((NOT_CHECKABLE, NOT_EXERCISED, MET, INCONCLUSIVE, VIOLATED))}
FILTER_LENGTH = 4_096  # of a display filter that is joined with an earlier one


class Ledger:
    """What has left. `findings` and `sessions` bound what is kept; what finds no room is counted in `dropped`.

    `named`: flows, ports and servers that one of them names.
    """

    def __init__(self, *, findings: int, sessions: int, named: int) -> None:
        self._most, self._named = findings, named
        self._findings: dict[str, Finding] = {}
        self._coverage: dict[tuple[str, str], Coverage] = {}
        self._sessions: deque[Session] = deque(maxlen=sessions)
        self._traffic: dict[str, Amount] = {}
        # Objections that arose only because what explained them had left: the flows of each, until they leave as well.
        self._artefacts: dict[str, frozenset[str]] = {}
        self.dropped: dict[str, int] = {}
        self._forgotten: set[str] = set()  # findings that found no room since that was last asked

    def put_down(self, before: Judged, after: Judged) -> None:
        """Keep what `before` had and `after` lacks; both are judgements of the window alone."""
        left = {finding.id: finding for finding in after.findings}
        for finding in before.findings:
            gone = _difference(finding, left.get(finding.id))
            if gone is not None and not self._is_artefact(gone):
                self._keep(gone)
        known = {finding.id for finding in before.findings}
        self._artefacts |= {one.id: frozenset(one.flow_ids) for one in after.findings if one.id not in known}
        self._artefacts = {name: flows for name, flows in self._artefacts.items() if name in left}
        for entry in before.coverage:
            key = entry.vendor, entry.statement
            self._coverage[key] = _stronger(self._coverage.get(key), entry)
        still = {_run(session) for session in after.sessions}
        for session in before.sessions:
            if _run(session) not in still:
                if len(self._sessions) == self._sessions.maxlen:
                    self.dropped["known-sessions"] = self.dropped.get("known-sessions", 0) + 1
                self._sessions.append(_shortened(session, self._named))
        for name, amount in before.traffic.items():
            rest = after.traffic[name]
            more = Amount(
                max(0, amount.flows - rest.flows),
                max(0, amount.packets - rest.packets),
                max(0, amount.bytes - rest.bytes),
            )
            self._traffic[name] = self._traffic.get(name, Amount()) + more

    def with_past(self, judged: Judged) -> Judged:
        """The judgement of the window together with all that left."""
        if not (self._findings or self._coverage or self._sessions or self._traffic or self._artefacts):
            return judged
        findings = dict(self._findings)
        for finding in judged.findings:
            if self._is_artefact(finding):
                continue
            earlier = findings.get(finding.id)
            findings[finding.id] = finding if earlier is None else _together(earlier, finding, self._named)
        return replace(
            judged,
            findings=sorted_findings(findings.values()),
            coverage=[_stronger(self._coverage.get((e.vendor, e.statement)), e) for e in judged.coverage],
            sessions=[*self._sessions, *judged.sessions],
            traffic=self._summed(judged.traffic),
        )

    def take_forgotten(self) -> set[str]:
        """Ids of findings that found no room since this was last asked."""
        found, self._forgotten = self._forgotten, set()
        return found

    def _is_artefact(self, finding: Finding) -> bool:
        return self._artefacts.get(finding.id, frozenset()).issuperset(finding.flow_ids or ("",))

    def _summed(self, traffic: Mapping[str, Amount]) -> dict[str, Amount]:
        return {name: self._traffic.get(name, Amount()) + amount for name, amount in traffic.items()}

    def _keep(self, finding: Finding) -> None:
        earlier = self._findings.get(finding.id)
        if earlier is None and len(self._findings) >= self._most:
            self.dropped["known-findings"] = self.dropped.get("known-findings", 0) + 1
            self._forgotten.add(finding.id)
            return
        self._findings[finding.id] = (
            _named(finding, self._named) if earlier is None else _together(earlier, finding, self._named)
        )


def _difference(finding: Finding, left: Finding | None) -> Finding | None:
    """What of a finding has left; None where nothing has."""
    if left is None:
        return finding
    # What captures as a whole lack does not leave with flows.
    if finding.check == INCOMPLETE_CHECK and not finding.flow_ids:
        return None
    if finding.count <= left.count:
        return None
    gone = tuple(sorted(set(finding.flow_ids) - set(left.flow_ids)))
    return replace(finding, count=finding.count - left.count, flow_ids=gone)


def _named(finding: Finding, most: int) -> Finding:
    """The finding, with so many of its flows and ports; it counts them all."""
    if max(len(finding.flow_ids), len(finding.client_ports)) <= most:
        return finding
    return replace(finding, flow_ids=finding.flow_ids[-most:], client_ports=finding.client_ports[:most])


def _shortened(session: Session, most: int) -> Session:
    """The session, with so many of its servers."""
    return session if len(session.servers) <= most else replace(session, servers=session.servers[:most])


def _together(earlier: Finding, later: Finding, named: int) -> Finding:
    """One finding of two times. The graver one gives the words."""
    words = later if later.severity >= earlier.severity else earlier
    return replace(
        words,
        certain=earlier.certain or later.certain,
        outcome=max(earlier.outcome, later.outcome),
        count=earlier.count + later.count,
        client_ports=tuple(sorted({*earlier.client_ports, *later.client_ports}))[:named],
        first_ns=_of(min, earlier.first_ns, later.first_ns),
        last_ns=_of(max, earlier.last_ns, later.last_ns),
        flow_ids=tuple(dict.fromkeys((*later.flow_ids, *earlier.flow_ids)))[:named],
        evidence=tuple(dict.fromkeys((*earlier.evidence, *later.evidence)))[:MAX_EVIDENCE],
        display_filter=_joined(earlier.display_filter, later.display_filter),
        waiver=later.waiver,
    )


def _of(choose: Callable[[Iterable[int]], int], *times: int | None) -> int | None:
    known = [time for time in times if time is not None]
    return choose(known) if known else None


def _joined(earlier: str, later: str) -> str:
    """Both filters as one, as long as that can be read."""
    if earlier == later or not earlier:
        return later
    if not later:
        return earlier
    both = f"({earlier}) or ({later})"
    return both if len(both) <= FILTER_LENGTH else later


def _stronger(earlier: Coverage | None, later: Coverage) -> Coverage:
    if earlier is None or STRENGTH[later.status] >= STRENGTH[earlier.status]:
        return later
    return earlier


def _run(session: Session) -> tuple[str, str, int]:
    return session.vendor, session.client_ip, session.start_ns
