"""Events as JSON lines, on standard output or in a file."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from auditor.errors import AuditorError
from auditor.outputs import STDOUT, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.watch.tick import Event, Publish


@contextmanager
def event_lines(path: str) -> Iterator[Publish]:
    """A function that writes one event as one line, at once. Raises: AuditorError where the file cannot be opened."""
    if path == STDOUT:
        if sys.stdout is None:
            raise AuditorError("standard output is closed; give a file with --events")

        def tell(event: Event) -> None:
            with at("standard output"):
                print(_line(event), flush=True)

        yield tell
        return
    try:
        stream = open(path, "ab", buffering=0)  # noqa: SIM115  # closed below; only opening is to be told so
    except OSError as error:
        raise AuditorError(f"--events {path}: {error.strerror}") from None
    with stream:

        def write(event: Event) -> None:
            rest = _line(event).encode() + b"\n"
            try:
                while rest:
                    rest = rest[stream.write(rest) :]
            except OSError as error:
                raise AuditorError(f"--events {path}: cannot be written any more: {error.strerror}") from None

        yield write


def _line(event: Event) -> str:
    # ASCII: no terminal can be harmed by it, and no encoding of it can fail
    return json.dumps(event, separators=(",", ":"))
