"""What the store has not written yet. Of a finding only its last state waits, so that a long outage costs little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from auditor.delivery.weight import weight
from auditor.sinks.base import OF_FINDINGS, Event

if TYPE_CHECKING:
    from auditor.coverage import Coverage
    from auditor.sessions import Session

MAX_FINDINGS: Final = 20_000
"""States of findings that wait: 50 MB at 2.5 kB each, and as much again while so many are being written."""
MAX_ROWS: Final = 20_000
"""Health and notices that wait: two days of them."""


SESSION_BYTES: Final = 1_000
"""What a session takes, and a bit more."""


@dataclass(slots=True, eq=False)
class Part:
    """A window of a run, or the time between two. It has a row once something of it is written."""

    kind: str
    start_ns: int


@dataclass(slots=True)
class Standing:
    """The last word on a part's sessions and statements."""

    part: Part
    sessions: Sequence[Session] | None
    """None: they found no room, and those of earlier ticks stay."""
    coverage: Sequence[Coverage]
    end_ns: int | None = None
    verdict: str | None = None


@dataclass(slots=True)
class Round:
    """States of findings, each at most once open after it was closed."""

    closed: dict[tuple[int, str], tuple[Part, Event]] = field(default_factory=dict)
    open: dict[tuple[int, str], tuple[Part, Event]] = field(default_factory=dict)


@dataclass(slots=True)
class Pending:
    """Events that wait, by kind, and how many found no room. `room`: bytes that all of it may take."""

    rounds: list[Round] = field(default_factory=lambda: [Round()])
    rows: list[tuple[Part, Event]] = field(default_factory=list)
    standing: dict[int, Standing] = field(default_factory=dict)
    tick_ns: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    room: int | None = None
    taken: int = 0

    def put(self, part: Part, event: Event) -> None:
        """Take an event; one that finds no room is counted as lost, by kind."""
        if event["event"] not in OF_FINDINGS:
            if len(self.rows) >= MAX_ROWS or not self._takes(event):
                self.lost[str(event["event"])] += 1
            else:
                self.rows.append((part, event))
            return
        key = (id(part), str(event["id"]))
        last = self.rounds[-1]
        known = key in last.open
        if (not known and self.findings >= MAX_FINDINGS) or not self._takes(event, last.open.get(key)):
            self.lost["finding"] += 1
        elif event["event"] != "closed":
            last.open[key] = (part, event)
        elif key in last.closed:  # closed, opened and closed again while the store was away
            last.open.pop(key, None)
            self.rounds.append(Round(closed={key: (part, event)}))
        else:
            last.open.pop(key, None)
            last.closed[key] = (part, event)

    def stand(self, standing: Standing) -> None:
        """Take the last word on a part; where there is no room, without its sessions, which are counted as lost."""
        before = self.standing.get(id(standing.part))
        freed = 0 if before is None else len(before.sessions or ()) * SESSION_BYTES
        size = len(standing.sessions or ()) * SESSION_BYTES
        if self.room is not None and self.taken - freed + size > self.room:
            self.lost["session"] += len(standing.sessions or ())
            standing.sessions, size = None, 0
        self.taken += size - freed
        self.standing[id(standing.part)] = standing

    def _takes(self, event: Event, instead: tuple[Part, Event] | None = None) -> bool:
        """Whether there is room for an event, in the place of another one; then it is taken."""
        if self.room is None:
            return True
        size = weight(event) - (0 if instead is None else weight(instead[1]))
        if self.taken + size > self.room:
            return False
        self.taken += size
        return True

    @property
    def findings(self) -> int:
        return sum(len(one.closed) + len(one.open) for one in self.rounds)

    def __len__(self) -> int:
        return self.findings + len(self.rows)

    def __bool__(self) -> bool:
        return bool(self.tick_ns or self.rows or self.standing or self.findings)
