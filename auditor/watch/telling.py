"""Which findings are told, and when: opened, updated while they go on, closed when they are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.formats import SECOND_NS, flow_id_text, time_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from auditor.finding import Finding
    from auditor.watch.options import Options
    from auditor.watch.tick import Event

# Checks whose objection a later packet may take back: an answer, a handshake, a control session that is on its way.
# What they object to in flows that go on has to stand for a while before it is told.
SETTLING = frozenset(
    (
        "asymmetric-path",
        "capture-incomplete",
        "control-not-secured",
        "data-port-not-negotiated",
        "data-without-control",
        "proxy-bypassed",
        "required-access-blocked",
        "unencrypted-payload",
        "unsolicited-return",
    )
)
SETTLED_AFTER_NS = 5 * SECOND_NS  # as long as the engine waits for the answer to a SYN


class _Told:
    """What was told of one finding."""

    __slots__ = ("finding", "is_open", "told_ns")

    def __init__(self, finding: Finding, told_ns: int) -> None:
        self.finding, self.told_ns, self.is_open = finding, told_ns, True

    @property
    def grade(self) -> tuple[int, int, bool]:
        return self.finding.severity, self.finding.outcome, self.finding.waived


class Telling:
    """Compares each judgement with what was told before."""

    def __init__(self, options: Options) -> None:
        self._every_ns = int(options.update_interval * SECOND_NS)
        self._close_ns = int(options.close_after * SECOND_NS)
        self._told: dict[str, _Told] = {}
        self._waiting: dict[str, int] = {}  # findings that have to stand a while: since when they do

    def events(
        self,
        findings: Iterable[Finding],
        alive: Collection[int],
        now_ns: int,
        *,
        forgotten: Collection[str] = (),
        last: bool = False,
    ) -> Iterator[tuple[Event, Finding]]:
        """What is to be told now, and of which findings.

        `alive`: ids of the flows that go on; `forgotten`: ids of findings that are missing for want of room alone;
        `last`: nothing more will come.
        """
        ids = {flow_id_text(number) for number in alive}
        here = {finding.id: finding for finding in findings}
        self._waiting = {name: since for name, since in self._waiting.items() if name in here}
        for name, finding in here.items():
            goes_on = not finding.flow_ids or not ids.isdisjoint(finding.flow_ids)
            told = self._told.get(name)
            if told is None:
                if not last and goes_on and not self._stands(finding, now_ns):
                    continue
                self._waiting.pop(name, None)
                self._told[name] = _Told(finding, now_ns)
                yield _event("opened", finding, now_ns), finding
                continue
            news = self._news(told, finding, goes_on=goes_on, now_ns=now_ns, last=last)
            if news:
                told.finding, told.told_ns, told.is_open = finding, now_ns, news != "closed"
                yield _event(news, finding, now_ns), finding
        for name in [name for name in self._told if name not in here]:
            told = self._told.pop(name)
            if told.is_open:
                withdrawn = {} if name in forgotten else {"withdrawn": True}
                yield {**_event("closed", told.finding, now_ns), **withdrawn}, told.finding

    def _stands(self, finding: Finding, now_ns: int) -> bool:
        """Whether the objection can be told of flows that go on."""
        if finding.check not in SETTLING:
            return True
        return now_ns - self._waiting.setdefault(finding.id, now_ns) >= SETTLED_AFTER_NS

    def _news(self, told: _Told, finding: Finding, *, goes_on: bool, now_ns: int, last: bool) -> str:
        before = told.finding
        is_new = finding.count != before.count or finding.last_ns != before.last_ns
        if not told.is_open:
            # the same again, after it was over
            return "opened" if finding.count > before.count else ""
        if told.grade != (finding.severity, finding.outcome, finding.waived):
            return "updated"
        if is_new and (last or now_ns - told.told_ns >= self._every_ns):
            return "updated"
        if not goes_on and not last and now_ns - (finding.last_ns or now_ns) >= self._close_ns:
            return "closed"
        return ""


def _event(kind: str, finding: Finding, now_ns: int) -> dict[str, object]:
    return {"event": kind, "time": time_text(now_ns), **finding.to_dict()}
