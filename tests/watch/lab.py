"""Network namespaces with two hosts and a port that mirrors what they say, made for one test and gone after it.

Addresses are those of documentation (RFC 5737) and, for hosts that have to be inside, of RFC 1918. The namespaces have
no way out. Needs root, iproute2 and tcpreplay; where one is missing the test that asks for a lab is skipped with the
reason.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.program import ROOT, command, environment

SECONDS = 60  # longest run of anything in a lab
_numbers = itertools.count()


def require_lab() -> None:
    """Skip the test where no lab can be made."""
    if os.geteuid() != 0:
        pytest.skip("making network namespaces needs root")
    for tool in ("ip", "tc", "tcpreplay", "dumpcap"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    tried = subprocess.run(["ip", "netns", "add", "auditor-probe"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"no network namespace can be made: {tried.stderr.strip()}")
    subprocess.run(["ip", "netns", "delete", "auditor-probe"], check=True)


class Namespace:
    """One network namespace."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, *words: str | Path) -> str:
        """Run a program in it; what it printed."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stderr}{done.stdout}"
        return done.stdout

    def start(self, *words: str | Path, **pipes: object) -> subprocess.Popen[str]:
        """Start a program in it."""
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            ["ip", "netns", "exec", self.name, *map(str, words)],
            text=True,
            cwd=ROOT,
            env=environment(),
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **pipes},
        )

    def ip(self, words: str) -> None:
        self.run("ip", *words.split())

    def quiet(self, interface: str) -> None:
        """Let an interface say nothing by itself."""
        self.run("sysctl", "-q", "-w", f"net.ipv6.conf.{interface}.disable_ipv6=1")


@contextmanager
def namespaces(*roles: str) -> Iterator[list[Namespace]]:
    """Namespaces with these roles, each with loopback up."""
    made: list[Namespace] = []
    try:
        for role in roles:
            name = f"auditor-{os.getpid()}-{next(_numbers)}-{role}"
            subprocess.run(["ip", "netns", "add", name], check=True, timeout=SECONDS)
            made.append(Namespace(name))
            made[-1].ip("link set lo up")
        yield made
    finally:
        for namespace in made:
            subprocess.run(["ip", "netns", "delete", namespace.name], check=False, timeout=SECONDS)


@contextmanager
def replay_lab() -> Iterator[Namespace]:
    """A namespace in which what is sent on `wire0` arrives at `mon0`."""
    with namespaces("replay") as (namespace,):
        namespace.ip("link add wire0 type veth peer name mon0")
        for interface in ("wire0", "mon0"):
            namespace.quiet(interface)
            namespace.ip(f"link set {interface} up")
        yield namespace


class Watching:
    """`auditor watch` in a namespace; use as a context manager."""

    def __init__(self, namespace: Namespace, folder: Path, *arguments: str | Path) -> None:
        self.events, self.report = folder / "events.jsonl", folder / "report.json"
        self._process = namespace.start(
            *command("watch", *arguments, "--events", self.events, "-o", self.report), stdout=subprocess.DEVNULL
        )

    def __enter__(self) -> Watching:
        self.wait_for('"event":"health"')  # capture has begun
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def wait_for(self, text: str, seconds: float = SECONDS) -> float:
        """Wait until a line of the events holds that; the time at which it was seen."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.events.exists() and text in self.events.read_text():
                return time.time()
            if self._process.poll() is not None:
                raise AssertionError(f"watch has ended: {self._process.communicate()}")
            time.sleep(0.02)
        raise AssertionError(f"no {text!r} within {seconds} s: {self.events.read_text()}")

    def stop(self, number: int) -> int:
        """Send it a signal and wait for its end; the exit code."""
        self._process.send_signal(number)
        return self.ended(SECONDS)

    def ended(self, seconds: float) -> int:
        """Wait for its end; the exit code."""
        self._process.communicate(timeout=seconds)
        return self._process.returncode


PYTHON = Path(sys.executable)


def python(code: str, *arguments: str) -> Sequence[str | Path]:
    """Words that run Python code."""
    return [PYTHON, "-c", code, *arguments]
