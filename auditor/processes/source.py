"""The file of `--processes`, whichever of the formats it is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from auditor.errors import AuditorError
from auditor.processes import sockets, sysmon
from auditor.processes.connection import Connection

MAX_BYTES: Final = 256 << 20
"""Bytes of a file that are read; larger ones are refused (`PROCESS_FILE_BYTES`)."""

_EXPECTED: Final = "expected network events of Sysmon (event 3) as JSON or CSV, or the output of `ss -tnpi`"


def load_processes(path: str | Path) -> tuple[Connection, ...]:
    """The connections that the file tells of, in its order. Raises: AuditorError."""
    text = _text(_content(path), path)
    if sysmon.is_json(text):
        read = sysmon.from_json
    elif sysmon.is_csv(text):
        read = sysmon.from_csv
    elif sockets.is_sockets(text):
        read = sockets.connections
    else:
        raise AuditorError(f"{path}: is of no known format", help=_EXPECTED)
    try:
        found = tuple(read(text))
    except ValueError as problem:
        raise AuditorError(f"{path}: {problem}") from None
    if not found:
        raise AuditorError(
            f"{path}: names the program of no connection", help=f"{_EXPECTED}; ss shows programs to root only"
        )
    return found


def _content(path: str | Path) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise AuditorError(f"{path}: is a directory", help=_EXPECTED) from None
    except (OSError, ValueError) as problem:  # ValueError: a name with a NUL
        reason = getattr(problem, "strerror", None) or str(problem)
        raise AuditorError(f"{path}: cannot be read: {reason}") from None
    if len(content) > MAX_BYTES:
        raise AuditorError(f"{path}: is larger than {MAX_BYTES} bytes; expected the time of the capture alone")
    return content


def _text(content: bytes, path: str | Path) -> str:
    """UTF-8, or UTF-16 with a byte order mark, as Windows' shells write it."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as problem:
        raise AuditorError(f"{path}: is no text at byte {problem.start}", help=_EXPECTED) from None
