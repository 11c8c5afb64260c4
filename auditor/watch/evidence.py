"""The packets of findings, taken out of the ring on disk into a file for each finding.

The engine keeps the first kilobytes of every flow that could concern a vendor, for as long as the ring has room. A
finding that is told gets `<check>-<id>.pcapng`; each packet in it has a comment that names the finding. A thread of its
own does that, so that neither capture nor judging waits for the disk. Of a fragmented datagram only the fragment that
made it whole is kept.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from auditor.grouping import MAX_EVIDENCE

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.finding import Finding

RING = "ring"  # folder of the segments, below that of the findings' files
FINDING_BYTES = 8 << 20  # written for one finding at once; a flow is kept with some kilobytes
Position = tuple[int, int]
START: Position = (0, 0)


class Evidence:
    """Saves findings' packets below `folder`, at most `limit` bytes of them in all."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._pending: dict[str, Finding] = {}
        self._saved: dict[str, dict[int, Position]] = {}  # by finding: how far each of its flows was saved
        self._changed = threading.Condition()
        self._ending = False
        self.dropped: dict[str, int] = {}  # limits that were reached, with how many files are incomplete for them
        self._thread = threading.Thread(target=self._run, name="evidence", daemon=True)
        self._thread.start()

    def want(self, finding: Finding) -> None:
        """Save what is new of a finding. Returns at once."""
        if not finding.flow_ids:
            return  # about the capture as a whole
        with self._changed:
            self._pending[finding.id] = finding
            self._changed.notify()

    def close(self) -> None:
        """Save what is wanted, and end."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._pending and not self._ending:
                    self._changed.wait()
                if not self._pending:
                    return
                finding = self._pending.pop(next(iter(self._pending)))
            try:
                self._save(finding)
            except OSError:
                self._drop("evidence-not-written")

    def _save(self, finding: Finding) -> None:
        from auditor._engine import extract_evidence

        if self._used() > self._limit:
            self._drop("evidence-bytes")
            return
        known = self._saved.setdefault(finding.id, {})
        for flow_id in finding.flow_ids:
            if len(known) >= MAX_EVIDENCE:
                break
            known.setdefault(int(flow_id, 16), START)
        _, end = extract_evidence(
            str(self._folder / RING),
            str(self._folder / f"{finding.check}-{finding.id}.pcapng"),
            list(known.items()),
            f"auditor: {finding.check} {finding.id} ({finding.severity.word}): {finding.message}",
            FINDING_BYTES,
        )
        self._saved[finding.id] = dict.fromkeys(known, end)

    def _used(self) -> int:
        return sum(path.stat().st_size for path in self._folder.glob("*.pcapng"))

    def _drop(self, limit: str) -> None:
        self.dropped[limit] = self.dropped.get(limit, 0) + 1
