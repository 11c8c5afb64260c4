"""The capture program of the lab: dumpcap, or tcpdump where that is missing."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from captures.generate.namespace import Namespace

READY_SECONDS = 10.0  # longest wait for the program to start, and to end
SETTLE_SECONDS = 0.7  # for the last packets to reach it
_FILTER = "ip"  # what the kernels say to each other in ARP is not part of the samples


@contextmanager
def capturing(namespace: Namespace, interface: str, file: Path) -> Iterator[None]:
    """Everything of that interface goes to the file while the block runs.

    Raises: OSError if there is no capture program, if it does not start, or if it dropped packets.
    """
    log = file.with_suffix(".log")
    with log.open("w") as words:
        command = namespace.command(*_program(interface, file))
        process = subprocess.Popen(command, stderr=words, stdout=subprocess.DEVNULL)
    try:
        _wait_until_it_listens(process, file, log)
        yield
        time.sleep(SETTLE_SECONDS)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(READY_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    _refuse_loss(log.read_text())


def _program(interface: str, file: Path) -> list[str]:
    if dumpcap := shutil.which("dumpcap"):
        return [dumpcap, "-q", "-i", interface, "-f", _FILTER, "-w", str(file)]
    if tcpdump := shutil.which("tcpdump"):
        return [tcpdump, "-U", "--immediate-mode", "-Z", "root", "-i", interface, "-w", str(file), _FILTER]
    raise OSError("no capture program: install dumpcap (package wireshark-common) or tcpdump")


def _wait_until_it_listens(process: subprocess.Popen[bytes], file: Path, log: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if file.exists() and re.search("Capturing on|listening on", log.read_text()):
            time.sleep(0.2)  # the words come just before the first packet can
            return
        time.sleep(0.05)
    raise OSError(f"the capture program did not start: {log.read_text().strip()}")


def _refuse_loss(words: str) -> None:
    dropped = re.findall(r"received/dropped on interface .*?: \d+/(\d+)|(\d+) packets? dropped by", words)
    if not dropped or any(int(one or other) for one, other in dropped):
        raise OSError(f"the capture program dropped packets or does not say that it did not: {words.strip()}")
