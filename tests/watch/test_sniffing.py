"""Interfaces that scapy reads: the findings are the same, and nothing is called absent."""

from __future__ import annotations

import json
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import auditor
from auditor.watch.options import are_sniffed
from tests.program import CAPTURES, CLEAN, python, run
from tests.watch.lab import Namespace, Watching, replay_lab, require_lab

VIOLATIONS = sorted(CAPTURES.glob("*-violating.pcapng"))


def found_in(report: dict[str, Any]) -> set[str]:
    """The findings, but for what says that the capture is incomplete."""
    return {finding["id"] for finding in report["findings"] if finding["check"] != "capture-incomplete"}


def replayed(wire: Namespace, capture: Path, *watching: Watching) -> list[dict[str, Any]]:
    """The reports of watches that saw a capture pass."""
    wire.run("tcpreplay", "-q", "-i", "wire0", capture)
    time.sleep(1.5)
    for one in watching:
        one.stop(signal.SIGTERM)
    return [json.loads(one.report.read_text()) for one in watching]


@pytest.mark.parametrize("capture", VIOLATIONS, ids=lambda path: path.stem)
def test_scapy_and_the_ring_find_the_same(capture: Path, tmp_path: Path) -> None:
    require_lab()
    folders = [tmp_path / who for who in ("scapy", "kernel")]
    for folder in folders:
        folder.mkdir()
    with (
        replay_lab() as wire,
        Watching(wire, folders[0], "-i", "mon0", "--source", "scapy") as sniffing,
        Watching(wire, folders[1], "-i", "mon0", "--source", "kernel") as ringing,
    ):
        sniffed, ringed = replayed(wire, capture, sniffing, ringing)
    assert found_in(sniffed) == found_in(ringed) == found_in(auditor.audit(capture).to_dict())
    assert sniffed["traffic"] == ringed["traffic"]
    (one,), (other,) = sniffed["captures"], ringed["captures"]
    for key in ("path", "format", "link_types", "packets", "bytes"):
        assert one[key] == other[key]
    stamps = [datetime.fromisoformat(each["start"]) for each in (one, other)]
    assert abs(stamps[0] - stamps[1]) <= timedelta(microseconds=1), "scapy keeps the kernel's stamps as floats"


def test_what_may_have_been_dropped_is_never_called_clean(tmp_path: Path) -> None:
    require_lab()
    with replay_lab() as wire, Watching(wire, tmp_path, "-i", "mon0", "--source", "scapy") as watching:
        (report,) = replayed(wire, CLEAN, watching)
    assert auditor.audit(CLEAN).verdict == "clean"
    assert report["verdict"] == "inconclusive"
    assert "met" not in {entry["status"] for entry in report["coverage"]}
    (capture,) = report["captures"]
    (problem,) = capture["problems"]
    assert (problem["name"], problem["hides_traffic"], capture["complete"]) == ("drops-unknown", True, False)
    health = json.loads(watching.events.read_text().splitlines()[-1])
    assert health["interfaces"]["mon0"]["drops"] == {}, "no number stands where none is known"
    assert not health["complete"]
    assert not health["interval"]["complete"]


def test_an_interface_that_goes_away_ends_the_watch_and_is_told(tmp_path: Path) -> None:
    require_lab()
    with replay_lab() as wire, Watching(wire, tmp_path, "-i", "mon0", "--source", "scapy") as watching:
        wire.run("tcpreplay", "-q", "-i", "wire0", CLEAN)
        time.sleep(1)
        wire.ip("link delete mon0")
        watching.wait_for('"interface-down"', 10)
        assert watching.ended(10) == 3
    (capture,) = json.loads(watching.report.read_text())["captures"]
    assert capture["packets"] == auditor.audit(CLEAN).to_dict()["captures"][0]["packets"]
    assert {problem["name"] for problem in capture["problems"]} == {"drops-unknown", "interface-lost"}


def test_scapy_is_taken_where_the_system_has_no_packet_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not are_sniffed("auto")
    assert are_sniffed("scapy")
    monkeypatch.setattr("sys.platform", "freebsd14")
    assert are_sniffed("auto")
    assert not are_sniffed("kernel")


def test_what_keeps_scapy_from_reading_is_told() -> None:
    missing = "import sys; sys.modules['scapy'] = None; from auditor.__main__ import main; main()"
    done = python(missing, "watch", "-i", "lo", "--source", "scapy")
    assert (done.returncode, "pip install 'auditor[live]'" in done.stderr) == (2, True), done.stderr
    done = run("watch", "-i", "nowhere0", "--source", "scapy")
    assert (done.returncode, "nowhere0: there is no such interface" in done.stderr) == (2, True), done.stderr
    done = run("watch", "-i", "lo", "--source", "scapy", "--kernel-filter")
    assert (done.returncode, "cannot let the kernel filter" in done.stderr) == (2, True), done.stderr


def test_check_tries_scapy_where_it_is_to_read(tmp_path: Path) -> None:
    require_lab()
    (tmp_path / "monitor.yaml").write_text("interfaces: [lo]\nsource: scapy\nstatus: status.json\n")
    done = run("watch", "--config", tmp_path / "monitor.yaml", "--check")
    assert (done.returncode, "scapy reads it" in done.stdout) == (0, True), done.stdout + done.stderr
