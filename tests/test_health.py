"""What captures can carry."""

from __future__ import annotations

from typing import Any

import pytest
from flowbuilder import CAPTURE_START_NS, capture

from auditor.health import Health, health_of

TOTALS = {"packets": 1000, "two_way_flows": 10, "half_seen_flows": 0}
HIDING = {"name": "cut", "count": 2, "frame": 7, "offset": 9, "message": "frame 7 is cut", "hides_traffic": True}


def health(*captures: dict[str, Any], **totals: int) -> Health:
    return health_of(captures or (capture(),), {**TOTALS, **totals})


def test_sound_capture_has_no_losses() -> None:
    found = health()
    assert found.complete
    assert found.losses() == []
    assert found.start_ns == CAPTURE_START_NS


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"drops": 5}, "5 packets dropped"),
        ({"problems": [HIDING], "complete": False}, "frame 7 is cut"),
        ({"complete": False}, "ends before its end"),
        ({"error": "is no capture", "packets": 0, "first_ns": None}, "is no capture"),
    ],
)
def test_every_loss_is_told_with_its_file(given: dict[str, Any], said: str) -> None:
    found = health(capture(path="good.pcap"), capture(path="bad.pcap", **given))
    assert not found.complete
    (loss,) = found.losses()
    assert loss.startswith("bad.pcap: ")
    assert said in loss


def test_problem_that_hides_nothing_is_no_loss() -> None:
    assert health(capture(problems=[{**HIDING, "hides_traffic": False}])).complete


def test_no_packets_are_a_loss() -> None:
    found = health(capture(packets=0, first_ns=None, last_ns=None), packets=0)
    assert found.losses() == ["no packets at all"]
    assert found.start_ns == 0


@pytest.mark.parametrize(
    ("two_way", "half_seen", "one_sided"), [(0, 1, True), (1, 1, False), (1, 50, True), (1, 49, False), (0, 0, False)]
)
def test_scan_is_one_sided_when_nearly_no_flow_shows_both_directions(
    two_way: int, half_seen: int, one_sided: bool
) -> None:
    found = health(two_way_flows=two_way, half_seen_flows=half_seen)
    assert found.one_sided is one_sided
    assert bool(found.losses()) is one_sided
