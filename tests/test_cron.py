from __future__ import annotations

from datetime import date

import pytest

from auditor.cron import read_cron, schedule


def test_a_plain_line_comes_every_day_at_its_time() -> None:
    times = schedule("30 22 * * *")
    assert times.minutes_of_day == (22 * 60 + 30,)
    assert times.comes_on(date(2026, 2, 28))


def test_steps_ranges_lists_and_names() -> None:
    assert schedule("*/30 8-10/2 * * *").minutes_of_day == (480, 510, 600, 630)
    assert schedule("0 20/2 * * *").minutes_of_day == (1200, 1320)
    weekly = schedule("0 1 * jan,mar mon-fri")
    assert weekly.comes_on(date(2026, 1, 5))
    assert not weekly.comes_on(date(2026, 1, 4))
    assert not weekly.comes_on(date(2026, 2, 2))


def test_zero_and_seven_are_sunday() -> None:
    sunday, monday = date(2026, 1, 4), date(2026, 1, 5)
    for line in ("0 1 * * 0", "0 1 * * 7", "0 1 * * sun"):
        assert schedule(line).comes_on(sunday)
        assert not schedule(line).comes_on(monday)
    assert all(schedule("0 1 * * 5-7").comes_on(date(2026, 1, day)) for day in (2, 3, 4))


def test_of_two_kinds_of_days_either_suffices() -> None:
    times = schedule("0 1 13 * fri")
    assert times.comes_on(date(2026, 1, 13))  # a Tuesday
    assert times.comes_on(date(2026, 1, 16))  # a Friday
    assert not times.comes_on(date(2026, 1, 14))


def test_a_leap_day_comes() -> None:
    assert read_cron("0 1 29 2 *") == "0 1 29 2 *"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 22 * *", "has 4 fields; expected 5"),
        ("60 22 * * *", "'60' is no minute"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 1 0 * *", "'0' is no day of the month"),
        ("0 1 * 13 *", "'13' is no month"),
        ("0 1 * foo *", "'foo' is no month"),
        ("0 1 * * 8", "'8' is no day of the week"),
        ("0 1 * * 5-1", "'5-1' is no day of the week"),
        ("*/0 1 * * *", "steps from 1 on"),
        ("0 1 30 2 *", "never comes"),
        ("*/5 * * * *", "comes 288 times a day; at most 96"),
        ("@daily", "has 1 fields; expected 5"),
        ("", "has 0 fields"),
    ],
)
def test_a_wrong_line_is_refused_with_what_was_expected(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("*", r"\*")):
        read_cron(line)
