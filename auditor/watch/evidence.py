"""The packets of findings, taken out of the ring on disk into a file for each finding.

The engine keeps the first kilobytes of every flow that could concern a vendor, for as long as the ring has room. A
finding that is told gets `<check>-<id>.pcapng`; each packet in it has a comment that names the finding. A thread of its
own does that, so that neither capture nor judging waits for the disk. Of a fragmented datagram only the fragment that
made it whole is kept.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from auditor.errors import WatchError
from auditor.grouping import MAX_EVIDENCE
from auditor.watch.options import RING
from auditor.watch.permission import give_up_privileges

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from auditor.finding import Finding
    from auditor.watch.options import Options

FINDING_BYTES = 8 << 20  # written for one finding at once; a flow is kept with some kilobytes
COUNT_SECONDS = 10.0  # between two looks at all files of a full folder, which may hold thousands
Position = tuple[int, int]
START: Position = (0, 0)


class Evidence:
    """Saves findings' packets below `folder`, at most `options.evidence_bytes` of them in all."""

    def __init__(self, folder: Path, options: Options) -> None:
        """Raises: WatchError where the thread cannot give up its rights."""
        self._folder, self._options, self._limit = folder, options, options.evidence_bytes
        self._pending: dict[str, Finding] = {}
        self._saved: dict[str, dict[int, Position]] = {}  # by finding: how far each of its flows was saved
        self._used = self._bytes()  # of the findings' files
        self._next_count = 0.0
        self._changed = threading.Condition()
        self._ending = False
        self.dropped: dict[str, int] = {}  # limits that were reached, with how many files are incomplete for them
        ready = Future[None]()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="evidence", daemon=True)
        self._thread.start()
        ready.result()

    def want(self, finding: Finding) -> None:
        """Save what is new of a finding. Returns at once."""
        if not finding.flow_ids:
            return  # about the capture as a whole
        with self._changed:
            if len(self._pending) >= self._options.evidence_waiting and finding.id not in self._pending:
                self._drop("evidence-waiting", 1)
                return
            self._pending[finding.id] = finding
            self._changed.notify()

    def close(self) -> None:
        """Save what is wanted, and end."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join()

    def _run(self, ready: Future[None]) -> None:
        try:
            give_up_privileges()  # begun by whoever may open interfaces
        except WatchError as error:
            ready.set_exception(error)
        else:
            ready.set_result(None)
            self._work()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._pending and not self._ending:
                    self._changed.wait()
                if not self._pending:
                    return
                names = [name for name, _ in zip(self._pending, range(self._options.evidence_at_once), strict=False)]
                findings = [self._pending.pop(name) for name in names]
            try:
                self._save(findings)
            except OSError:
                self._drop("evidence-not-written", len(findings))

    def _save(self, findings: Sequence[Finding]) -> None:
        from auditor._engine import extract_evidence

        if self._used > self._limit and time.monotonic() >= self._next_count:
            self._used = self._bytes()  # somebody may have made room
            self._next_count = time.monotonic() + COUNT_SECONDS
        if self._used > self._limit:
            self._drop("evidence-bytes", len(findings))
            return
        wishes = [(str(self._file(finding)), _comment(finding), self._flows(finding)) for finding in findings]
        before = sum(map(_size, map(self._file, findings)))
        counts, end = extract_evidence(str(self._folder / RING), wishes, FINDING_BYTES)
        self._used += sum(map(_size, map(self._file, findings))) - before
        for finding, (_, _, flows), count in zip(findings, wishes, counts, strict=True):
            if count is None:
                self._drop("evidence-not-written", 1)
                continue
            self._saved.pop(finding.id, None)
            self._saved[finding.id] = dict.fromkeys((flow_id for flow_id, _ in flows), end)
        while len(self._saved) > self._options.evidence_remembered:
            del self._saved[next(iter(self._saved))]

    def _flows(self, finding: Finding) -> list[tuple[int, Position]]:
        """The flows of which packets are kept, and from where on they are new."""
        known = dict(self._saved.get(finding.id, {}))
        for flow_id in finding.flow_ids:
            if len(known) >= MAX_EVIDENCE:
                break
            known.setdefault(int(flow_id, 16), START)
        return list(known.items())

    def _file(self, finding: Finding) -> Path:
        return self._folder / f"{finding.check}-{finding.id}.pcapng"

    def _bytes(self) -> int:
        return sum(map(_size, self._folder.glob("*.pcapng")))

    def _drop(self, limit: str, count: int) -> None:
        self.dropped[limit] = self.dropped.get(limit, 0) + count


def _comment(finding: Finding) -> str:
    return f"auditor: {finding.check} {finding.id} ({finding.severity.word}): {finding.message}"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
