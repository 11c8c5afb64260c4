"""What a watch keeps is bounded, and what leaves is not forgotten."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import auditor
from auditor.rulepack import enable
from auditor.watch import Event, Options, Tick, Watch
from auditor.watch.evidence import Evidence
from tests.program import CAPTURES, ROOT, VIOLATING

VIOLATIONS = sorted(CAPTURES.glob("*-violating.pcapng"))


def watched(capture: Any, options: Options) -> tuple[dict[str, Any], list[Event], list[Tick]]:
    events: list[Event] = []
    ticks: list[Tick] = []
    watch = Watch([str(capture)], enable(None, []), None, options, publish=events.append, on_tick=ticks.append)
    watch.run()
    return watch.report().to_dict(), events, ticks


@pytest.mark.parametrize("capture", VIOLATIONS, ids=lambda path: path.stem)
def test_flows_that_left_stay_in_findings_sessions_and_traffic(capture: Any) -> None:
    report, events, ticks = watched(capture, Options(tick=0.001, window_age=0.0))
    expected = auditor.audit(capture).to_dict()
    assert ticks[-1].health["flows"]["retired"] > 0
    key = ("id", "severity", "outcome", "count", "first_seen", "last_seen")
    found = {tuple(finding[name] for name in key) for finding in report["findings"]}
    assert found == {tuple(finding[name] for name in key) for finding in expected["findings"]}
    assert report["traffic"] == expected["traffic"]
    assert report["verdict"] == expected["verdict"]
    assert [e["event"] for e in events if e["event"] == "opened"] == ["opened"] * len(expected["findings"])


def test_the_judged_rows_keep_their_limit_and_it_is_told() -> None:
    _, events, ticks = watched(VIOLATING, Options(tick=0.0005, window_flows=4))
    # what is alive stays whatever the limit
    assert all(t.health["flows"]["judged"] <= 4 + t.health["flows"]["active"] for t in ticks)
    assert ticks[-1].health["limits"]["judged-flows"] > 0
    assert {e["id"] for e in events if e["event"] == "opened"} >= {
        finding["id"] for finding in auditor.audit(VIOLATING).to_dict()["findings"] if finding["severity"] != "info"
    }


def test_findings_beyond_the_limit_are_counted() -> None:
    report, events, ticks = watched(VIOLATING, Options(tick=0.001, window_age=0.0, known_findings=2))
    assert ticks[-1].health["limits"]["known-findings"] > 0
    assert report["verdict"] == "violations"
    assert [event["id"] for event in events if event.get("withdrawn")] == []  # they stand, though nobody keeps them


def test_findings_that_wait_for_their_packets_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Evidence, "_work", lambda _: None)  # a disk that takes nothing
    evidence = Evidence(tmp_path, Options(evidence_bytes=1, evidence_waiting=2))
    for finding in [one for one in auditor.audit(VIOLATING).judged.findings if one.flow_ids][:5] * 2:
        evidence.want(finding)
    # the two that wait may be told again
    assert evidence.dropped == {"evidence-waiting": 6}


def test_a_judgement_that_takes_long_does_not_cut_a_file_into_more_ticks(tmp_path: Path) -> None:
    """Each tick judges all there is: ticks of what was read in a moment would make the whole take for ever."""
    capture, ticks = tmp_path / "tuples.pcap", list[Tick]()
    with capture.open("wb") as stream:  # a microsecond apart: 0.4 s, four ticks and the last
        subprocess.run([sys.executable, ROOT / "benchmarks" / "tuples.py", "400000"], stdout=stream, check=True)

    def slow(tick: Tick) -> None:
        ticks.append(tick)
        time.sleep(0.15 if len(ticks) < 10 else 0)

    watch = Watch([str(capture)], enable(None, []), None, Options(tick=0.1), on_tick=slow)
    watch.run()
    assert ticks[-1].health["packets"] == 400_000
    assert len(ticks) < 10
