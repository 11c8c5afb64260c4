"""The status file and the watchdog, looked after while the watch does what it does."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Final

from auditor.errors import AuditorError
from auditor.monitor.hub import Hub
from auditor.monitor.notify import notify, watchdog_seconds
from auditor.monitor.status import WRITE_SECONDS, read_status, write_status

SILENCE_SECONDS: Final = 30.0
"""A watch that has judged nothing for so long hangs: the service manager is no longer told that all is well."""


class Keeper:
    """Writes the status and feeds the watchdog, from a thread of its own."""

    def __init__(self, hub: Hub, path: str, *, whoever: bool = False) -> None:
        """Raises: AuditorError where the status cannot be written, or is that of another watch, unless it may be
        `whoever`'s."""
        self.hub, self.path = hub, path
        if not whoever and (other := _owner(path)) is not None:
            raise AuditorError(
                f"{path}: is the status of another watch (process {other})",
                help="stop it, or give this one a `sensor` or `status` of its own",
            )
        self._closed = threading.Event()
        try:
            write_status(path, hub.status())
        except OSError as error:
            raise AuditorError(
                f"{path}: the status cannot be written: {error.strerror}", help="set `status` in the configuration"
            ) from None
        self._thread = threading.Thread(target=self._work, name="status", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        self._write()

    def _work(self) -> None:
        asked = watchdog_seconds()
        wait = WRITE_SECONDS if asked is None else min(WRITE_SECONDS, asked / 3)
        while not self._closed.wait(wait):
            self._write()
            if asked is not None and self.hub.tick_age < SILENCE_SECONDS:
                notify("WATCHDOG=1")

    def _write(self) -> None:
        with suppress(OSError):  # a full disk; `auditor status` sees that it grows old
            write_status(self.path, self.hub.status())


def _owner(path: str) -> int | None:
    """The process of another watch that runs and writes its status there."""
    try:
        status = read_status(path)
    except AuditorError:
        return None
    return int(status["pid"]) if status["alive"] and status["pid"] != os.getpid() else None
