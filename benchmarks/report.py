"""How long reports of a large audit take: `benchmarks/report.py [FORMAT…]`; default: html.

The audit is made up: a million flows and ten thousand findings, copies of those of a sample. A line for each format
with seconds, seconds of CPU and bytes; exit 1 where HTML takes more than 5 s or 5 MB.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOWS, FINDINGS = 1_000_000, 10_000
SECONDS, BYTES = 5.0, 5_000_000


def main(formats: list[str]) -> int:
    sys.path[:0] = [str(ROOT / "tests" / "reports"), str(ROOT / "tests")]
    from audits import enormous, written

    from auditor import reports

    report = enormous(ROOT / "captures" / "drbackup-violating.pcapng", FINDINGS, FLOWS)
    late = False
    for format in formats or ["html"]:
        reports.prepare([format])  # as the program does, beside the scan
        began, busy = time.perf_counter(), time.process_time()
        content = written(format, report)
        took, busy = time.perf_counter() - began, time.process_time() - busy
        late |= format == "html" and (took > SECONDS or len(content) > BYTES)
        print(f"{format}: {took:.2f} s, {busy:.2f} s of CPU, {len(content):,} bytes")
    return int(late)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
