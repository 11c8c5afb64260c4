"""The judgement of a watch, tick after tick: rows that are judged each time, and what left them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.formats import SECOND_NS
from auditor.judging import judge
from auditor.pipeline import local_day
from auditor.watch.ledger import Ledger
from auditor.watch.window import Window

if TYPE_CHECKING:
    from auditor._engine import Tick
    from auditor.health import Health
    from auditor.result import Judged
    from auditor.rulepack import EnabledPack
    from auditor.site import Site
    from auditor.watch.options import Options

# Where nothing came but further bytes of flows that go on, they are judged in this rhythm, in seconds.
QUIET_INTERVAL = 5.0


class Judging:
    """What is known so far. `whole` is all of the watch; None before the first `take`."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._window = Window(options)
        self._ledger = Ledger(findings=options.known_findings, sessions=options.known_sessions, named=options.named)
        self._unlisted = 0  # findings that found no room in a judgement, the most
        self._judged_ns = 0
        self._behind = False  # flows went on since they were judged
        self.retired = 0  # rows that have left
        self.whole: Judged | None = None

    def take(
        self, tick: Tick, now_ns: int, health: Health, packs: tuple[EnabledPack, ...], site: Site, *, again: bool
    ) -> Judged:
        """Take what a tick brought; the judgement so far, made anew where that can have changed it, or `again`."""
        self._window.take(tick, now_ns)
        waited = (now_ns - self._judged_ns) / SECOND_NS >= QUIET_INTERVAL
        self._behind |= tick.rows > 0
        news = self._window.is_news or (self._behind and waited)
        news = news or self._window.comes_of_age(self._judged_ns, now_ns)
        if again or news or self.whole is None or tick.last:
            self._judged_ns, self._behind = now_ns, False
            self.whole = self._ledger.with_past(self._judge(now_ns, health, packs, site))
        return self.whole

    def alive(self) -> set[int]:
        """Ids of the judged flows that have not ended."""
        return self._window.alive()

    def take_forgotten(self) -> set[str]:
        """Ids of findings that found no room since this was last asked: they stand, though they are shown no more."""
        return self._ledger.take_forgotten()

    @property
    def rows(self) -> int:
        """Flows that are judged."""
        return len(self._window)

    @property
    def dropped(self) -> dict[str, int]:
        """Limits that were reached, with how much found no room."""
        unlisted = {"unlisted-findings": self._unlisted} if self._unlisted else {}
        return {**self._window.dropped, **self._ledger.dropped, **unlisted}

    def _judge(self, now_ns: int, health: Health, packs: tuple[EnabledPack, ...], site: Site) -> Judged:
        """Judge the window, and let old rows go; what they stood for is kept."""
        options = self._options
        judged = self._of_window(now_ns, health, packs, site)
        leaving = self._window.pick_leavers(
            now_ns, age_ns=int(options.window_age * SECOND_NS), limit=options.window_flows
        )
        if not leaving.any():
            return judged
        self._window.leave(leaving)
        self.retired += int(leaving.sum())
        after = self._of_window(now_ns, health, packs, site)
        self._ledger.put_down(judged, after)
        return after

    def _of_window(self, now_ns: int, health: Health, packs: tuple[EnabledPack, ...], site: Site) -> Judged:
        columns = self._window.judged_columns(now_ns)
        listed = self._options.listed_findings
        judged = judge([columns], self._window, health, packs, site, local_day(now_ns), listed=listed, lasting=True)
        self._unlisted = max(self._unlisted, sum(more.count for more in judged.unlisted))
        if judged.rows is not None:
            self._window.note_clients(judged.rows.flows)
        return judged
