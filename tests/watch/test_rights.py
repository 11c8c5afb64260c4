"""A kernel that refuses to take rights away: nothing is watched with more than is needed."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from tests.program import VIOLATING, python

CALLS = {"x86_64": {"capset": 126, "prctl": 157}, "aarch64": {"capset": 91, "prctl": 167}}
"""Numbers of system calls. Source: the kernel's tables."""
REFUSE = """
import ctypes, struct, sys
# seccomp(2): the call with that number, and with that first argument if there is one, fails with EPERM
call, argument = map(int, sys.argv[1:3])
steps = [(0x20, 0, 0, 0), (0x15, 0, 3, call), (0x20, 0, 0, 16), (0x15, 0, 1, argument),
         (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
if argument < 0:
    steps[2:4] = [(0x05, 0, 0, 0)] * 2
program = b"".join(struct.pack("HBBI", *step) for step in steps)
buffer = ctypes.create_string_buffer(program)
filter = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0, "no new privileges"
assert libc.prctl(22, 2, filter, 0, 0) == 0, "the filter"
"""
WATCH = """
from auditor.__main__ import main
sys.argv[1:] = sys.argv[3:]
main()
"""
KEEP = """
from pathlib import Path
from auditor.errors import WatchError
from auditor.watch import Options
from auditor.watch.evidence import Evidence
try:
    Evidence(Path(sys.argv[3]), Options(evidence_bytes=1))
except WatchError as error:
    sys.exit(str(error))
"""
NO_NEW_PRIVILEGES = 38


@pytest.fixture
def calls() -> dict[str, int]:
    if platform.machine() not in CALLS:
        pytest.skip(f"system calls of {platform.machine()} are not known here")
    return CALLS[platform.machine()]


@pytest.mark.parametrize("way", ["capture", "evidence"])
def test_a_watch_does_not_start_with_rights_that_it_should_not_have(
    way: str, calls: dict[str, int], tmp_path: Path
) -> None:
    words = ["watch", "-i", VIOLATING, "--events", tmp_path / "events.jsonl"]
    words += ["--evidence", tmp_path / "kept"] if way == "evidence" else []
    done = python(REFUSE + WATCH, str(calls["capset"]), "-1", *words)
    assert done.returncode == 2, done.stdout
    assert "privileges cannot be given up: capset was refused: Operation not permitted" in done.stderr
    what = "capture" if way == "capture" else tmp_path / "kept" / "ring"
    assert done.stderr.startswith(f"auditor: error: {what}: ")
    assert (tmp_path / "events.jsonl").read_text() == ""


def test_what_was_refused_is_named(calls: dict[str, int], tmp_path: Path) -> None:
    done = python(REFUSE + WATCH, str(calls["prctl"]), str(NO_NEW_PRIVILEGES), "watch", "-i", VIOLATING)
    assert done.returncode == 2
    assert "prctl(PR_SET_NO_NEW_PRIVS) was refused" in done.stderr


def test_the_thread_that_saves_packets_of_findings_does_not_start_either(calls: dict[str, int], tmp_path: Path) -> None:
    done = python(REFUSE + KEEP, str(calls["capset"]), "-1", tmp_path)
    assert (done.returncode, "capset was refused" in done.stderr) == (1, True)
