"""`auditor watch` as a user meets it, without a live interface."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.program import VIOLATING, command, environment, run


def test_without_an_interface_it_names_those_there_are() -> None:
    done = run("watch")
    assert done.returncode == 2
    assert "no interface is named" in done.stderr
    assert "lo" in done.stderr


def test_an_interface_that_is_not_there_is_a_usage_error() -> None:
    done = run("watch", "-i", "nowhere0")
    assert done.returncode == 2
    assert "nowhere0: there is no such interface" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["0s", "1.5h", "s", "-3s", "8 h", "8w"])
def test_a_duration_that_is_none_is_told(words: str) -> None:
    done = run("watch", "-i", "lo", f"--duration={words}")
    assert done.returncode == 2
    assert "is no time" in done.stderr


def test_a_missing_permission_is_told_with_what_grants_it() -> None:
    if os.geteuid() != 0:
        done = run("watch", "-i", "lo")
    else:
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]
        words = [*nobody, *command("watch", "-i", "lo")]
        finished = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=60, check=False)
        done = finished
    assert done.returncode == 2
    assert "lo: cannot open the interface" in done.stderr
    assert "AmbientCapabilities=CAP_NET_RAW" in done.stderr
    assert "setcap cap_net_raw=ep" in done.stderr


def test_events_that_find_no_room_are_told_with_their_file() -> None:
    done = run("watch", "-i", VIOLATING, "--events", "/dev/full")
    told = "auditor: error: --events /dev/full: cannot be written any more: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, told)


@pytest.mark.parametrize("words", [("watch", "-i"), ("audit",)], ids=lambda words: words[0])
def test_a_full_standard_output_is_told_as_such(words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command(*words, VIOLATING), stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), timeout=60
        )
    assert (done.returncode, done.stderr) == (2, "auditor: error: standard output: No space left on device\n")


def test_a_file_that_holds_nothing_is_an_input_error(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcap"
    empty.touch()
    done = run("watch", "-i", empty)
    assert done.returncode == 2
    assert "is empty" in done.stderr


def test_events_go_to_a_file_and_the_report_to_standard_output(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    done = run("watch", "-i", VIOLATING, "--events", events, "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["verdict"] == "violations"
    kinds = [json.loads(line)["event"] for line in events.read_text().splitlines()]
    assert kinds.count("opened") == len(json.loads(done.stdout)["findings"])
    assert kinds[-1] == "health"


def test_findings_keep_their_packets_with_a_comment(tmp_path: Path) -> None:
    done = run("watch", "-i", VIOLATING, "--evidence", tmp_path, "--events", os.devnull, "--format", "json")
    findings = json.loads(done.stdout)["findings"]
    assert {f"{one['check']}-{one['id']}.pcapng" for one in findings} == {
        path.name for path in tmp_path.glob("*.pcapng")
    }
    for one in findings:
        audited = run("audit", tmp_path / f"{one['check']}-{one['id']}.pcapng", "--format", "json")
        assert one["id"] in {found["id"] for found in json.loads(audited.stdout)["findings"]}
        assert one["id"].encode() in (tmp_path / f"{one['check']}-{one['id']}.pcapng").read_bytes()


def test_a_reader_that_goes_away_ends_it() -> None:
    process = subprocess.Popen(command("watch", "-i", VIOLATING), stdout=subprocess.PIPE, env=environment())
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 141
