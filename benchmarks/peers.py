#!/usr/bin/env python3
"""`auditor` beside the programs that do a part of its work, in one go; the table of docs/benchmarks.md.

    python benchmarks/peers.py CAPTURE… [--limit PROGRAM] [--runs N] [--threads N] [--first PACKETS] [--only NAME…]
                               [-o FILE]

Of each capture every installed program makes what comes closest to a flow table. In each round they run one after the
other, so that whatever else the machine does weighs on all; the figure is the median over the rounds. `--limit`: a
program that reads captures as fast as this machine can, run as `PROGRAM CAPTURE --mode read [--threads N] [--out CSV]`.
`--threads`: ours and the limit program with so many threads as well. What takes minutes (`is_slow`) reads the first
packets alone, and stands in a table of its own with ours on the same packets. What is not installed is listed as such:
nfstream from PyPI; tshark (editcap comes with it), argus, tcptrace, tcpdump, softflowd and nfdump from Debian;
ndpiReader (libndpi-bin) and Zeek from their projects.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

FIRST = 200_000  # packets that slow programs get
TIME_LIMIT = 600  # seconds for one run; a program that needs longer is out of the running
NFSTREAM = "import sys, nfstream; print(sum(1 for _ in nfstream.NFStreamer(sys.argv[1], n_meters=1)))"


class Program(NamedTuple):
    """One way to read a capture. `{}` stands for the capture, `{out}` for a folder to write to."""

    name: str
    command: tuple[str, ...]
    ends_well: tuple[int, ...] = (0,)
    is_slow: bool = False  # so much that it reads a part only
    threads: int = 1  # of ours


OURS = (
    Program("auditor flows", (sys.executable, "-m", "auditor", "flows", "{}", "--format", "csv", "-o", "{out}/o.csv")),
    Program(
        "auditor audit",
        (sys.executable, "-m", "auditor", "audit", "{}", "--format", "json", "-o", "{out}/o.json"),
        (0, 1, 3),
    ),
)
PEERS = (
    Program("tcpdump -w", ("tcpdump", "-r", "{}", "-w", "/dev/null")),
    Program("softflowd", ("softflowd", "-r", "{}", "-n", "127.0.0.1:9")),
    Program("argus", ("argus", "-r", "{}", "-w", "/dev/null")),
    Program("tcptrace", ("tcptrace", "-n", "{}")),
    Program("nfpcapd", ("nfpcapd", "-r", "{}", "-w", "{out}")),
    Program("ndpiReader", ("ndpiReader", "-i", "{}", "-q")),
    Program("nfstream", (sys.executable, "-c", NFSTREAM, "{}"), is_slow=True),
    Program("tshark", ("tshark", "-q", "-n", "-z", "conv,tcp", "-r", "{}"), is_slow=True),
    Program("zeek", ("zeek", "-C", "-r", "{}", "Log::default_logdir={out}")),
)


def limits(program: str, threads: int) -> tuple[Program, ...]:
    """The two ways to run the limit program."""
    command = (program, "{}", "--mode", "read", "--threads", str(threads))
    return Program("limit, with CSV", (*command, "--out", "{out}/limit.csv")), Program("limit, without", command)


def yardsticks(limit: str | None, threads: int) -> list[Program]:
    """Ours, and the limit program, with so many threads."""
    programs = [*OURS, *(limits(limit, threads) if limit else ())]
    named = "" if threads == 1 else f", {threads} threads"
    return [program._replace(name=program.name + named, threads=threads) for program in programs]


def is_installed(program: Program) -> bool:
    """Whether it can be run here."""
    if program.name == "nfstream":
        try:
            importlib.metadata.version("nfstream")
        except importlib.metadata.PackageNotFoundError:
            return False
    return shutil.which(program.command[0]) is not None


def seconds(program: Program, capture: Path) -> float | None:
    """How long one run takes; None where it fails or takes longer than TIME_LIMIT."""
    with tempfile.TemporaryDirectory() as out:
        words = [word.replace("{}", str(capture)).replace("{out}", out) for word in program.command]
        began = time.perf_counter()
        try:
            done = subprocess.run(
                words,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=TIME_LIMIT,
                env={**os.environ, "AUDITOR_THREADS": str(program.threads)},
            )
        except subprocess.TimeoutExpired:
            print(f"{program.name}: more than {TIME_LIMIT} s on {capture.name}", file=sys.stderr)
            return None
        took = time.perf_counter() - began
    if done.returncode not in program.ends_well:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        print(f"{program.name} exits {done.returncode} on {capture.name}: {' '.join(last)}", file=sys.stderr)
        return None
    return took


def measure(programs: Sequence[Program], capture: Path, runs: int) -> dict[str, float]:
    """Median seconds by program, of those that end well in every round."""
    took: dict[str, list[float]] = {program.name: [] for program in programs}
    for program in programs:
        seconds(program, capture)  # so that all find the file in memory
    for _ in range(runs):
        for program in list(programs):
            if program.name in took:
                once = seconds(program, capture)
                if once is None:
                    del took[program.name]
                else:
                    took[program.name].append(once)
    return {name: statistics.median(times) for name, times in took.items()}


def beginning(capture: Path, packets: int, folder: Path) -> Path:
    """A capture of the first packets, made by editcap."""
    part = folder / capture.name
    subprocess.run(["editcap", "-F", "pcap", "-r", capture, part, f"1-{packets}"], check=True)
    return part


def table(title: str, capture: Path, took: dict[str, float]) -> str:
    """One capture's table: seconds, and how many times as long as ours each takes."""
    ours = [took.get(program.name) for program in OURS]
    size = capture.stat().st_size / 1e6
    lines = [f"### {title}, {size:,.1f} MB", ""]
    lines += ["| program | s | times `flows` | times `audit` |", "|---|---:|---:|---:|"]
    for name, median in sorted(took.items(), key=lambda item: item[1]):
        ratios = [f"{median / one:.2f}" if one else "–" for one in ours]  # noqa: RUF001
        lines.append(f"| {name} | {median:.3f} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="+", type=Path, metavar="CAPTURE")
    parser.add_argument("--limit", metavar="PROGRAM", help="path of a limit program")
    parser.add_argument("--runs", type=int, default=5, help="rounds (default: 5)")
    parser.add_argument("--threads", type=int, metavar="N", help="measure so many threads beside one")
    parser.add_argument("--first", type=int, default=FIRST, metavar="PACKETS", help=f"of slow ones (default: {FIRST})")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of the peers, these alone")
    parser.add_argument("-o", "--output", type=Path, help="write there as well")
    given = parser.parse_args(arguments)
    for capture in given.captures:
        if not capture.is_file():
            parser.error(f"{capture}: no such file")
    if given.runs < 1:
        parser.error(f"--runs {given.runs}: expected at least 1")
    if given.limit and not shutil.which(given.limit):
        parser.error(f"--limit {given.limit}: is no program")
    peers = [peer for peer in PEERS if not given.only or peer.name.split()[0] in given.only]
    known = yardsticks(given.limit, 1) + (yardsticks(given.limit, given.threads) if given.threads else [])
    present = list(filter(is_installed, peers))
    quick, slow = ([peer for peer in present if peer.is_slow == is_slow] for is_slow in (False, True))
    absent = [peer.name.split()[0] for peer in peers if peer not in present]
    parts = [
        "# Benchmarks",
        f"Made by `python benchmarks/peers.py`: the median of {given.runs} rounds, each program in turn, one thread of "
        f"ours where nothing else is said, captures in memory. {os.cpu_count()} cores, {platform.system()} "
        f"{platform.machine()}. Above 1: ours is quicker. The programs do not do the "
        "same work: see what each one leaves out before comparing.",
    ]
    if absent:
        parts.append(f"Not installed, so not measured: {', '.join(absent)}.")
    for capture in given.captures:
        if quick or not slow:
            parts.append(table(capture.name, capture, measure([*known, *quick], capture, given.runs)))
            print(parts[-1], flush=True)
        if slow:
            with tempfile.TemporaryDirectory() as folder:
                part = beginning(capture, given.first, Path(folder))
                title = f"{capture.name}, its first {given.first:,} packets"
                parts.append(table(title, part, measure([*OURS, *slow], part, given.runs)))
            print(parts[-1], flush=True)
    if given.output:
        given.output.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
