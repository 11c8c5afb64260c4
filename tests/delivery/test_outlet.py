"""Whatever a sink does, the capture goes on, and the count is right."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from servers import wait_until
from watching import finding, settings

from auditor.delivery.outlet import Outlet, OutletState
from auditor.sinks.base import DeliveryError, Event


class Odd:
    """A sink that does as it is told."""

    batch_wait = 0.0

    def __init__(self, batch: int = 100) -> None:
        self.batch = batch
        self.taken: list[Event] = []
        self.error: Exception | None = None
        self.hangs = threading.Event()
        self.hangs.set()
        self.reopened = 0
        self.closed = False

    def deliver(self, events: Sequence[Event]) -> None:
        self.hangs.wait()
        if self.error is not None:
            raise self.error
        self.taken += events

    def reopen(self) -> None:
        self.reopened += 1

    def close(self) -> None:
        self.closed = True

    def probe(self) -> str:
        return ""


def outlet(sink: Odd, **given: Any) -> Outlet:
    found = Outlet(sink, settings("jsonl", path="unused", **given))
    found.start()
    return found


def balanced(state: OutletState) -> bool:
    return state.received == state.delivered + state.grouped + sum(state.lost.values()) + state.waiting


def test_all_that_is_offered_is_delivered_in_order() -> None:
    sink = Odd()
    out = outlet(sink)
    for number in range(1000):
        out.offer(finding(number))
    out.close(10)
    assert [event["id"] for event in sink.taken] == [finding(number)["id"] for number in range(1000)]
    assert sink.closed
    assert (out.state().delivered, out.state().lost, out.state().waiting) == (1000, {}, 0)


def test_a_sink_that_hangs_never_holds_the_caller_and_losses_are_counted_and_told() -> None:
    sink = Odd()
    sink.hangs.clear()
    out = outlet(sink, queue="50")
    began = time.monotonic()
    for number in range(10_000):
        out.offer(finding(number))
    assert time.monotonic() - began < 2.0
    state = out.state()
    assert balanced(state)
    assert sum(state.lost.values()) >= 10_000 - 50 - 100
    sink.hangs.set()
    wait_until(lambda: out.state().waiting == 0)
    out.offer(finding(1))
    out.close(10)
    state = out.state()
    notices = [event for event in sink.taken if event["event"] == "notice"]
    assert balanced(state)
    assert notices[-1]["count"] == sum(state.lost.values())
    assert len(sink.taken) - len(notices) == state.delivered == 10_001 - notices[-1]["count"]


def test_a_storm_before_a_grouping_sink_loses_nothing() -> None:
    sink = Odd()
    sink.hangs.clear()
    out = outlet(sink, queue="50", group={"wait": "0s", "interval": "1s"})
    for number in range(10_000):
        out.offer(finding(number))
    sink.hangs.set()
    out.close(10)
    state = out.state()
    assert (state.lost, state.waiting) == ({}, 0)
    assert state.delivered == len(sink.taken) <= 3
    assert state.delivered + state.grouped == 10_000


def test_a_sink_that_comes_back_is_caught_up() -> None:
    sink = Odd()
    sink.error = DeliveryError("logs: connection refused")
    out = outlet(sink)
    for number in range(10):
        out.offer(finding(number))
    wait_until(lambda: out.state().failures)
    state = out.state()
    assert state.last_error == "logs: connection refused"
    assert state.failing_since
    sink.error = None
    out.reopen()
    wait_until(lambda: out.state().waiting == 0)
    assert len(sink.taken) == 10
    assert out.state().failing_since is None
    assert sink.reopened == 1
    out.close(1)


def test_a_sink_that_cannot_be_reopened_goes_on_and_is_closed_at_the_end() -> None:
    sink = Odd()

    def broken() -> None:
        sink.reopened += 1
        raise OSError(5, "Input/output error")

    sink.reopen = broken  # type: ignore[method-assign]
    out = outlet(sink)
    out.reopen()
    wait_until(lambda: sink.reopened)
    out.offer(finding(1))
    wait_until(lambda: out.state().delivered)
    out.close(10)
    assert sink.closed


def test_what_was_taken_of_a_batch_is_not_sent_again() -> None:
    sink = Odd()
    sink.error = DeliveryError("full", taken=4)
    out = Outlet(sink, settings("jsonl", path="unused"))
    for number in range(10):
        out.offer(finding(number))
    out.start()
    wait_until(lambda: out.state().failures)
    assert (out.state().delivered, out.state().waiting) == (4, 6)
    sink.error = None
    out.reopen()
    out.close(10)
    assert [event["id"] for event in sink.taken] == [finding(number)["id"] for number in range(4, 10)]


def test_what_is_refused_for_good_is_lost_with_its_cause() -> None:
    sink = Odd()
    sink.error = DeliveryError("answers 400", again=False)
    out = outlet(sink)
    out.offer(finding())
    wait_until(lambda: out.state().lost)
    assert out.state().lost == {"refused": 1}
    out.close(1)


class Picky(Odd):
    """A sink that refuses whatever has one of these findings in it."""

    def __init__(self, never: set[str]) -> None:
        super().__init__()
        self.never, self.tries = never, 0

    def deliver(self, events: Sequence[Event]) -> None:
        self.tries += 1
        self.hangs.wait()
        if any(event.get("id") in self.never for event in events):
            raise DeliveryError("answers 422", again=False, apart=True)
        super().deliver(events)


@given(st.integers(1, 60), st.sets(st.integers(0, 59)))
def test_events_that_are_refused_cost_none_of_those_beside_them(count: int, bad: set[int]) -> None:
    ids = [str(finding(number)["id"]) for number in range(count)]
    never = {ids[number] for number in bad if number < count}
    sink = Picky(never)
    out = Outlet(sink, settings("jsonl", path="unused"))
    for number in range(count):
        out.offer(finding(number))
    out.start()
    wait_until(lambda: not out.state().waiting)
    state = out.state()
    out.close(10)
    assert [event["id"] for event in sink.taken if event["event"] != "notice"] == [
        one for one in ids if one not in never
    ]
    assert (state.delivered, state.lost.get("refused", 0)) == (count - len(never), len(never))
    assert balanced(state)
    assert sink.tries <= 2 * count + 2 * len(never) + 1


def test_what_is_refused_is_not_tried_apart_when_time_is_up() -> None:
    sink = Picky({str(finding(number)["id"]) for number in range(100)})
    sink.hangs.clear()
    out = Outlet(sink, settings("jsonl", path="unused"))
    for number in range(100):
        out.offer(finding(number))
    out.start()
    wait_until(lambda: sink.tries)
    out.begin_close(0)
    sink.hangs.set()
    wait_until(lambda: sink.closed)
    assert (out.state().lost, sink.tries) == ({"shutdown": 100}, 1)


def test_a_bug_in_a_sink_is_told_and_ends_nothing() -> None:
    sink = Odd()
    sink.error = KeyError("check")
    out = outlet(sink)
    out.offer(finding())
    wait_until(lambda: out.state().lost)
    assert "bug of ours: KeyError" in (out.state().last_error or "")
    sink.error = None
    out.offer(finding(1))
    wait_until(lambda: out.state().delivered == 1)
    out.close(1)


def test_closing_a_sink_that_hangs_ends_in_time_and_counts_what_is_lost() -> None:
    sink = Odd()
    sink.hangs.clear()
    out = outlet(sink)
    for number in range(10):
        out.offer(finding(number))
    began = time.monotonic()
    out.close(0.2)
    assert time.monotonic() - began < 3
    out.offer(finding())
    assert out.state().lost == {"shutdown": 11}
    sink.hangs.set()
    wait_until(lambda: sink.closed)
    assert balanced(out.state())


def test_a_sink_gets_what_it_wants_and_nothing_else() -> None:
    sink = Odd()
    out = outlet(sink, events=["opened", "closed"], min_severity="high", waived="false")
    wanted = finding(1, severity="critical")
    for event in (
        wanted,
        finding(2),
        finding(3, "updated", severity="high"),
        {"event": "health"},
        finding(4, severity="high", waiver={"reason": "known", "expired": False}),
    ):
        out.offer(event)
    expired = finding(5, severity="high", waiver={"reason": "known", "expired": True})
    out.offer(expired)
    out.close(5)
    assert sink.taken == [wanted, expired]
    assert out.state().received == 2
