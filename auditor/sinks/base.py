"""What a sink is.

An event is a mapping with `event`: `opened`, `updated` or `closed`, with a finding's keys beside it; `health`, of the
capture; `report`, at the end of a window; or `notice`, what the watch has to say about itself, with `name`, `message`
and `count`.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal, Protocol, TypeAlias

from auditor.quantities import Period, Time
from auditor.scalars import DOCUMENT, Count, Flag, Name

Event: TypeAlias = Mapping[str, Any]
EventWord: TypeAlias = Literal["opened", "updated", "closed", "health", "notice"]
SeverityWord: TypeAlias = Literal["info", "low", "medium", "high", "critical"]
OF_FINDINGS: Final = ("opened", "updated", "closed")
SEVERITIES: Final = ("info", "low", "medium", "high", "critical")
CONNECT_SECONDS: Final = 10.0
"""Longest wait for one answer of a peer. Longer than any that works takes, short enough to try again soon."""


def notice(name: str, message: str, count: int | None = None, severity: str = "medium") -> Event:
    """An event of the watch about itself."""
    from auditor.formats import time_text

    told = time_text(time.time_ns())
    return {"event": "notice", "name": name, "time": told, "severity": severity, "message": message, "count": count}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Like findings as one with a count: of one check, vendor, severity, outcome, direction and protocol."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    wait: Time = 1
    """Seconds that the first of its kind waits for others: all findings of one tick arrive together."""
    interval: Period = 60
    """Seconds after which more of the same kind are told again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What every sink can be told."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    kind: str
    name: Name | None = None
    """In messages and metrics; without one, the kind."""
    events: tuple[EventWord, ...] = ("opened", "updated", "closed", "health", "notice")
    min_severity: SeverityWord = "info"
    """Findings below it are not for this sink."""
    waived: Flag = True
    """Waived findings too."""
    queue: Count = 10_000
    """Events that wait while the sink is slow; what comes beyond them is lost, counted and told."""
    rate: Count = 0
    """Events a minute at most; 0: as fast as it takes them. With `group`, what is held back is grouped, not lost."""
    group: Grouping | None = None

    def wants(self, event: Event) -> bool:
        """Whether this sink is to have the event. A report goes where the configuration sends it, and is not asked."""
        if event["event"] == "report":
            return True
        if event["event"] not in self.events:
            return False
        if event["event"] not in OF_FINDINGS:
            return True
        if not self.waived and (event.get("waiver") or {}).get("expired") is False:
            return False
        return SEVERITIES.index(event.get("severity", "info")) >= SEVERITIES.index(self.min_severity)

    @property
    def label(self) -> str:
        return self.name or self.kind


@dataclass(frozen=True, slots=True)
class Place:
    """Where the watch runs, as sinks tell it."""

    folder: str = "."
    """What relative paths start from: the folder of the configuration."""
    sensor: str = field(default_factory=socket.gethostname)

    def path(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.folder, os.path.expanduser(path)))


class DeliveryError(Exception):
    """A sink did not take events. The message says where, and why; no secret is in it."""

    def __init__(
        self, message: str, *, taken: int = 0, again: bool = True, apart: bool = False, wait: float | None = None
    ) -> None:
        super().__init__(message)
        self.taken = taken
        """Events of the batch, from its beginning, that it did take."""
        self.again = again
        """Whether it may take them later; False: it never will."""
        self.apart = apart
        """With `again` False: it may take some of them without the others, at once."""
        self.wait = wait
        """Seconds that it asked to be left alone."""


class Sink(Protocol):
    """One open sink. Only one thread calls it; it may block, but not for ever."""

    batch: int
    """Events that it takes at once, at most."""
    batch_wait: float
    """Seconds that events wait for others to go with them."""

    def deliver(self, events: Sequence[Event]) -> None:
        """Take the events, in order. Raises: DeliveryError; the next call begins with the first one not taken."""

    def reopen(self) -> None:
        """Close files and connections; the next delivery opens them anew."""

    def close(self) -> None:
        """Nothing will be delivered any more."""

    def probe(self) -> str:
        """Try what can be tried without delivering anything, and say what that was. Raises: DeliveryError."""
