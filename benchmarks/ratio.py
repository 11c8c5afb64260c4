#!/usr/bin/env python3
"""How long `auditor` takes on a capture, as a ratio against other programs in the same run.

    python benchmarks/ratio.py CAPTURE [--runs N] [--ears] [COMMAND …]

COMMAND is a program with `{}` where the capture goes, such as "tcpdump -r {} -w /dev/null"; without one, those of
PEERS that are installed. With `--ears` both are our own audit, and the other reads no payload (`ears.py`): the ratio
is the share of its packets per second that the parsers leave. Each run pairs ours with the other, one after the other,
so that whatever else the machine does weighs on both; the figure is the median of the pairs' ratios. Above 1: ours is
quicker.
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
EARS = shlex.join([sys.executable, str(Path(__file__).with_name("ears.py"))])
ENDS_WELL = (0, 1, 3)  # of ours: clean, violations, inconclusive


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture", type=Path)
    parser.add_argument("commands", nargs="*", metavar="COMMAND")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--ears", action="store_true")
    given = parser.parse_args(arguments)
    if not given.capture.is_file():
        parser.error(f"{given.capture}: no such file")
    if given.ears:
        on, off = (f"{EARS} {ears} {OURS['audit'].removeprefix('auditor ')}" for ears in ("on", "off"))
        duels = [("audit", on, off)]
    else:
        others = given.commands or [peer for peer in PEERS if shutil.which(shlex.split(peer)[0])]
        if not others:
            parser.error("none of the known programs is installed; give a COMMAND")
        duels = [(name, ours, other) for name, ours in OURS.items() for other in others]
    print(f"| {given.capture.name} | auditor, s | other, s | ratio |\n|---|---|---|---|")
    for name, ours, other in duels:
        pairs = [
            (
                _seconds(ours, given.capture, ENDS_WELL),
                _seconds(other, given.capture, ENDS_WELL if given.ears else (0,)),
            )
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
