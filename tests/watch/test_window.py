"""Which ticks bring something to judge."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from auditor.batches import TYPES
from auditor.events import NUMBERS, SAMPLES
from auditor.judging import QUOTE_TYPES
from auditor.watch import Options
from auditor.watch.window import ANSWER_NS, Window

SECOND = 10**9
START = 1_700_000_000 * SECOND
NOTHING = {"kind": [], "text": [], "more": [], **dict.fromkeys(NUMBERS, b"")}


def tick(*flows: dict[str, int], ended: int = 0) -> Any:
    """A tick with these flows, TCP unless they say otherwise."""
    rows = [{"protocol": 6, "start_ns": START, "end_ns": START, "packets_forward": 1, **flow} for flow in flows]
    table = {name: np.zeros(len(rows), kind) for name, kind in TYPES.items()}
    for at, row in enumerate(rows):
        for name, value in row.items():
            table[name][at] = value
    columns = {name: column.tobytes() for name, column in table.items()}
    return SimpleNamespace(
        columns=lambda: columns,
        rows=len(rows),
        ended=ended,
        events=NOTHING,
        samples=dict.fromkeys(SAMPLES, b""),
        quotes=dict.fromkeys(QUOTE_TYPES, b""),
        port_scans=[],
        processes=[""],
        totals={},
    )


def test_an_unanswered_attempt_is_news_when_it_is_answered_and_when_it_is_old_enough() -> None:
    window, attempt = Window(Options()), {"flow_id": 7}
    window.take(tick(attempt), START + SECOND)
    assert not window.is_news
    assert not window.comes_of_age(START + SECOND, START + 2 * SECOND)
    assert window.comes_of_age(START + SECOND, START + ANSWER_NS)
    assert not window.comes_of_age(START + ANSWER_NS, START + ANSWER_NS + SECOND), "it was judged since"
    window.take(tick({**attempt, "packets_reverse": 1, "seen_reverse": 1}), START + 2 * SECOND)
    assert window.is_news
    assert not window.comes_of_age(START + SECOND, START + ANSWER_NS), "it was judged when it was answered"


def test_further_bytes_of_a_known_flow_are_no_news_and_its_end_is() -> None:
    window, flow = Window(Options()), {"flow_id": 7, "packets_reverse": 1, "seen_forward": 3, "seen_reverse": 3}
    window.take(tick(flow), START + SECOND)
    assert window.is_news
    window.take(tick({**flow, "packets_forward": 90}), START + 2 * SECOND)
    assert not window.is_news
    window.take(tick({**flow, "packets_forward": 91, "seen_forward": 7}), START + 3 * SECOND)
    assert window.is_news
    window.take(tick({**flow, "packets_forward": 92, "seen_forward": 7}, ended=1), START + 4 * SECOND)
    assert window.is_news
    assert len(window) == 1


def test_a_flow_without_handshake_is_news_at_once() -> None:
    window = Window(Options())
    window.take(tick({"flow_id": 7, "protocol": 17}), START)
    assert window.is_news


@pytest.mark.parametrize(("options", "kept"), [(Options(window_events=3), 3), (Options(window_event_bytes=700), 2)])
def test_events_that_find_no_room_are_counted_and_the_latest_stay(options: Options, kept: int) -> None:
    window = Window(options)
    address = "address 198.51.100.7"
    for at in range(5):
        numbers = {name: np.full(1, at, kind).tobytes() for name, kind in NUMBERS.items()}
        told = {"kind": ["dns-answer"], "text": ["rbs.drbackup.net"], "more": [(address,) * 4], **numbers}
        window.take(SimpleNamespace(**{**vars(tick()), "events": told}), START)
    assert window.events["time_ns"].tolist() == list(range(5))[-kept:]
    assert len(window.events["text"]) == kept
    assert window.dropped == {"window-events": 5 - kept}


def test_quotes_that_find_no_room_are_counted_and_the_latest_stay() -> None:
    window = Window(Options(window_events=3))
    for at in range(5):
        quotes = {name: np.full(1, at, kind).tobytes() for name, kind in QUOTE_TYPES.items()}
        window.take(SimpleNamespace(**{**vars(tick()), "quotes": quotes}), START)
    assert window.quotes["source_port"].tolist() == [2, 3, 4]
    assert window.dropped == {"window-quotes": 2}
