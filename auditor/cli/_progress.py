"""A progress bar on standard error, if that is a terminal and the reading takes a while."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress, TaskID

PATIENCE = 0.5  # seconds before anything shows; most audits end sooner, and do not pay for importing rich


class Bar:
    """Use as a context manager; `update` is the progress callback of a scan, None where no bar is wanted."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        wanted = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self.update = self._update if wanted else None

    def __enter__(self) -> Self:
        return self

    def _update(self, read: int, total: int) -> None:
        if self._bar is None and time.monotonic() - self._began < PATIENCE:
            return
        if self._bar is None or self._task is None:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("reading")
            self._bar.start()
        self._bar.update(self._task, completed=read, total=total or None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
