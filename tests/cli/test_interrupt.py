"""Ctrl-C, and the progress bar: what needs a running program and a terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time

import pytest
from program import ROOT, SECONDS, VIOLATING, command, environment


@pytest.mark.parametrize("name", ["audit", "flows"])
def test_ctrl_c_ends_a_waiting_program_with_a_message_and_130(name: str) -> None:
    program = subprocess.Popen(
        command(name, "-", "--format", "json"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(),
    )
    assert program.stdin is not None
    program.stdin.write(VIOLATING.read_bytes()[:5000])  # a capture that goes on, and on
    program.stdin.flush()
    time.sleep(1.5)  # long enough to be reading
    program.send_signal(signal.SIGINT)
    out, errors = program.communicate(timeout=SECONDS)
    assert program.returncode == 130
    assert b"interrupted" in errors
    assert b"Traceback" not in errors
    assert out == b"" or name == "flows"


def _on_a_terminal(*words: object, slow: bool) -> bytes:
    """What the program writes to standard error when that is a terminal; slow: its capture trickles in."""
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        command("audit", *map(str, words)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=ROOT,
        env=environment(),
    )
    os.close(theirs)
    assert program.stdin is not None
    capture = VIOLATING.read_bytes()
    program.stdin.write(capture[:5000])
    program.stdin.flush()
    if slow:
        time.sleep(2.5)
    program.stdin.write(capture[5000:])
    program.stdin.close()
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end has closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    assert program.wait(SECONDS) == 1
    return seen


def test_a_slow_reading_shows_a_bar_on_a_terminal() -> None:
    assert b"reading" in _on_a_terminal("-", slow=True)


def test_a_quick_reading_shows_none() -> None:
    assert _on_a_terminal("-", slow=False) == b""
