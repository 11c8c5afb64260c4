"""Runs the program as a user does: another process, an environment without surprises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CAPTURES = ROOT / "captures"
CLEAN = CAPTURES / "drbackup-clean.pcapng"
VIOLATING = CAPTURES / "drbackup-violating.pcapng"
SECONDS = 60  # longest run


def environment(**further: str) -> dict[str, str]:
    """What a process of ours sees: a UTF-8 locale, a home, and nothing of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "TZ": "UTC", "TERM": "xterm", **further}


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "auditor", *map(str, arguments)]


def run(*arguments: str | Path, stdin: bytes = b"", **further: str) -> subprocess.CompletedProcess[str]:
    """Run `auditor` with these arguments and environment variables from the project's root."""
    done = subprocess.run(
        command(*arguments), input=stdin, capture_output=True, cwd=ROOT, env=environment(**further), timeout=SECONDS
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def python(code: str, *arguments: str | Path, **further: str) -> subprocess.CompletedProcess[str]:
    """Run Python code where the program would run."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(**further),
        timeout=SECONDS,
    )
