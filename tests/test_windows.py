from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.windows import CronWindow, WeeklyWindow, Window, contains, read_clock, read_days, read_duration, read_zone

BERLIN = "Europe/Berlin"


def ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000_000


def is_in(window: Window, *times: str) -> list[bool]:
    return [bool(one) for one in window.contains(np.array([ns(time) for time in times], np.int64))]


def weekly(start: str, end: str, days: str = "mon-sun", zone: str = BERLIN) -> WeeklyWindow:
    return WeeklyWindow(start, end, zone, days)


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    friday_night = weekly("22:00", "06:00", "fri", "UTC")  # 2026-01-02 is a Friday
    assert is_in(
        friday_night, "2026-01-02T21:59:59Z", "2026-01-02T22:00:00Z", "2026-01-03T05:59:59Z", "2026-01-03T06:00:00Z"
    ) == [False, True, True, False]
    assert is_in(friday_night, "2026-01-02T03:00:00Z", "2026-01-03T23:00:00Z") == [False, False]


def test_a_window_follows_the_wall_clock_through_the_year() -> None:
    night = weekly("22:00", "06:00")
    assert is_in(night, "2026-01-10T21:00:00Z", "2026-01-10T20:59:59Z") == [True, False]
    assert is_in(night, "2026-07-10T20:00:00Z", "2026-07-10T19:59:59Z") == [True, False]


def test_a_night_is_an_hour_shorter_when_the_clock_is_put_forward() -> None:
    night = weekly("22:00", "06:00", "sat")  # the clock goes from 02:00 to 03:00 on Sunday, 2026-03-29
    assert is_in(
        night, "2026-03-28T20:59:59Z", "2026-03-28T21:00:00Z", "2026-03-29T03:59:59Z", "2026-03-29T04:00:00Z"
    ) == [False, True, True, False]


def test_a_night_is_an_hour_longer_when_the_clock_is_put_back() -> None:
    night = weekly("22:00", "06:00", "sat")  # the clock goes from 03:00 to 02:00 on Sunday, 2026-10-25
    assert is_in(
        night, "2026-10-24T19:59:59Z", "2026-10-24T20:00:00Z", "2026-10-25T04:59:59Z", "2026-10-25T05:00:00Z"
    ) == [False, True, True, False]


def test_an_edge_that_the_clock_skips_is_the_moment_of_the_change() -> None:
    change = "2026-03-29T01:00:00Z"
    from_gap = weekly("02:30", "05:00")
    assert is_in(from_gap, "2026-03-29T00:59:59Z", change, "2026-03-29T02:59:59Z") == [False, True, True]
    to_gap = weekly("01:00", "02:30")
    assert is_in(to_gap, "2026-03-29T00:00:00Z", "2026-03-29T00:59:59Z", change) == [True, True, False]


def test_an_edge_that_the_clock_shows_twice_is_read_so_that_the_window_is_longer() -> None:
    # 02:30 comes at 00:30 and at 01:30 UTC.
    from_twice = weekly("02:30", "05:00")
    assert is_in(from_twice, "2026-10-25T00:29:59Z", "2026-10-25T00:30:00Z", "2026-10-25T01:10:00Z") == [
        False,
        True,
        True,
    ]
    to_twice = weekly("01:00", "02:30")
    assert is_in(to_twice, "2026-10-25T01:10:00Z", "2026-10-25T01:29:59Z", "2026-10-25T01:30:00Z") == [
        True,
        True,
        False,
    ]


def test_a_window_that_lies_in_the_skipped_hour_is_empty_that_day() -> None:
    hour = weekly("02:10", "02:50")
    assert is_in(hour, "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z") == [False] * 3
    assert is_in(hour, "2026-03-30T00:30:00Z") == [True]


def test_midnight_is_the_end_of_a_day_as_24_and_the_start_as_00() -> None:
    whole = weekly("00:00", "24:00", "mon", "UTC")
    assert is_in(whole, "2026-01-05T00:00:00Z", "2026-01-05T23:59:59Z", "2026-01-06T00:00:00Z") == [True, True, False]


