"""The units are valid, hardened, and start what there is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from program import run

from auditor.cli.systemd import FOLDER, names

MOST_EXPOSED = 2.5
"""Of systemd's ten: a service with one capability, the network, and nothing else stays below."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=60, check=False)


@needs_systemd
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    copies = [shutil.copy(FOLDER / name, tmp_path) for name in names()]
    done = analyze("verify", "--man=no", *copies)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
@pytest.mark.parametrize("name", [name for name in names() if name.endswith(".service")])
def test_a_service_is_hardly_exposed(name: str) -> None:
    done = analyze("security", "--offline=true", "--no-pager", FOLDER / name)
    match = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert match, done.stderr
    assert float(match[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("name", [name for name in names() if name.endswith(".service")])
def test_a_service_has_one_capability_and_a_watchdog(name: str) -> None:
    text = (FOLDER / name).read_text()
    for line in (
        "Type=notify",
        "AmbientCapabilities=CAP_NET_RAW",
        "CapabilityBoundingSet=CAP_NET_RAW",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ExecReload=/bin/kill -HUP $MAINPID",
    ):
        assert line in text.splitlines()
    assert re.search("^WatchdogSec=", text, re.MULTILINE)
    (start,) = re.findall("^ExecStart=/usr/bin/env auditor (.*)$", text, re.MULTILINE)
    page = run("watch", "--help").stdout
    assert all(option in page for option in re.findall(r"--[a-z-]+", start))


def calls(of: str) -> set[str]:
    """The system calls that a word of `SystemCallFilter=` means."""
    if not of.startswith("@"):
        return {of}
    lines = [line.strip() for line in analyze("syscall-filter", of).stdout.splitlines()[1:]]
    return set().union(*(calls(line) for line in lines if line and not line.startswith("#")))


@needs_systemd
@pytest.mark.parametrize("name", [name for name in names() if name.endswith(".service")])
def test_a_service_may_make_the_calls_that_it_dies_without(name: str) -> None:
    allowed = calls("@default")
    for words in re.findall("^SystemCallFilter=(.*)$", (FOLDER / name).read_text(), re.MULTILINE):
        meant = set().union(*map(calls, words.removeprefix("~").split()))
        allowed = allowed - meant if words.startswith("~") else allowed | meant
    needed = {"capget", "capset", "prctl", "socket", "bind", "setsockopt", "mmap", "poll", "flock", "fdatasync"}
    assert needed <= allowed


def test_they_are_printed() -> None:
    assert [line.split()[0] for line in run("systemd").stdout.splitlines()] == list(names())
    assert run("systemd", "auditor-watch.service").stdout == (FOLDER / "auditor-watch.service").read_text()
    wrong = run("systemd", "auditor-wach.service")
    assert (wrong.returncode, 'did you mean "auditor-watch.service"?' in wrong.stderr) == (2, True)
