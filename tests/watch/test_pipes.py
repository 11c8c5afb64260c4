"""Captures that another program writes into a pipe: nobody may be there yet, and nothing else waits for it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from program import CLEAN, ROOT, VIOLATING, command, environment
from servers import wait_until

SECONDS = 60


def started(*words: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("watch", "--pack", "drbackup", *words), text=True, cwd=ROOT, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_pipe_that_nobody_writes_to_is_watched_and_left_when_asked(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    events = tmp_path / "events"
    process = started("-i", tmp_path / "pipe", "--events", events)
    wait_until(lambda: events.exists() and "health" in events.read_text())
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)
    assert process.returncode in (2, 3)


def test_a_capture_that_is_written_into_a_pipe_later_is_watched(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    events = tmp_path / "events"
    process = started("-i", tmp_path / "pipe", "--events", events)
    wait_until(lambda: events.exists() and "health" in events.read_text())
    (tmp_path / "pipe").write_bytes(VIOLATING.read_bytes())
    _, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (1, "")
    assert events.read_text().count('"event":"opened"') == 8


def test_a_pipe_that_is_silent_holds_up_nothing_beside_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    events = tmp_path / "events"
    process = started("-i", tmp_path / "pipe", "-i", VIOLATING, "--events", events)
    wait_until(lambda: events.exists() and events.read_text().count('"event":"opened"') == 8)
    (tmp_path / "pipe").write_bytes(CLEAN.read_bytes())
    _, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (1, "")
