"""Network namespaces of Linux: made, entered by a thread, removed. Needs root and iproute2."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x4000_0000
_RUN = Path("/run/netns")
_FILES = Path("/etc/netns")  # what programs see instead of the files of /etc
COMMAND_SECONDS = 20  # no command of ours takes longer


def run(*command: str) -> None:
    """A command that must succeed; its own words are in the error if not."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")


class Namespace:
    """One network namespace. Sockets made inside `entered` stay in it, whoever uses them later."""

    def __init__(self, name: str) -> None:
        self.name = name
        run("ip", "netns", "add", name)
        self.ip("link", "set", "dev", "lo", "up")
        self.set("ipv6/conf/default/disable_ipv6", "1")

    def ip(self, *arguments: str) -> None:
        """`ip` with these arguments, inside."""
        run("ip", "-n", self.name, *arguments)

    def set(self, setting: str, value: str) -> None:
        """A setting below /proc/sys/net."""
        with self.entered():
            Path("/proc/sys/net", setting).write_text(value)

    def command(self, *command: str) -> list[str]:
        """The command line that runs `command` inside."""
        return ["ip", "netns", "exec", self.name, *command]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread is inside while the block runs."""
        with open("/proc/thread-self/ns/net") as home, open(_RUN / self.name) as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def names(self, addresses: Mapping[str, str]) -> None:
        """Programs that start inside from now on find these names at these addresses."""
        folder = _FILES / self.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "hosts").write_text("".join(f"{address} {name}\n" for name, address in addresses.items()))

    def remove(self) -> None:
        shutil.rmtree(_FILES / self.name, ignore_errors=True)
        run("ip", "netns", "delete", self.name)


def _enter(descriptor: int) -> None:
    """setns(2) for this thread; `os.setns` came with Python 3.12."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")
