#!/usr/bin/env python3
"""How long `auditor` takes on a capture, as a ratio against other programs in the same run.

    python benchmarks/ratio.py CAPTURE [--runs N] [COMMAND …]

COMMAND is a program with `{}` where the capture goes, such as "tcpdump -r {} -w /dev/null"; without one, those of
PEERS that are installed. Each run pairs ours with the other, one after the other, so that whatever else the machine
does weighs on both; the figure is the median of the pairs' ratios. Above 1: ours is quicker.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

OURS = {
    "flows": "auditor flows {} --format csv -o /dev/null",
    "audit": "auditor audit {} --format json -o /dev/null",
}
PEERS = (
    "tshark -q -z conv,tcp -r {}",
    "tcpdump -r {} -w /dev/null",
    "argus -r {} -w /dev/null",
    "softflowd -r {} -n 127.0.0.1:9",
)
ENDS_WELL = (0, 1, 3)  # of ours: clean, violations, inconclusive


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture", type=Path)
    parser.add_argument("commands", nargs="*", metavar="COMMAND")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args(arguments)
    if not given.capture.is_file():
        parser.error(f"{given.capture}: no such file")
    others = given.commands or [peer for peer in PEERS if shutil.which(shlex.split(peer)[0])]
    if not others:
        parser.error("none of the known programs is installed; give a COMMAND")
    print(f"| {given.capture.name} | auditor, s | other, s | ratio |\n|---|---|---|---|")
    for name, ours in OURS.items():
        for other in others:
            pairs = [
                (_seconds(ours, given.capture, ENDS_WELL), _seconds(other, given.capture, (0,)))
                for _ in range(max(given.runs, 1))
            ]
            mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(theirs / mine for mine, theirs in pairs)
            print(f"| {name} against `{other}` | {mine:.3f} | {theirs:.3f} | {ratio:.2f} |", flush=True)
    return 0


def _seconds(command: str, capture: Path, ends_well: tuple[int, ...]) -> float:
    words = [word.replace("{}", str(capture)) for word in shlex.split(command)]
    began = time.perf_counter()
    done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    took = time.perf_counter() - began
    if done.returncode not in ends_well:
        sys.exit(f"{command}: exit code {done.returncode}: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return took


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
