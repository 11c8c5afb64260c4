"""A PostgreSQL that the tests start themselves."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from servers import free_port

SECONDS = 60


class Postgres:
    """A server of its own, in a folder that goes with it; it refuses to run as root, so it runs as `postgres`."""

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        self.programs, self.folder, self.user, self.port = programs, folder, user, free_port()
        self._run("initdb", "-D", folder / "data", "-U", "auditor", "-A", "trust", "-N")
        self.start()

    def start(self) -> None:
        # without syncs: nothing of it has to outlive the machine
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        self._run("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")

    def database(self, name: str, host: str = "127.0.0.1") -> str:
        """The URL of a new, empty database. `host`: this machine's, or the folder of the socket."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "auditor", name)
        return f"postgresql://auditor@/{name}?host={host}&port={self.port}"

    def _run(self, program: str, *words: str | Path) -> None:
        with (self.folder / "out").open("a") as out:
            done = subprocess.run(
                [self.programs / program, *words],
                user=self.user,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                timeout=SECONDS,
                env={"LANG": "C.UTF-8", "PATH": os.environ["PATH"]},
                check=False,
            )
        assert done.returncode == 0, (self.folder / "out").read_text()


@contextmanager
def server() -> Iterator[Postgres]:
    """A server for a while; without PostgreSQL the test that asks for it is skipped with the reason."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [
        Path(path) for path in [shutil.which("initdb")] if path
    ]
    if not found:
        pytest.skip("there is no PostgreSQL")
    user = None
    if os.geteuid() == 0:
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            pytest.skip("there is no user postgres, and PostgreSQL refuses to run as root")
    with tempfile.TemporaryDirectory(prefix="auditor-postgres-") as folder:
        if user:
            shutil.chown(folder, user)
        started = Postgres(found[-1].parent, Path(folder), user)
        yield started
        started.stop()
