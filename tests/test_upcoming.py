from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from auditor.upcoming import stretches, upcoming
from auditor.windows import CronWindow, WeeklyWindow

NIGHT = WeeklyWindow(start="22:00", end="06:00", timezone="Europe/Berlin", days="mon-fri")
HOUR_NS = 3600 * 10**9


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def shown(moment: int) -> str:
    return datetime.fromtimestamp(moment // 10**9, UTC).strftime("%a %d %H:%M")


def test_a_window_that_goes_on_is_the_first() -> None:
    found = upcoming([NIGHT], ns("2026-03-03T02:00"), 2)
    assert [(shown(one.start_ns), shown(one.end_ns)) for one in found] == [
        ("Mon 02 21:00", "Tue 03 05:00"),
        ("Tue 03 21:00", "Wed 04 05:00"),
    ]


def test_over_a_change_of_the_clock_a_night_is_shorter_or_longer() -> None:
    nightly = WeeklyWindow(start="22:00", end="06:00", timezone="Europe/Berlin")
    spring, autumn = ns("2026-03-28T12:00"), ns("2026-10-24T12:00")
    assert [(one.end_ns - one.start_ns) // HOUR_NS for one in upcoming([nightly], spring, 2)] == [7, 8]
    assert [(one.end_ns - one.start_ns) // HOUR_NS for one in upcoming([nightly], autumn, 2)] == [9, 8]


def test_windows_of_several_zones_come_by_their_start() -> None:
    far = [
        WeeklyWindow(start="00:30", end="01:00", timezone=zone) for zone in ("Pacific/Kiritimati", "Etc/GMT+12", "UTC")
    ]
    found = upcoming(far, ns("2026-03-03T00:00"), 30)
    assert [one.start_ns for one in found] == sorted(one.start_ns for one in found)
    assert len({one.start_ns for one in found}) == len(found) - sum(
        a.start_ns == b.start_ns for a, b in pairwise(found)
    )


def test_a_window_in_years_is_found() -> None:
    leap = CronWindow(cron="0 0 29 2 *", duration="1h", timezone="UTC")
    assert [shown(one.start_ns) for one in upcoming([leap], ns("2097-01-01T00:00"), 1)] == ["Fri 29 00:00"]


def test_time_is_cut_without_gaps_and_overlaps() -> None:
    overlapping = WeeklyWindow(start="04:00", end="08:00", timezone="Europe/Berlin", days="tue")
    found = list(islice(stretches([NIGHT, overlapping], ns("2026-03-02T12:00")), 4))
    assert [(one.kind, shown(one.start_ns)) for one in found] == [
        ("between", "Mon 02 12:00"),
        ("window", "Mon 02 21:00"),
        ("between", "Tue 03 07:00"),
        ("window", "Tue 03 21:00"),
    ]


def test_days_that_meet_are_windows_of_their_own() -> None:
    days = WeeklyWindow(start="00:00", end="24:00", timezone="UTC")
    found = list(islice(stretches([days], ns("2026-03-02T12:00")), 3))
    assert [(one.kind, shown(one.start_ns)) for one in found] == [
        ("window", "Mon 02 12:00"),
        ("window", "Tue 03 00:00"),
        ("window", "Wed 04 00:00"),
    ]


@given(
    st.integers(0, 365 * 24 * 60), st.sampled_from(["mon-sun", "tue", "sat,sun"]), st.sampled_from(["03:00", "23:00"])
)
def test_each_part_begins_where_the_one_before_it_ends(minute: int, days: str, start: str) -> None:
    windows = [
        WeeklyWindow(start=start, end="02:30", timezone="America/New_York", days=days),
        CronWindow(cron="15 */6 * * *", duration="2h", timezone="Asia/Kathmandu"),
    ]
    now = ns("2026-01-01T00:00") + minute * 60 * 10**9
    parts = list(islice(stretches(windows, now), 12))
    assert parts[0].start_ns == now
    for one, after in pairwise(parts):
        assert one.end_ns == after.start_ns
        assert one.start_ns < one.end_ns
