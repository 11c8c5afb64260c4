"""JSON lines and EVE: lines are whole, files rotate, and a full disk loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from program import ROOT, environment
from watching import finding, settings

from auditor.sinks import open_sink
from auditor.sinks._rotation import RotatingFile
from auditor.sinks.base import DeliveryError, Place
from auditor.sinks.eve import eve, signature_id


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def test_a_line_is_an_event(tmp_path: Path) -> None:
    sink = open_sink(settings("jsonl", path="events.jsonl"), Place(str(tmp_path)))
    sink.deliver([finding(1), {"event": "health", "packets": 3}])
    sink.close()
    assert [json.loads(line) for line in lines(tmp_path / "events.jsonl")] == [
        finding(1),
        {"event": "health", "packets": 3},
    ]
    assert (tmp_path / "events.jsonl").stat().st_mode & 0o777 == 0o640


def test_a_full_file_makes_way_and_only_so_many_are_kept(tmp_path: Path) -> None:
    file = RotatingFile(str(tmp_path / "f"), size=40, keep=2)
    for number in range(10):
        file.write([b"line %d of ten\n" % number] * 2)
    file.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "f.1", "f.2"]
    assert all(path.stat().st_size <= 40 for path in tmp_path.iterdir())
    assert lines(tmp_path / "f")[-1] == b"line 9 of ten\n"
    assert lines(tmp_path / "f.2") + lines(tmp_path / "f.1") + lines(tmp_path / "f") == [
        b"line %d of ten\n" % number for number in (7, 7, 8, 8, 9, 9)
    ]


def test_an_old_file_makes_way(tmp_path: Path) -> None:
    now = [1000.0]
    file = RotatingFile(str(tmp_path / "f"), age=60, keep=1, clock=lambda: now[0])
    file.write([b"a\n"])
    now[0] += 59
    file.write([b"b\n"])
    now[0] += 1
    file.write([b"c\n"])
    file.close()
    assert (lines(tmp_path / "f.1"), lines(tmp_path / "f")) == ([b"a\n", b"b\n"], [b"c\n"])


def test_after_another_program_moved_the_file_reopening_begins_a_new_one(tmp_path: Path) -> None:
    sink = open_sink(settings("jsonl", path="f"), Place(str(tmp_path)))
    sink.deliver([finding(1)])
    (tmp_path / "f").rename(tmp_path / "moved")
    sink.reopen()
    sink.deliver([finding(2)])
    sink.close()
    assert [len(lines(tmp_path / name)) for name in ("moved", "f")] == [1, 1]


def test_a_line_that_was_cut_by_a_crash_is_ended_first(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b'{"event":"op')
    file = RotatingFile(str(tmp_path / "f"))
    file.write([b"whole\n"])
    file.close()
    assert lines(tmp_path / "f") == [b'{"event":"op\n', b"whole\n"]


FULL_DISK = """
import resource, signal, sys
from auditor.sinks._rotation import RotatingFile
from auditor.sinks.base import DeliveryError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
file = RotatingFile(sys.argv[1])
try:
    file.write([b"x" * 29 + b"\\n"] * 5)
except DeliveryError as error:
    print(error.taken, error.again)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
file.write([b"later\\n"])
"""


def test_what_a_full_disk_cuts_is_taken_back(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path / "f"],
        capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("3 True\n", "")
    assert lines(tmp_path / "f") == [b"x" * 29 + b"\n"] * 3 + [b"later\n"]


def test_what_another_program_wrote_behind_our_lines_stays(tmp_path: Path) -> None:
    file = RotatingFile(str(tmp_path / "f"))
    file.write([b"ours\n"])
    with (tmp_path / "f").open("ab") as other:
        other.write(b"theirs\n")
    file.write([b"ours\n"])
    file.close()
    assert lines(tmp_path / "f") == [b"ours\n", b"theirs\n", b"ours\n"]


def test_a_file_that_another_watch_writes_to_is_refused_until_it_is_free(tmp_path: Path) -> None:
    first, second = (RotatingFile(str(tmp_path / "f"), size=10) for _ in range(2))
    first.write([b"first\n"])
    with pytest.raises(DeliveryError, match=r"/f: another sink or watch writes to it; expected a file for each"):
        second.write([b"second\n"])
    first.close()
    second.write([b"second\n"])
    second.close()
    assert (lines(tmp_path / "f"), first.keep) == ([b"second\n"], 0)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_file_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    sink = open_sink(settings("jsonl", path=str(path if kind == "pipe" else "/dev/null")), Place(str(tmp_path)))
    with pytest.raises(DeliveryError, match=r"is no file; expected one"):
        sink.deliver([finding()])
    with pytest.raises(DeliveryError, match=r"is no file; expected one"):
        sink.probe()


UNENDED = """
import resource, signal, sys
from pathlib import Path
from auditor.sinks._rotation import RotatingFile
from auditor.sinks.base import DeliveryError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
Path(sys.argv[1]).write_bytes(b"cut" * 10)
resource.setrlimit(resource.RLIMIT_FSIZE, (30, resource.RLIM_INFINITY))
file = RotatingFile(sys.argv[1])
try:
    file.write([b"a\\n"])
except DeliveryError as error:
    print(error.taken)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
file.write([b"later\\n"])
"""


def test_a_cut_line_is_ended_even_if_the_disk_was_full_at_first(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNENDED, tmp_path / "f"],
        capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert lines(tmp_path / "f") == [b"cut" * 10 + b"\n", b"later\n"]


def test_reopening_makes_a_file_no_younger(tmp_path: Path) -> None:
    now = [1000.0]
    file = RotatingFile(str(tmp_path / "f"), age=60, keep=1, clock=lambda: now[0])
    file.write([b"a\n"])
    now[0] += 50
    file.close()
    file.write([b"b\n"])
    now[0] += 10
    file.write([b"c\n"])
    file.close()
    assert (lines(tmp_path / "f.1"), lines(tmp_path / "f")) == ([b"a\n", b"b\n"], [b"c\n"])


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    sink = open_sink(settings("jsonl", path="no/f"), Place(str(tmp_path)))
    with pytest.raises(DeliveryError, match=r"no/f: No such file or directory") as raised:
        sink.deliver([finding()])
    assert (raised.value.taken, raised.value.again) == (0, True)
    with pytest.raises(DeliveryError, match=r"there is no folder"):
        sink.probe()


def test_a_finding_is_an_alert(tmp_path: Path) -> None:
    line = eve(finding(1, severity="critical", check="inbound-initiated", direction="inbound", protocol="tcp"), "span")
    assert line["timestamp"] == "2026-03-02T21:00:01.500000+0000"
    assert (line["event_type"], line["proto"], line["host"]) == ("alert", "TCP", "span")
    assert (line["src_ip"], line["dest_ip"], line["dest_port"]) == ("66.241.7.9", "10.0.0.1", 21000)
    assert line["alert"]["severity"] == 1
    assert line["alert"]["signature_id"] == signature_id("inbound-initiated") >= 1_000_000
    assert line["alert"]["metadata"]["id"] == [finding(1)["id"]]
    health = eve({"event": "health", "time": "2026-03-02T21:00:00Z", "packets": 5}, "span")
    assert (health["event_type"], health["stats"]["packets"]) == ("stats", 5)


def test_no_two_checks_share_a_signature_id() -> None:
    from auditor import discovery

    checks = discovery.ids("auditor.checks")
    assert len({signature_id(check) for check in checks}) == len(checks)
