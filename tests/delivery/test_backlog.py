from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from watching import finding

from auditor.delivery.backlog import MAX_EXAMPLES, MAX_KINDS, Backlog
from auditor.delivery.backoff import LONGEST_SECONDS, Backoff
from auditor.sinks.base import Grouping

HEALTH = {"event": "health", "packets": 1}


def test_events_leave_in_the_order_in_which_they_came() -> None:
    backlog = Backlog(10)
    for number in range(5):
        assert backlog.put(finding(number), 0.0)
    assert [item.event["id"][-1] for item in backlog.take(0.0, 3)] == ["0", "1", "2"]
    assert len(backlog) == 2


def test_what_comes_beyond_the_limit_is_lost_and_counted() -> None:
    backlog = Backlog(10)
    assert [backlog.put(finding(number), 0.0) for number in range(12)] == [True] * 10 + [False] * 2
    assert backlog.lost == {"queue-full": 2}


def test_health_leaves_half_of_the_queue_to_findings() -> None:
    backlog = Backlog(10)
    assert [backlog.put(HEALTH, 0.0) for _ in range(6)] == [True] * 5 + [False]
    assert backlog.put(finding(), 0.0)


def test_ten_thousand_like_findings_are_one_with_a_count() -> None:
    backlog = Backlog(100, grouping=Grouping(wait=1))
    for number in range(10_000):
        assert backlog.put(finding(number, count=2), 0.0)
    assert backlog.take(0.5, 100) == []
    assert len(backlog) == 10_000
    (one,) = backlog.take(1.0, 100)
    assert one.weight == one.event["grouped"]["findings"] == 10_000
    assert one.event["grouped"]["flows"] == 20_000
    assert len(one.event["grouped"]["ids"]) == MAX_EXAMPLES
    assert one.event["message"].endswith("(and 9,999 like it)")
    assert (backlog.lost, len(backlog)) == ({}, 0)


def test_a_finding_alone_is_told_as_it_is() -> None:
    backlog = Backlog(100, grouping=Grouping(wait=1))
    backlog.put(finding(), 0.0)
    assert [item.event for item in backlog.take(1.0, 100)] == [finding()]


def test_more_of_the_kind_is_told_again_after_the_interval() -> None:
    backlog = Backlog(100, grouping=Grouping(wait=1, interval=60))
    backlog.put(finding(1), 0.0)
    assert len(backlog.take(1.0, 100)) == 1
    backlog.put(finding(2), 2.0)
    backlog.put(finding(3, severity="high"), 2.0)
    assert [item.event["severity"] for item in backlog.take(3.0, 100)] == ["high"]
    assert backlog.next_due(3.0) == 58.0
    assert [item.event["id"] for item in backlog.take(61.0, 100)] == [finding(2)["id"]]


def test_kinds_without_end_are_bounded_and_counted() -> None:
    backlog = Backlog(100, grouping=Grouping())
    for number in range(MAX_KINDS + 5):
        backlog.put(finding(number, vendor=f"v{number}"), 0.0)
    assert len(backlog) == MAX_KINDS
    assert backlog.lost == {"too-many-kinds": 5}


def test_a_rate_holds_events_back() -> None:
    backlog = Backlog(100, rate=6)
    for number in range(10):
        backlog.put(finding(number), 0.0)
    assert len(backlog.take(0.0, 100)) == 6
    assert backlog.take(9.0, 100) == []
    assert backlog.next_due(9.0) == pytest.approx(1.0)
    assert len(backlog.take(10.0, 100)) == 1
    assert len(backlog.take(10.0, 100, all=True)) == 3


def test_health_does_not_take_the_rate_from_findings() -> None:
    backlog = Backlog(100, rate=1, grouping=Grouping(wait=1, interval=60))
    backlog.put(finding(1), 0.0)
    left = []
    for second in range(0, 180, 10):  # health alone is six times what may leave
        backlog.put(HEALTH, float(second))
        left += [item.event["event"] for item in backlog.take(float(second), 100)]
    assert left == ["health", "opened", "health"]


def test_a_batch_waits_for_company_unless_it_is_full() -> None:
    backlog = Backlog(100, wait=60)
    backlog.put(finding(1), 0.0)
    assert backlog.take(59.0, 2) == []
    backlog.put(finding(2), 59.0)
    assert len(backlog.take(59.0, 2)) == 2


@given(
    st.lists(st.tuples(st.sampled_from(["put", "take", "all"]), st.integers(0, 5), st.floats(0, 20))),
    st.integers(1, 6),
    st.booleans(),
    st.integers(0, 5),
)
def test_nothing_is_lost_that_was_not_counted(
    steps: list[tuple[str, int, float]], limit: int, grouped: bool, rate: int
) -> None:
    backlog = Backlog(limit, grouping=Grouping(wait=2, interval=5) if grouped else None, rate=rate)
    now, put, taken = 0.0, 0, 0
    for step, number, later in steps:
        now += later
        if step == "put":
            backlog.put(finding(number, vendor=f"v{number % 3}"), now)
            put += 1
        else:
            taken += sum(item.weight for item in backlog.take(now, number, all=step == "all"))
        assert put == taken + len(backlog) + sum(backlog.lost.values())


def test_waits_double_up_to_a_limit_and_are_never_in_step() -> None:
    backoff = Backoff(random.Random(1))
    waits = [backoff.next() for _ in range(12)]
    assert all(2.0**n / 4 <= wait <= 2.0**n / 2 for n, wait in enumerate(waits[:8]))
    assert LONGEST_SECONDS / 2 <= min(waits[8:]) <= max(waits) <= LONGEST_SECONDS
    assert backoff.next(asked=1e9) == LONGEST_SECONDS
    assert Backoff(random.Random(2)).next() != waits[0]
    backoff.reset()
    assert backoff.next() <= 0.5
