"""Evidence of one watch after the other: a folder for each part of time, and a cap over all of them.

The ring of a part, and the files of its findings, may each take an eighth: while two parts overlap at the end of a
window, both together take half of the whole, and those that have ended the other half.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from auditor.errors import AuditorError
from auditor.watch.options import RING

SHARES: Final = 8


class EvidenceFolder:
    """`size`: bytes, `keep`: seconds."""

    def __init__(self, folder: str, *, size: int, keep: int) -> None:
        """Raises: AuditorError where the folder cannot be made, or another watch keeps its evidence there."""
        self.folder, self.size, self.keep = Path(folder), size, keep
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._have_it_alone()
            for left in self.folder.glob(f"*Z/{RING}"):  # of a process that was killed: nobody writes there now
                shutil.rmtree(left)
        except OSError as error:
            raise AuditorError(f"{self.folder}: no place for evidence: {error.strerror}") from None

    def close(self) -> None:
        """Another watch may have the folder."""
        os.close(self._lock)

    def _have_it_alone(self) -> None:
        """Each would delete what the other keeps. The lock goes with the process."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise AuditorError(
                f"{self.folder}: another watch keeps its evidence there", help="give each a folder of its own"
            ) from None
        except OSError:  # a file system without locks
            pass

    @property
    def share(self) -> int:
        """Bytes for the ring of one part, and as many for the files of its findings."""
        return self.size // SHARES

    def begin(self, start_ns: int) -> Path:
        """The folder of a part that begins. Older ones make way. Raises: AuditorError."""
        self.prune()
        name = datetime.fromtimestamp(start_ns // 10**9, UTC).strftime("%Y%m%dT%H%M%SZ")
        made = self.folder / name
        try:
            made.mkdir(exist_ok=True)
        except OSError as error:
            raise AuditorError(f"{made}: no place for evidence: {error.strerror}") from None
        return made

    def end(self, part: Path) -> None:
        """A part is over: its findings have their files, and the ring is needed no more."""
        shutil.rmtree(part / RING, ignore_errors=True)
        self.prune()

    def prune(self, now: float | None = None) -> None:
        """Remove parts that are too old, and the oldest while the ended ones take more than half."""
        parts = sorted(path for path in self.folder.glob("*Z") if path.is_dir() and not (path / RING).exists())
        sizes = {part: sum(file.stat().st_size for file in part.iterdir()) for part in parts}
        before = (time.time() if now is None else now) - self.keep
        for part in parts:
            if part.stat().st_mtime < before or sum(sizes.values()) > self.size // 2 or not sizes[part]:
                shutil.rmtree(part, ignore_errors=True)
                del sizes[part]
