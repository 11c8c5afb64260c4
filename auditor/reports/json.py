"""The whole report as one JSON document; schema `auditor.report/1`.

Every entry of a list stands on a line of its own, so that reports can be compared line by line.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

from auditor.document import document

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.result import Audit

SUFFIXES = (".json",)


def write(report: Audit, stream: TextIO) -> None:
    """Write the document."""
    encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
    parts = [
        f'"{key}":{_lines(value, encode) if isinstance(value, list) else encode(value)}'
        for key, value in document(report).items()
    ]
    stream.write("{\n" + ",\n".join(parts) + "\n}\n")


def _lines(entries: list[object], encode: Callable[[object], str]) -> str:
    return "[\n  " + ",\n  ".join(map(encode, entries)) + "\n]" if entries else "[]"
