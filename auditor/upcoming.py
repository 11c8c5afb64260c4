"""Windows that come: the next of each, and the parts that they cut time into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple

from auditor.windows import Window

SECOND_NS: Final = 1_000_000_000
MAX_DAYS: Final = 366 * 9
"""How far ahead is looked: a 29 February is at most eight years away."""
MARGIN_DAYS: Final = 2
"""Days by which a day of a zone's calendar may begin before or after that of UTC."""


class Occurrence(NamedTuple):
    """A window at one time."""

    start_ns: int
    end_ns: int
    window: Window


class Stretch(NamedTuple):
    """A part of time: within windows, or between them."""

    kind: str
    start_ns: int
    end_ns: int | None


def occurrences(windows: Sequence[Window], from_ns: int) -> Iterator[Occurrence]:
    """Each window that ends after `from_ns`, by its start."""
    today = datetime.fromtimestamp(from_ns // SECOND_NS, UTC).date()
    waiting: list[Occurrence] = []
    reach = max((window.reach_days for window in windows), default=0) + MARGIN_DAYS
    for day in _days(today - timedelta(days=reach), reach + MAX_DAYS):
        waiting += [Occurrence(*span, window) for window in windows for span in window.spans([day])]
        settled = _midnight_ns(day - timedelta(days=MARGIN_DAYS))  # no later day's window begins before
        waiting.sort(key=lambda one: one[:2])
        while waiting and waiting[0].start_ns <= settled:
            one = waiting.pop(0)
            if one.end_ns > from_ns:
                yield one
    yield from (one for one in waiting if one.end_ns > from_ns)


def upcoming(windows: Sequence[Window], from_ns: int, count: int) -> list[Occurrence]:
    """The next windows, one that goes on among them."""
    return list(islice(occurrences(windows, from_ns), count))


def stretches(windows: Sequence[Window], from_ns: int) -> Iterator[Stretch]:
    """Time from now on, cut where windows begin and end. Windows that overlap are one."""
    now = from_ns
    for start, end in _joined(occurrences(windows, from_ns)):
        if start > now:
            yield Stretch("between", now, start)
        yield Stretch("window", max(start, now), end)
        now = end
    yield Stretch("between", now, None)


def _joined(found: Iterable[Occurrence]) -> Iterator[tuple[int, int]]:
    current: tuple[int, int] | None = None
    for one in found:
        if current is not None and one.start_ns < current[1]:
            current = current[0], max(current[1], one.end_ns)
            continue
        if current is not None:
            yield current
        current = one.start_ns, one.end_ns
    if current is not None:
        yield current


def _days(first: date, count: int) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range(count))


def _midnight_ns(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND_NS
