"""The whole report as one JSON document; schema `auditor.report/1`.

Every entry of a list stands on a line of its own, so that reports can be compared line by line.
"""

from __future__ import annotations

import json
from itertools import repeat
from typing import TYPE_CHECKING, Any, TextIO

from auditor.document import outline
from auditor.manifest import manifest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from auditor.result import Audit

SUFFIXES = (".json",)

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_encode_column = json.JSONEncoder(allow_nan=False, separators=("\n", ":")).encode


def prepare() -> None:
    """Import what is slow to import."""
    import auditor.rulefiles  # noqa: F401  # for the manifest


def write(report: Audit, stream: TextIO) -> None:
    """Write the document (see `auditor.document`), its flows from columns: there may be a million."""
    document: dict[str, Any] = {**outline(report), "manifest": manifest_of(report, hashed=False)}
    parts = [
        f'"{key}":{_lines(_flows(report) if key == "flows" else map(_encode, value))}'
        if isinstance(value, list)
        else f'"{key}":{_encode(value)}'
        for key, value in document.items()
    ]
    stream.write("{\n" + ",\n".join(parts) + "\n}\n")


def _lines(entries: Iterable[str]) -> str:
    lines = ",\n  ".join(entries)
    return f"[\n  {lines}\n]" if lines else "[]"


def _flows(report: Audit) -> Iterator[str]:
    if report.shown_flows is None:
        return
    from auditor import flowtable

    flows, labels = report.shown_flows
    for columns in flowtable.chunks(flows, labels, [capture["path"] for capture in report.captures]):
        yield from _mappings(columns)


def _mappings(columns: Mapping[str, Sequence[object]]) -> Iterable[str]:
    """Columns as JSON mappings, one for each row. To encode row by row would take three times as long."""
    parts: list[Iterable[str]] = []
    for name, values in columns.items():
        parts += [repeat(f"{',' if parts else '{'}{_encode(name)}:"), _cells(values)]
    return map("".join, zip(*parts, repeat("}"), strict=False))


def _cells(values: Sequence[object]) -> Sequence[str]:
    """Each value as JSON. No line feed stands in one, so one parts them, unless some are lists of several values."""
    cells = _encode_column(values)[1:-1].split("\n")
    return cells if len(cells) == len(values) else list(map(_encode, values))
