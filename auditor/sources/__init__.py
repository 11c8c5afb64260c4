"""Where captures come from: one file per kind of source, found by looking at this folder.

A source file has `accepts(word)`, whether what the user wrote means this source, and `files(word)`, the captures to
read for it, in order. No two sources accept the same word. `auditor.scan` reads the files.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from auditor import discovery
from auditor.errors import CaptureError

STANDARD_INPUT = "-"


def resolve(captures: Sequence[str]) -> list[str]:
    """The files that `captures` mean, each once, in the order given; "-" is standard input.

    Raises: CaptureError for what does not exist or holds no capture.
    """
    sources = [module for _, module in discovery.modules(__name__)]
    found: dict[object, str] = {}
    for word in captures:
        source = next((source for source in sources if source.accepts(word)), None)
        if source is None:
            raise CaptureError(f"{word}: there is no such capture", help=_alike(word))
        for file in source.files(word):
            found.setdefault(_identity(file), _readable_name(file))
    return list(found.values())


def _readable_name(file: str) -> str:
    """`file`, if the engine and the report can carry its name. Raises: CaptureError if it is not UTF-8."""
    try:
        file.encode()
    except UnicodeEncodeError:
        raise CaptureError(
            f"{file}: its name is not UTF-8", help="rename it, or give it as standard input: auditor audit - < FILE"
        ) from None
    return file


def _identity(file: str) -> object:
    """The same for two names of one file."""
    if file == STANDARD_INPUT:
        return file
    try:
        status = os.stat(file)
    except OSError:  # gone since, or not ours to see: the engine will say so
        return file
    return status.st_dev, status.st_ino


def _alike(word: str) -> str | None:
    from auditor.words import did_you_mean

    folder = os.path.dirname(word)
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return f"there is no folder {folder}" if folder else None
    return did_you_mean(os.path.basename(word), names).removeprefix("; ") or None
