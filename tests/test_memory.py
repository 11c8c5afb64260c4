"""Memory is bounded by what is alive, never by what has been seen: floods of 5-tuples through a pipe."""

from __future__ import annotations

import subprocess
import sys

from program import ROOT, command, environment

# The flows alive at once are bounded by time: an unanswered SYN is over after 5 s, one million of them here.
SOME, MANY = 200_000, 1_200_000  # 5-tuples; benchmarks/tuples.py makes ten million as well
SECONDS = 120
# What is put aside costs 16 to 32 bytes a 5-tuple until ASIDE_TUPLES are known; flows cost some hundred.
BYTES_PER_TUPLE = 64
SLACK = 60 << 20

# The same with a server of a vendor, and so slowly that few are alive at once.
OF_A_VENDOR = ("66.241.7.9", "1000")
FEWER, MORE = 100_000, 300_000
# A row takes 240 bytes as columns; judged and told in a finding, 660 in all. It was 950 when findings held texts.
BYTES_PER_ROW = 800
# Batches on their way: eight wait at most, at 2.6 MB each.
BATCHES = 30 << 20


def peak(count: int, *arguments: str, flood: tuple[str, ...] = ()) -> int:
    """Peak memory in bytes of `auditor` while it reads that many 5-tuples from a pipe."""
    with subprocess.Popen(
        [sys.executable, ROOT / "benchmarks" / "tuples.py", str(count), *flood], stdout=subprocess.PIPE
    ) as flooding:
        code = "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
        code += "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        done = subprocess.run(
            [sys.executable, "-c", code, *command(*arguments)],
            stdin=flooding.stdout,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment(),
            timeout=SECONDS,
            check=True,
        )
    returncode, kilobytes = map(int, done.stdout.split())
    assert returncode in (0, 1, 3), done.stderr
    assert flooding.returncode == 0
    return kilobytes << 10


def test_an_audit_of_a_million_tuples_needs_a_few_bytes_for_each() -> None:
    few, many = peak(SOME, "audit", "-"), peak(MANY, "audit", "-")
    assert many - few < (MANY - SOME) * BYTES_PER_TUPLE + SLACK


def test_a_row_of_a_vendor_costs_an_audit_little_more_than_its_columns() -> None:
    few, many = (peak(count, "audit", "-", "--format", "json", flood=OF_A_VENDOR) for count in (FEWER, MORE))
    assert many - few < (MORE - FEWER) * BYTES_PER_ROW


def test_a_flow_table_keeps_no_row_that_it_has_written() -> None:
    few, many = (peak(count, "flows", "-", "--format", "csv", flood=OF_A_VENDOR) for count in (FEWER, MORE))
    assert many - few < BATCHES
