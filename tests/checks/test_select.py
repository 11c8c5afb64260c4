"""Laws of what the checks share."""

from typing import Any

import numpy as np
import pytest
from flowbuilder import CAPTURE_START_NS, classified, context_for, raw, row
from hypothesis import given
from hypothesis import strategies as st

from auditor.checks._control import AFTER, BEFORE, _last_close
from auditor.checks._select import answered, captured_after, early, ends, group, scanned, stretches

SECOND = 10**9
words = st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1), st.just(0xFFFF_0A00_0005))
times = st.integers(0, 20)


@given(st.integers(0, 12).flatmap(lambda n: st.lists(st.lists(words, min_size=n, max_size=n), min_size=1, max_size=6)))
def test_groups_are_the_ranks_of_the_combinations(columns: list[list[int]]) -> None:
    numbers = group(*(np.array(column, np.uint64) for column in columns))
    combinations = list(zip(*columns, strict=True))
    ranks = {combination: rank for rank, combination in enumerate(sorted(set(combinations)))}
    assert numbers.tolist() == [ranks[combination] for combination in combinations]


@given(
    st.lists(st.tuples(st.integers(0, 3), times, st.one_of(times, st.just(AFTER)))),
    st.lists(st.tuples(st.integers(0, 4), times)),
)
def test_last_close_is_that_of_the_sessions_opened_so_far(
    sessions: list[tuple[int, int, int]], asking: list[tuple[int, int]]
) -> None:
    sessions = [(client, BEFORE if opened == 0 else opened, closed) for client, opened, closed in sessions]
    client, opened, closed = (np.array([one[at] for one in sessions], np.int64) for at in range(3))
    who, when = (np.array([one[at] for one in asking], np.int64) for at in range(2))
    expected = [
        max((closed for client, opened, closed in sessions if client == asked and opened <= time), default=BEFORE)
        for asked, time in asking
    ]
    assert _last_close(client, opened, closed, who, when).tolist() == expected


@pytest.mark.parametrize("history", ["S", "Sr", "SR", "R", "r", "A", "Ar", "FR"])
def test_lone_and_refused_packets_are_no_answer(history: str) -> None:
    assert not answered(raw(row("10.0.0.5:1", "192.0.2.1:2", history=history)), np.array([0])).any()


@pytest.mark.parametrize("history", ["Sh", "Sd", "SA", "SAD", "^h", "H", "D", "Dd", "Aa", "Fa"])
def test_syn_ack_data_and_an_opener_that_goes_on_are_answers(history: str) -> None:
    assert answered(raw(row("10.0.0.5:1", "192.0.2.1:2", history=history)), np.array([0])).all()


def test_protocols_without_handshake_are_answered_by_a_packet_back() -> None:
    flows = raw(*[row("10.0.0.5:1", "192.0.2.1:2", "udp", packets=packets) for packets in ((1, 0), (0, 1), (1, 1))])
    assert answered(flows, np.arange(3)).tolist() == [False, False, True]


def test_client_and_server_are_told_apart_whoever_sent_first() -> None:
    flows, _ = classified(
        row("10.0.0.5:1111", "204.164.111.9:16384", packets=(1, 2), payload=(3, 4), history="Sh"),
        row("204.164.111.9:16384", "10.0.0.5:1111", packets=(2, 1), payload=(4, 3), history="Hs"),
    )
    end = ends(flows, np.array([0, 1]))
    for name in ("hi", "lo", "port", "seen", "packets", "payload"):
        for side in ("client", "server"):
            first, second = getattr(end, f"{side}_{name}").tolist()
            assert first == second, (side, name)
    assert end.client_port.tolist() == [1111, 1111]
    assert end.server_payload.tolist() == [4, 4]


def test_scan_is_known_by_both_of_its_ends_in_their_order() -> None:
    flows = raw(
        row("10.0.0.5:1", "192.0.2.1:2"),
        row("192.0.2.1:1", "10.0.0.5:2"),
        row("10.0.0.6:1", "192.0.2.1:2"),
        row("10.0.0.5:3", "192.0.2.1:4"),
    )
    context = context_for(port_scans=[("10.0.0.5", "192.0.2.1")])
    assert scanned(flows, np.arange(4), context).tolist() == [True, False, False, True]


def capture(first: float, last: float, packets: int = 9) -> dict[str, Any]:
    start = CAPTURE_START_NS
    times = {"first_ns": start + int(first * SECOND), "last_ns": start + int(last * SECOND)}
    return {"path": "x", "packets": packets, **times}


def spans(*captures: dict[str, Any]) -> list[tuple[int, int]]:
    """Stretches in seconds from the start."""
    found = stretches(context_for(captures=captures))
    return [((first - CAPTURE_START_NS) // SECOND, (last - CAPTURE_START_NS) // SECOND) for first, last in found]


def test_captures_that_follow_each_other_closely_are_one_stretch() -> None:
    assert spans(capture(0, 100), capture(400, 500)) == [(0, 500)]
    assert spans(capture(0, 100), capture(401, 500)) == [(0, 100), (401, 500)]
    assert spans(capture(400, 500), capture(0, 450), capture(20, 30)) == [(0, 500)]


def test_captures_without_packets_have_no_times() -> None:
    assert spans(capture(0, 100), capture(5000, 5000, packets=0)) == [(0, 100)]


def test_times_are_reckoned_within_their_stretch() -> None:
    context = context_for(captures=(capture(0, 1000), capture(5000, 6000)))
    flows = raw(*[row("10.0.0.5:1", "192.0.2.1:2", start=start) for start in (0, 299, 300, 1000, 5299, 5300, 5990)])
    rows = np.arange(len(flows))
    assert early(flows, rows, context).tolist() == [True, True, False, False, True, False, False]
    assert (captured_after(flows, rows, context) // SECOND).tolist() == [1000, 701, 700, 0, 701, 700, 10]


def test_flow_that_begins_before_the_capture_by_its_clock_is_early() -> None:
    flows = raw(row("10.0.0.5:1", "192.0.2.1:2", start=-5))
    assert early(flows, np.array([0]), context_for()).all()
