"""How long a million flows take to judge: `benchmarks/judge.py`.

The captures are those of `report.py`: one with ten findings, one with ten thousand. Their flows are stored, judged
from the store, and judged by two packs of which one publishes the port that the other objects to (`auditor whatif`). A
line for each with seconds of CPU and seconds; exit 1 where judging takes more than JUDGING or a what-if more than
WHAT_IF seconds of CPU.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import report

FEW, MANY = 10, report.CLIENTS
JUDGING = {FEW: 2.0, MANY: 5.0}
WHAT_IF = 10.0
PACK = Path(__file__).parents[1] / "rules" / "drbackup.yaml"


def main() -> int:
    from auditor import judging
    from auditor.flowstore import judge_stored, load_flows, store_flows
    from auditor.pipeline import audit
    from auditor.whatif import Rules, what_if

    judging.prepare()  # as the program does, beside the scan
    late = False
    with tempfile.TemporaryDirectory() as folder:
        capture, store, pack = (Path(folder) / name for name in ("million.pcap", "flows.parquet", "new.yaml"))
        pack.write_text(PACK.read_text().replace("ports: [211]", f"ports: [211, {report.UNPUBLISHED}]"))
        rules = Rules((str(pack),)), Rules(("drbackup",))
        for findings in FEW, MANY:
            print(f"a million flows with {findings:,} findings")
            report.write(capture, violating=findings)
            timed("audit, all flows", lambda: audit(capture, all_flows=True))
            timed("store the flows", lambda: store_flows([str(capture)], store))
            stored, _ = timed("load them", lambda: load_flows(store))
            judged, judging_took = timed("judge them", lambda stored=stored: judge_stored(stored))
            if (found := len(judged.judged.findings)) != findings:
                raise SystemExit(f"{found} findings; expected {findings}")
            del stored, judged
            changes, what_if_took = timed("what if", lambda: what_if([str(store)], *rules))
            if (found := len(changes.flows)) != findings:
                raise SystemExit(f"{found} flows are seen otherwise; expected {findings}")
            late |= judging_took > JUDGING[findings] or what_if_took > WHAT_IF
    return int(late)


def timed(name: str, work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and how many seconds of CPU it took."""
    began, busy = time.perf_counter(), time.process_time()
    result = work()
    busy = time.process_time() - busy
    print(f"  {name}: {busy:.2f} s of CPU, {time.perf_counter() - began:.2f} s", flush=True)
    return result, busy


if __name__ == "__main__":
    sys.exit(main())
