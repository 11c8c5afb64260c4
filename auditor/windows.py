"""Times of day in which a site expects its backups.

A window follows the wall clock of its zone. Where the clock is put forward over its edge, the edge is the moment of
the change; where it is put back, a window begins at the first and ends at the second of the two moments: the longer
reading, so that the change of the clock alone makes no finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, TypeAlias

from auditor.cron import read_cron, schedule
from auditor.frozen import field, frozen
from auditor.scalars import DOCUMENT, Either, Scalar
from auditor.words import did_you_mean, listed

if TYPE_CHECKING:
    from auditor.flow import Bools, Ints

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES: Final = 24 * 60
DAY_NS: Final = 86_400_000_000_000
FIRST_NS, LAST_NS = -(1 << 63), (1 << 63) - 1
CLOCK_PATTERN: Final = "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY: Final = EPOCH.toordinal()
MAX_DURATION_DAYS: Final = 31
"""Longest window: no backup run is longer, and each day looked at costs this many days looked back."""

Span: TypeAlias = tuple[int, int]
"""First nanosecond of a window, and the first after it."""


def read_clock(text: str) -> str:
    match = re.fullmatch("([0-9]{2}):([0-9]{2})", text)
    if match is None or int(match[2]) > 59 or _minutes(text) > DAY_MINUTES:
        raise ValueError(f"{text!r} is no time of day; expected hours:minutes from 00:00 to 24:00")
    return text


def read_days(text: str) -> str:
    _days(text)
    return text


def read_duration(text: str) -> str:
    match = re.fullmatch("(?:([0-9]{1,2})d)?(?:([0-9]{1,3})h)?(?:([0-9]{1,4})m)?", text)
    if match is None or not timedelta() < _duration(text) <= timedelta(days=MAX_DURATION_DAYS):
        raise ValueError(f"{text!r} is no duration; expected 8h, 1d12h30m or the like, up to {MAX_DURATION_DAYS}d")
    return text


def read_zone(text: str) -> str:
    from zoneinfo import available_timezones

    zones = available_timezones()
    if text not in zones:
        hint = did_you_mean(text, zones) or ", as Europe/Berlin or UTC"
        raise ValueError(f"{text!r} is no time zone; expected a name of the IANA database{hint}")
    return text


Clock: TypeAlias = Annotated[str, Scalar(read_clock, {"type": "string", "pattern": CLOCK_PATTERN})]
Zone: TypeAlias = Annotated[str, Scalar(read_zone, {"type": "string"})]


@frozen
class WeeklyWindow:
    """From one time of day to another, perhaps over midnight, on some days of the week."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    start: Clock = field(metadata={"alias": "from"})
    end: Clock = field(metadata={"alias": "to"})
    """Not after `from`: the next day's."""
    timezone: Zone
    days: Annotated[str, Scalar(read_days, {"type": "string"})] = "mon-sun"
    """Days on which it begins: `mon-fri`, `sat`, `mon,wed,fri`."""

    def spans(self, days: Iterable[date]) -> Iterator[Span]:
        """The windows that begin on `days` of the zone's calendar."""
        zone, weekdays, start, end = _zone(self.timezone), _days(self.days), _minutes(self.start), _minutes(self.end)
        for day in days:
            if day.weekday() in weekdays:
                last = day if end > start else day + timedelta(days=1)
                yield _instant(day, start, zone, late=False), _instant(last, end, zone, late=True)

    @property
    def reach_days(self) -> int:
        """How many days of the calendar a window may go on after that of its beginning."""
        return 1

    def contains(self, times_ns: Ints) -> Bools:
        """Which of n times lie in the window."""
        return contains((self,), times_ns)


@frozen
class CronWindow:
    """A time that begins whenever a cron line comes round."""

    __pydantic_config__: ClassVar[dict[str, Any]] = DOCUMENT

    cron: Annotated[str, Scalar(read_cron, {"type": "string"})]
    """Minute, hour, day of the month, month, day of the week."""
    duration: Annotated[str, Scalar(read_duration, {"type": "string", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?$"})]
    timezone: Zone

    def spans(self, days: Iterable[date]) -> Iterator[Span]:
        """The windows that begin on `days` of the zone's calendar."""
        zone, times, length = _zone(self.timezone), schedule(self.cron), _ns(_duration(self.duration))
        for day in days:
            if times.comes_on(day):
                for minute in times.minutes_of_day:
                    start = _instant(day, minute, zone, late=False)
                    yield start, start + length

    @property
    def reach_days(self) -> int:
        """How many days of the calendar a window may go on after that of its beginning."""
        return _duration(self.duration).days + 1

    def contains(self, times_ns: Ints) -> Bools:
        """Which of n times lie in the window."""
        return contains((self,), times_ns)


Window: TypeAlias = WeeklyWindow | CronWindow
AnyWindow: TypeAlias = Annotated[Window, Either("cron", CronWindow, WeeklyWindow)]
"""A window as a field of a document."""


def contains(windows: Sequence[Window], times_ns: Ints) -> Bools:
    """Which of n times (nanoseconds since 1970) lie in any of `windows`."""
    import numpy as np

    from auditor.distinct import distinct

    days = [int(day) + EPOCH_DAY for day in distinct(times_ns // DAY_NS)]
    spans = _merged(
        (max(start, FIRST_NS), min(end - 1, LAST_NS))  # windows of the last days that 64 bits hold go beyond them
        for window in windows
        for start, end in window.spans(_days_around(days, window.reach_days))
        if start <= LAST_NS and end > FIRST_NS
    )
    if not spans:
        return np.zeros(len(times_ns), np.bool_)
    starts = np.array([start for start, _ in spans], np.int64)
    lasts = np.array([last for _, last in spans], np.int64)
    at = np.searchsorted(starts, times_ns, side="right") - 1
    return (at >= 0) & (times_ns <= lasts[np.maximum(at, 0)])


def _days_around(days: Iterable[int], reach: int) -> list[date]:
    """Days of any zone's calendar on which a window may have begun that goes on during one of the UTC `days`."""
    around = {day + shift for day in days for shift in range(-reach - 1, 2)}
    return [date.fromordinal(day) for day in sorted(around)]


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Sorted disjoint spans with the same times; both ends belong to them."""
    merged: list[Span] = []
    for start, last in sorted(spans):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((start, last))
    return merged


def _instant(day: date, minute: int, zone: tzinfo, *, late: bool) -> int:
    """The moment, in nanoseconds, at which the zone's wall clock shows `minute` of `day`: see the top of this file."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first > second:  # the clock never shows it: both sides of the change, found by halving
        return _ns(_change(second, first, zone) - EPOCH)
    return _ns((second if late else first) - EPOCH)


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The first second after `before` with the UTC offset that holds at `after`."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def _ns(length: timedelta) -> int:
    return length // timedelta(microseconds=1) * 1000


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _duration(text: str) -> timedelta:
    parts = {unit: int(number) for number, unit in re.findall("([0-9]+)([dhm])", text)}
    return timedelta(days=parts.get("d", 0), hours=parts.get("h", 0), minutes=parts.get("m", 0))


@cache
def _days(text: str) -> frozenset[int]:
    """Weekdays, Monday 0; ValueError if `text` names none."""
    days: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = part.strip().partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise ValueError(
                f"{text!r} are no days of the week; expected {listed(WEEKDAYS, 'and')}, as mon-fri or mon,thu"
            )
        start, length = WEEKDAYS.index(first), (WEEKDAYS.index(last or first) - WEEKDAYS.index(first)) % 7
        days.update((start + step) % 7 for step in range(length + 1))
    return frozenset(days)


@cache
def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
