"""The bytes of a YAML document, before anything reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1 << 20


def read_bytes(path: str | Path, error: type[DocumentError]) -> bytes:
    """A document's bytes. Raises: `error` where there is no such file, or too much of it."""
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise error([f"{path}: is a directory; expected a YAML file"]) from None
    except (OSError, ValueError) as problem:  # ValueError: a name with a NUL
        reason = getattr(problem, "strerror", None) or str(problem)
        raise error([f"{path}: cannot be read: {reason}"]) from None
    if len(content) > MAX_BYTES:
        raise error([f"{path}: is larger than {MAX_BYTES} bytes; expected a YAML file written by hand"])
    return content
