"""A file of lines that is only appended to, and makes way for a new one when it is full or old."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable

from auditor.sinks.base import DeliveryError

MODE = 0o640
"""Events hold addresses: readable for the owner and a group of theirs, for nobody else."""
NO_FILE = "is no file; expected one, or a name that is free"


class RotatingFile:
    """`path`, then `path.1`, the one before, up to `path.<keep>`. `size`: bytes, 0: any; `age`: seconds, 0: any.

    A line is there whole or not at all: what a full disk cut short is taken back, and what an earlier process left
    without its end is ended before the next line. A file has one writer: each of two would take back the lines of the
    other, and write on into a file that the other put aside.
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
        self._known: tuple[int, int] | None = None  # the file that was born then

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
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _open(self) -> None:
        if self._file is not None:
            return
        # not waiting for somebody who reads, where it is a pipe, which is refused then
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        self._file = os.open(self.path, flags, MODE)
        try:
            self._begin(self._file)
        except BaseException:
            self.close()
            raise

    def _begin(self, file: int) -> None:
        """Have the file for ourselves, and know where it ends."""
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, NO_FILE, self.path)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(
                errno.EBUSY, "another sink or watch writes to it; expected a file for each", self.path
            ) from None
        except OSError:  # a file system without locks
            pass
        self._length = status.st_size
        if not status.st_size:
            self._born = self.clock()
        elif (status.st_dev, status.st_ino) != self._known:
            # when its first line was written is not known; its last change is the nearest that is
            self._born = status.st_mtime
        self._known = status.st_dev, status.st_ino
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
        if written < length:  # the disk is full, or nearly: keep whole lines
            while written < length:
                length -= len(fitting.pop())
            os.ftruncate(self._file, self._length + length)
            if not fitting:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
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
