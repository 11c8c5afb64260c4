#!/usr/bin/env python3
"""How long the engine alone takes to read captures, with one thread and with several: `benchmarks/engine.py`.

    python benchmarks/engine.py CAPTURE… [--limit PROGRAM] [--runs N] [--threads N…]

Captures are scanned as `auditor audit` and `auditor flows` have them scanned, in this process, which has imported all
before; nothing is judged or written. A line for each capture with the medians of seconds, and of how many times as long
as the limit program (run as `PROGRAM CAPTURE --mode read`, one thread) each takes in the same rounds.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from auditor.rulepack import enable
from auditor.scan import ScanOptions, audit_options, open_scan, table_options
from auditor.site import Site


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="+", type=Path, metavar="CAPTURE")
    parser.add_argument("--limit", metavar="PROGRAM", help="path of a limit program")
    parser.add_argument("--runs", type=int, default=9, help="rounds (default: 9)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="default: 1 2")
    given = parser.parse_args(arguments)
    for capture in given.captures:
        if not capture.is_file():
            parser.error(f"{capture}: no such file")
    packs = enable(None, [])
    kinds = {"audit": audit_options(packs, Site()), "flows": table_options(packs, Site())}
    names = [f"{kind}, {threads}" for kind in kinds for threads in given.threads]
    print(f"| capture | {'limit | ' if given.limit else ''}{' | '.join(names)} |")
    print("|---|" + "---:|" * (len(names) + bool(given.limit)))
    for capture in given.captures:
        ways: dict[str, Callable[[], object]] = {}
        if given.limit:
            command = [given.limit, str(capture), "--mode", "read"]
            ways["limit"] = partial(subprocess.run, command, stdout=subprocess.DEVNULL, check=True)
        for kind, options in kinds.items():
            for threads in given.threads:
                ways[f"{kind}, {threads}"] = partial(scan, capture, options._replace(threads=threads))
        took: dict[str, list[float]] = {name: [] for name in ways}
        for way in ways.values():
            way()  # so that all find the file in memory
        for _ in range(max(given.runs, 1)):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                took[name].append(time.perf_counter() - began)
        cells = [cell(times, took.get("limit")) for times in took.values()]
        print(f"| {capture.name} | {' | '.join(cells)} |", flush=True)
    return 0


def scan(capture: Path, options: ScanOptions) -> None:
    """Read the capture to its end."""
    running = open_scan([str(capture)], options)
    while running.next_batch() is not None:
        pass


def cell(times: Sequence[float], limit: Sequence[float] | None) -> str:
    """The median of seconds, and of the rounds' ratios."""
    text = f"{statistics.median(times):.3f}"
    if limit is None or times is limit:
        return text
    return f"{text} ({statistics.median(mine / theirs for mine, theirs in zip(times, limit, strict=True)):.2f})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
