"""Only one process writes for a sensor: two would each take the other's run for one that was killed."""

from __future__ import annotations

import fcntl
import hashlib
import os

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from auditor.errors import StoreError


class Lock:
    """SQLite: a locked file beside the database, with the writer's process id in it. PostgreSQL: an advisory lock of
    the session, gone with it; the kernel lets go of the file's, too, when its process ends."""

    def __init__(self, url: URL, sensor: str) -> None:
        self.url, self.sensor = url, sensor
        self._file: int | None = None

    def take(self, connection: Connection) -> None:
        """Raises: StoreError if another process has it."""
        if connection.dialect.name == "postgresql":
            key = int.from_bytes(hashlib.sha256(f"auditor {self.sensor}".encode()).digest()[:8], "big", signed=True)
            with connection.begin():
                if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar_one():
                    raise StoreError(
                        f"another watch writes to this store for the sensor {self.sensor}",
                        help="give each a `sensor` of its own",
                        again=True,  # the session of one that was killed may take a moment to end
                    )
            return
        if self._file is not None:
            return
        path = f"{self.url.database}.lock"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(file, 20).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise StoreError(
                f"{self.url.database}: another watch writes to it (process {owner})",
                help="stop it, or give this one a store of its own",
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
