"""A file of lines that is only appended to, and makes way for a new one when it is full or old."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from auditor.sinks.base import DeliveryError

MODE = 0o640
"""Events hold addresses: readable for the owner and a group of theirs, for nobody else."""


class RotatingFile:
    """`path`, then `path.1`, the one before, up to `path.<keep>`. `size`: bytes, 0: any; `age`: seconds, 0: any.

    A line is there whole or not at all: what a full disk cut short is taken back, and what an earlier process left
    without its end is ended before the next line.
    """

    def __init__(
        self, path: str, *, size: int = 0, age: int = 0, keep: int = 0, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self.size = size
        self.age = age
        self.keep = keep
        self.clock = clock
        self._file: int | None = None
        self._length = 0
        self._born = 0.0

    def write(self, lines: list[bytes]) -> None:
        """Append lines, each with its line end. Raises: DeliveryError with the number of lines that are in the file."""
        done = 0
        try:
            while done < len(lines):
                self._open()
                if self._full(len(lines[done])):
                    self._rotate()
                    continue
                done += self._append(lines[done:])
        except OSError as error:
            raise DeliveryError(f"{error.filename or self.path}: {error.strerror}", taken=done) from None

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> None:
        if self._file is not None:
            return
        file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
        self._file = file
        status = os.fstat(file)
        self._length = status.st_size
        # when its first line was written is not known; its last change is the nearest that is
        self._born = status.st_mtime if status.st_size else self.clock()
        if self._length and os.pread(file, 1, self._length - 1) != b"\n":
            self._length += os.write(file, b"\n")

    def _full(self, more: int) -> bool:
        if not self._length:
            return False
        too_long = bool(self.size) and self._length + more > self.size
        return too_long or (bool(self.age) and self.clock() - self._born >= self.age)

    def _append(self, lines: list[bytes]) -> int:
        """Write as many lines as fit; how many."""
        assert self._file is not None
        fitting, length = [lines[0]], len(lines[0])
        for line in lines[1:]:
            if self.size and self._length + length + len(line) > self.size:
                break
            fitting.append(line)
            length += len(line)
        try:
            written = os.write(self._file, b"".join(fitting))
        except OSError:
            os.ftruncate(self._file, self._length)
            raise
        while written < length:  # the disk is full, or nearly: keep whole lines
            length -= len(fitting.pop())
        if not fitting:
            os.ftruncate(self._file, self._length)
            raise OSError(28, "No space left on device", self.path)
        os.ftruncate(self._file, self._length + length)
        self._length += length
        return len(fitting)

    def _rotate(self) -> None:
        self.close()
        for number in range(self.keep, 0, -1):
            older = self.path if number == 1 else f"{self.path}.{number - 1}"
            if os.path.exists(older):
                os.replace(older, f"{self.path}.{number}")
        if not self.keep:
            os.unlink(self.path)
