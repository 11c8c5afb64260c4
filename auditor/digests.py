"""SHA-256 of input files, which costs about a second for each gigabyte.

So a file is hashed where a report carries its hash, and then in a thread beside the scan, which reads the same pages.
The hash is that of the file which was audited: where size or time of change differ afterwards, there is none.
"""

from __future__ import annotations

import os
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from auditor.request import STDIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.request import InputFile

BLOCK: Final = 1 << 20
"""Bytes hashed at a time: enough that the interpreter lock is free nearly all of the time."""

Digest = tuple[str | None, str]  # hexadecimal, or None and the reason


class _Pending:
    """A hash to come. (A Future of the standard library would import logging, which takes as long as a small audit.)"""

    def __init__(self) -> None:
        self.made = Event()
        self.digest: Digest = (None, "")


_begun: dict[InputFile, _Pending] = {}


def begin(files: Sequence[InputFile]) -> None:
    """Hash these files in a thread, one after the other. The program's end does not wait for it."""
    todo = [(file, _begun.setdefault(file, _Pending())) for file in files if file not in _begun]
    if todo:
        Thread(target=_hash_all, args=(todo,), name="digests", daemon=True).start()


def digest_of(file: InputFile) -> Digest:
    """The hash of the file as it was when it was audited, or None and why there is none."""
    found = _begun.get(file)
    if found is None:
        return _digest(file)
    found.made.wait()
    return found.digest


def begun(file: InputFile) -> bool:
    """Whether the hash of this file is known already, or will be in a moment."""
    return file in _begun


def _hash_all(todo: Sequence[tuple[InputFile, _Pending]]) -> None:
    for file, pending in todo:
        pending.digest = _digest(file)
        pending.made.set()


def _digest(file: InputFile) -> Digest:
    if file.path == STDIN:
        return None, "standard input"
    if file.bytes is None:
        return None, "no regular file"
    if file.bytes <= BLOCK:
        from auditor.hashing import sha256
    else:
        from hashlib import sha256  # OpenSSL takes 5 ms to load, and hashes several times as fast

    state, block = sha256(), bytearray(BLOCK)
    try:
        with open(file.path, "rb", buffering=0) as stream:
            while count := stream.readinto(block):
                state.update(memoryview(block)[:count])
            after = os.fstat(stream.fileno())
    except OSError as problem:
        return None, f"cannot be read any more: {problem.strerror}"
    if (after.st_size, after.st_mtime_ns) != (file.bytes, file.modified_ns):
        return None, "changed after it was audited"
    return state.hexdigest(), ""
