"""Cron lines: five fields that say when something begins.

Minute (0-59), hour (0-23), day of the month (1-31), month (1-12 or jan-dec), day of the week (0-7 or sun-sat; 0 and 7
are Sunday). A field is `*` or values and ranges joined by commas, each with an optional `/step`. If both days are
given, either suffices. Source: POSIX.1-2017, crontab; steps and names as in Debian's crontab(5).
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache
from typing import Final

from auditor.frozen import frozen

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MAX_STARTS_A_DAY: Final = 96
"""Every quarter of an hour. A window that begins more often is not one, and each beginning costs time."""


@frozen
class Schedule:
    """When a cron line comes round."""

    minutes_of_day: tuple[int, ...]
    """Sorted."""
    days_of_month: frozenset[int]
    months: frozenset[int]
    days_of_week: frozenset[int]
    """Sunday 0."""
    either_day: bool
    """Both kinds of days are given: one of them suffices."""

    def comes_on(self, day: date) -> bool:
        """Whether it comes on `day`."""
        of_month, of_week = day.day in self.days_of_month, day.isoweekday() % 7 in self.days_of_week
        return day.month in self.months and (of_month or of_week if self.either_day else of_month and of_week)


def read_cron(text: str) -> str:
    """`text`; ValueError if it is no cron line, never comes, or comes too often."""
    times = schedule(text)
    leap_year = (date(2024, 1, 1) + timedelta(days=day) for day in range(366))
    if not any(times.comes_on(day) for day in leap_year):
        raise ValueError(f"{text!r} never comes: its months have no such day")
    if len(times.minutes_of_day) > MAX_STARTS_A_DAY:
        raise ValueError(
            f"{text!r} comes {len(times.minutes_of_day)} times a day; at most {MAX_STARTS_A_DAY} are taken"
        )
    return text


@cache
def schedule(text: str) -> Schedule:
    """The schedule of a cron line; ValueError if it is none."""
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"{text!r} has {len(fields)} fields; expected 5: minute, hour, day, month, day of the week")
    minutes = _values(fields[0], "minute", 0, 59)
    hours = _values(fields[1], "hour", 0, 23)
    return Schedule(
        minutes_of_day=tuple(hour * 60 + minute for hour in sorted(hours) for minute in sorted(minutes)),
        days_of_month=_values(fields[2], "day of the month", 1, 31),
        months=_values(fields[3], "month", 1, 12, MONTHS, 1),
        days_of_week=frozenset(day % 7 for day in _values(fields[4], "day of the week", 0, 7, DAYS)),
        either_day=not fields[2].startswith("*") and not fields[4].startswith("*"),
    )


def _values(
    text: str, what: str, lowest: int, highest: int, names: tuple[str, ...] = (), first_name: int = 0
) -> frozenset[int]:
    values: set[int] = set()
    for part in text.lower().split(","):
        match = re.fullmatch(r"(?:(\*)|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([0-9]{1,2}))?", part)
        if match is None:
            raise ValueError(f"{part!r} is no {what}; expected {lowest}-{highest}, *, ranges, lists or steps of them")
        star, first, last, step = match.groups()
        ends = [lowest, highest] if star else [_value(end, what, names, first_name) for end in (first, last) if end]
        if not all(lowest <= end <= highest for end in ends) or ends[0] > ends[-1] or step in ("0", "00"):
            raise ValueError(f"{part!r} is no {what}; expected {lowest}-{highest}, first-last, and steps from 1 on")
        end = highest if step and len(ends) == 1 else ends[-1]
        values.update(range(ends[0], end + 1, int(step or 1)))
    return frozenset(values)


def _value(text: str, what: str, names: tuple[str, ...], first_name: int) -> int:
    if text.isdigit():
        return int(text)
    if text not in names:
        raise ValueError(f"{text!r} is no {what}")
    return names.index(text) + first_name
