#!/usr/bin/env python3
"""What `auditor watch` costs beside `tcpdump -w /dev/null`, both on the same interface while a capture is replayed.

    python benchmarks/watch.py CAPTURE… [--packets N] [--loops N] [--alone] [--busy] [--starve] [--watch "ARGUMENT…"]

tcpreplay sends as fast as it can over a veth pair in a network namespace of its own, which has no way out. For each
capture: what was sent and seen, losses by cause, whether the findings are those of an audit of the same file, seconds
of CPU (user and system) of both from their start to their end, and how often tcpdump's go into ours; the last two
columns are the same for the time of the replay alone. `--alone`: without tcpdump. `--busy`: one core belongs to a loop
that does nothing, everything else has the others. `--starve`: during the replay every core belongs to such a loop, and
ours runs only while nothing else wants to. `--packets`: the first so many of each capture. `--loops`: replay it so
often. `--watch`: further arguments of ours. The `auditor` beside this Python is measured, which should be an
installed release build. Needs root, iproute2, tcpreplay, tcpdump, and editcap for `--packets`.

Exit 1 where findings differ without a loss, or packets are missing that no counter tells of.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.watch.lab import Namespace, replay_lab  # noqa: E402

AUDITOR = Path(sys.executable).parent / "auditor"
SECONDS = 60
SETTLE_SECONDS = 1.5  # until the last block has been handed over and judged
BUFFER_KIB = 65_536  # tcpdump's, as large as our ring
CAUSES = ("kernel", "interface")


class Ended(NamedTuple):
    """A program that has ended."""

    exit_code: int
    cpu: float
    told: str


class Measured(NamedTuple):
    """One replay."""

    sent: int
    seconds: float
    ours: Ended
    theirs: Ended | None
    report: dict[str, Any]
    health: dict[str, Any]
    agrees: bool
    replay: list[float]  # seconds of CPU while it was replayed: ours, theirs

    @property
    def seen(self) -> int:
        return int(self.report["captures"][0]["packets"])

    @property
    def drops(self) -> dict[str, int]:
        (interface,) = self.health["interfaces"].values()
        return dict(interface["drops"])

    @property
    def missing(self) -> int:
        """Packets that were sent, and neither seen nor counted as lost."""
        return self.sent - self.seen - sum(self.drops[cause] for cause in CAUSES)


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="+", type=Path)
    parser.add_argument("--packets", type=int)
    parser.add_argument("--loops", type=int, default=1)
    parser.add_argument("--watch", default="", type=shlex.split)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("--starve", action="store_true")
    given = parser.parse_args(words)
    well = True
    print("| capture | sent | a second | seen | lost | missing | findings | ours, s | tcpdump, s | ratio "
          "| ours, replay | ratio |")  # fmt: skip
    print("|---" * 12 + "|")
    with tempfile.TemporaryDirectory() as folder:
        for capture in given.captures:
            capture = _shortened(capture, given.packets, Path(folder))
            with _busy() if given.busy else nullcontext():
                measured = measure(capture, Path(folder), given)
            print(_row(capture, measured), flush=True)
            well &= measured.missing == 0 and (measured.agrees or sum(measured.drops.values()) > 0)
    return int(not well)


def measure(capture: Path, folder: Path, given: argparse.Namespace) -> Measured:
    events, report, audited = folder / "events.jsonl", folder / "report.json", folder / "audit.json"
    for path in (events, report, audited):
        path.unlink(missing_ok=True)
    with replay_lab() as wire:
        for end in ("wire0", "mon0"):
            wire.ip(f"link set {end} mtu 65535")
        watch = [AUDITOR, "watch", "-i", "mon0", "--events", events, "-o", report, *given.watch]
        ours = _Program(wire, folder / "ours", watch)
        theirs = None
        if not given.alone:
            dump = ["tcpdump", "-i", "mon0", "-B", str(BUFFER_KIB), "-w", "/dev/null"]
            theirs = _Program(wire, folder / "theirs", dump)
            theirs.wait_for(lambda told: "listening on" in told)
        ours.wait_for(lambda _: events.exists() and events.stat().st_size > 0)
        before = [program.cpu() for program in (ours, theirs) if program is not None]
        began = time.monotonic()
        with ours.starved() if given.starve else nullcontext():
            replayed = wire.run("tcpreplay", "-q", "--topspeed", f"--loop={given.loops}", "-i", "wire0", capture)
        took = time.monotonic() - began
        time.sleep(SETTLE_SECONDS)
        after = [program.cpu() for program in (ours, theirs) if program is not None]
        their_end = None if theirs is None else theirs.end(signal.SIGINT)
        our_end = ours.end(signal.SIGTERM)
    done = subprocess.run([AUDITOR, "audit", capture, "-o", audited], check=False, capture_output=True, timeout=SECONDS)
    if our_end.exit_code not in (0, 1, 3) or done.returncode not in (0, 1, 3):
        sys.exit(f"auditor failed: {our_end.told}{done.stderr.decode()}")
    told, expected = json.loads(report.read_text()), json.loads(audited.read_text())
    health = [line for line in map(json.loads, events.open()) if line["event"] == "health"]
    found = re.search(r"Successful packets:\s+(\d+)", replayed)
    return Measured(
        sent=int(found[1]) if found else 0,
        seconds=took,
        ours=our_end,
        theirs=their_end,
        report=told,
        health=health[-1],
        agrees=_ids(told) == _ids(expected),
        replay=[end - start for start, end in zip(before, after, strict=True)],
    )


class _Program:
    """A program in the namespace, of which the CPU time is wanted."""

    def __init__(self, wire: Namespace, told: Path, words: list[str | Path]) -> None:
        self._told = told
        with told.open("w") as file:
            self._process = wire.start(*words, stdout=subprocess.DEVNULL, stderr=file)

    def wait_for(self, happened: Callable[[str], bool]) -> None:
        """Wait until that holds of what it has printed."""
        until = time.monotonic() + SECONDS
        while not happened(self._told.read_text()):
            if self._process.poll() is not None or time.monotonic() > until:
                sys.exit(f"{self._process.args} did not begin: {self._told.read_text()}")
            time.sleep(0.05)

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # proc(5): utime, stime

    @contextmanager
    def starved(self) -> Iterator[None]:
        """Let it run only while nothing else wants to, and something does on every core."""
        with _loops(sorted(os.sched_getaffinity(0))):
            self._schedule(os.SCHED_IDLE)
            try:
                yield
            finally:
                self._schedule(os.SCHED_OTHER)

    def _schedule(self, policy: int) -> None:
        for thread in Path(f"/proc/{self._process.pid}/task").iterdir():
            os.sched_setscheduler(int(thread.name), policy, os.sched_param(0))

    def end(self, number: int) -> Ended:
        self._process.send_signal(number)
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return Ended(self._process.returncode, usage.ru_utime + usage.ru_stime, self._told.read_text())


@contextmanager
def _busy() -> Iterator[None]:
    """Take a core away: a loop has it, and whatever is started from here has the others."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("--busy needs two cores")
    with _loops(cores[-1:]):
        os.sched_setaffinity(0, cores[:-1])
        try:
            yield
        finally:
            os.sched_setaffinity(0, cores)