def test_days_may_go_round_the_week() -> None:
    window = weekly("10:00", "11:00", "sat-mon,wed", "UTC")
    days = [f"2026-01-{day:02}T10:30:00Z" for day in range(5, 12)]  # Monday to Sunday
    assert is_in(window, *days) == [True, False, True, False, False, True, True]


def test_zones_far_from_utc_reach_their_own_days() -> None:
    east, west = weekly("00:00", "01:00", "mon", "Pacific/Kiritimati"), weekly("23:00", "24:00", "mon", "Pacific/Niue")
    assert is_in(east, "2026-01-04T10:30:00Z", "2026-01-05T10:30:00Z") == [True, False]
    assert is_in(west, "2026-01-06T10:30:00Z", "2026-01-05T10:30:00Z") == [True, False]


def test_a_cron_window_lasts_its_duration_through_a_change_of_the_clock() -> None:
    window = CronWindow("0 22 * * *", "8h", BERLIN)
    assert is_in(window, "2026-03-28T21:00:00Z", "2026-03-29T04:59:59Z", "2026-03-29T05:00:00Z") == [True, True, False]
    assert is_in(window, "2026-10-24T20:00:00Z", "2026-10-25T03:59:59Z", "2026-10-25T04:00:00Z") == [True, True, False]


def test_a_cron_window_may_last_for_days() -> None:
    window = CronWindow("0 0 1 * *", "2d12h", "UTC")
    assert is_in(window, "2026-02-03T11:59:59Z", "2026-02-03T12:00:00Z", "2026-01-31T23:59:59Z") == [True, False, False]


def test_many_windows_are_one_set_of_times() -> None:
    windows = (weekly("01:00", "02:00", zone="UTC"), CronWindow("30 1 * * *", "1h", "UTC"))
    times = np.array([ns(f"2026-01-05T0{time}:00Z") for time in ("0:59", "1:15", "1:45", "2:15", "2:30")], np.int64)
    assert contains(windows, times).tolist() == [False, True, True, True, False]
    assert contains((), times).tolist() == [False] * 5
    assert contains(windows, times[:0]).tolist() == []


def test_times_at_the_ends_of_what_a_capture_can_hold_are_judged() -> None:
    ends = np.array([np.iinfo(np.int64).min, 0, np.iinfo(np.int64).max], np.int64)
    assert contains((weekly("00:00", "24:00"), CronWindow("0 0 * * *", "31d", "UTC")), ends).all()
    assert contains((weekly("10:00", "11:00"), CronWindow("0 12 * * *", "1m", "UTC")), ends).tolist() == [False] * 3


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - moments of UTC
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_a_daily_window_holds_what_the_wall_clock_shows(moment: datetime, start: int, end: int, zone: str) -> None:
    # On days without a change of the clock a window is nothing but a comparison of wall clock times.
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    around = [
        datetime.fromtimestamp(local.timestamp() + 86400 * days, ZoneInfo(zone)).utcoffset()
        for days in (-2, -1, 0, 1, 2)
    ]
    if len(set(around)) > 1:
        return
    text = [f"{minute // 60:02}:{minute % 60:02}" for minute in (start, end)]
    minute = local.hour * 60 + local.minute
    expected = start <= minute < end if start < end else minute >= start or minute < end
    time = np.array([round(local.timestamp() * 1_000_000) * 1000], np.int64)
    assert weekly(text[0], text[1], zone=zone).contains(time).tolist() == [expected]


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_clock, "1350"),
        (read_clock, "24:01"),
        (read_clock, "9:00"),
        (read_clock, "12:60"),
        (read_days, "mon-fr"),
        (read_days, ""),
        (read_duration, "8"),
        (read_duration, "0h"),
        (read_duration, "32d"),
        (read_zone, "Berlin"),
        (read_zone, "../../etc/passwd"),
        (read_zone, ""),
    ],
)
def test_what_is_no_time_is_refused(read: object, text: str) -> None:
    assert callable(read)
    with pytest.raises(ValueError, match="expected"):
        read(text)
