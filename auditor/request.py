"""What an audit was asked for, kept for the report's manifest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from auditor.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

STDIN = "-"
CAPTURE, INSIDE, OUTSIDE, PROCESSES = "capture", "inside", "outside", "processes"


class InputFile(NamedTuple):
    """A file that was read, as it was just before."""

    path: str
    role: str  # CAPTURE, INSIDE, OUTSIDE or PROCESSES
    bytes: int | None = None  # None: no file of known size, such as standard input
    modified_ns: int | None = None
    shown: str | None = None  # the name under which a report speaks of it; None: its path


class Request(NamedTuple):
    """Inputs and options of one audit."""

    inputs: tuple[InputFile, ...] = ()
    packs: tuple[str, ...] = ()  # ids or files as they were named; none: those of the site, else all shipped
    site: str | None = None  # the site's file; None: no site, or one that came from no file
    as_of: date | None = None
    validate_checksums: bool = False
    keep_duplicates: bool = False
    vlan: str = "auto"


def input_files(paths: Iterable[str], role: str) -> list[InputFile]:
    """Files as they are now. What cannot be looked at says so when it is read."""
    return [_looked_at(path, role) for path in paths]


def _looked_at(path: str, role: str) -> InputFile:
    from stat import S_ISREG

    if path == STDIN:
        return InputFile(path, role)
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return InputFile(path, role)
    return InputFile(path, role, found.st_size, found.st_mtime_ns) if S_ISREG(found.st_mode) else InputFile(path, role)
