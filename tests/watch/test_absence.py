"""Interfaces that go away and come back while they are watched."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import auditor
from tests.program import VIOLATING
from tests.watch.lab import Namespace, Watching, replay_lab, require_lab


@pytest.fixture(autouse=True)
def _lab() -> None:
    require_lab()


def make(wire: Namespace) -> None:
    """What is watched, and the end that sends to it."""
    wire.ip("link add wire0 type veth peer name mon0")
    for interface in ("wire0", "mon0"):
        wire.quiet(interface)
        wire.ip(f"link set {interface} up")


def notices(watching: Watching) -> list[str]:
    lines = map(json.loads, watching.events.read_text().splitlines())
    return [f"{event['name']} {event['message'].partition(':')[0]}" for event in lines if event["event"] == "notice"]


def replay_and_end(wire: Namespace, watching: Watching) -> dict[str, Any]:
    wire.run("tcpreplay", "-q", "-i", "wire0", VIOLATING)
    time.sleep(1.5)
    watching.stop(signal.SIGTERM)
    report: dict[str, Any] = json.loads(watching.report.read_text())
    return report


@pytest.mark.parametrize("way", ["deleted and made anew", "down and up"])
def test_an_interface_that_comes_back_is_watched_on_and_its_absence_is_told(way: str, tmp_path: Path) -> None:
    expected = auditor.audit(VIOLATING).to_dict()
    with replay_lab() as wire, Watching(wire, tmp_path, "-i", "mon0") as watching:
        wire.ip("link delete mon0" if way.startswith("deleted") else "link set mon0 down")
        watching.wait_for('"interface-down"', 10)
        time.sleep(1)
        if way.startswith("deleted"):
            make(wire)
        else:
            wire.ip("link set mon0 up")
        watching.wait_for('"interface-up"', 10)
        report = replay_and_end(wire, watching)
        assert notices(watching) == ["interface-down mon0", "interface-up mon0"]
    (capture,) = report["captures"]
    assert capture["packets"] >= expected["captures"][0]["packets"]
    ids = {finding["id"] for finding in report["findings"]}
    assert ids >= {finding["id"] for finding in expected["findings"]}
    (gap,) = (problem for problem in capture["problems"] if problem["name"] == "interface-down")
    assert (gap["count"], gap["hides_traffic"], capture["complete"]) == (1, True, False)
    health = [json.loads(line) for line in watching.events.read_text().splitlines()][-1]
    told = health["interfaces"]["mon0"]
    assert (told["is_away"], told["drops"]["down"]) == (False, 1)
    assert 1 <= told["away"] < 20


def test_another_kind_of_interface_with_the_same_name_is_not_taken_for_it(tmp_path: Path) -> None:
    with replay_lab() as wire, Watching(wire, tmp_path, "-i", "mon0") as watching:
        wire.ip("link delete mon0")
        watching.wait_for('"interface-down"', 10)
        wire.ip("tuntap add dev mon0 mode tun")
        wire.ip("link set mon0 up")
        time.sleep(1.5)
        watching.stop(signal.SIGTERM)
        assert notices(watching) == ["interface-down mon0"]
    health = [json.loads(line) for line in watching.events.read_text().splitlines()][-1]
    assert health["interfaces"]["mon0"]["is_away"]
    assert not health["complete"]