@contextmanager
def _loops(cores: Sequence[int]) -> Iterator[None]:
    """Keep these cores busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in cores]
    try:
        for loop, core in zip(loops, cores, strict=True):
            os.sched_setaffinity(loop.pid, [core])
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def _shortened(capture: Path, packets: int | None, folder: Path) -> Path:
    if packets is None:
        return capture
    made = folder / capture.name
    subprocess.run(["editcap", "-F", "pcap", "-r", capture, made, f"1-{packets}"], check=True, timeout=SECONDS)
    return made


def _ids(report: dict[str, Any]) -> list[str]:
    return sorted(finding["id"] for finding in report["findings"])


def _row(capture: Path, measured: Measured) -> str:
    theirs = measured.theirs
    lost = ", ".join(f"{cause} {count:,}" for cause, count in measured.drops.items() if count) or "0"
    cells = (
        capture.name,
        f"{measured.sent:,}",
        f"{measured.sent / measured.seconds:,.0f}",
        f"{measured.seen:,}",
        lost,
        str(measured.missing),
        "the same" if measured.agrees else "differ",
        f"{measured.ours.cpu:.2f}",
        "" if theirs is None else f"{theirs.cpu:.2f}",
        "" if theirs is None else f"{measured.ours.cpu / theirs.cpu:.2f}",
        f"{measured.replay[0]:.2f}",
        "" if theirs is None else f"{measured.replay[0] / max(measured.replay[1], 0.01):.2f}",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
