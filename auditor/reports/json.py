"""The whole report as one JSON document; schema `auditor.report/1`.

Every entry of a list stands on a line of its own, so that reports can be compared line by line.
"""

from __future__ import annotations

import json
from itertools import repeat
from typing import TYPE_CHECKING, Any, TextIO

from auditor.document import frame
from auditor.manifest import manifest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.result import Audit

SUFFIXES = (".json",)

# A document of plain values holds no circles, which to look for takes a tenth of the time.
_encode = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":")).encode
_encode_column = json.JSONEncoder(allow_nan=False, check_circular=False, separators=("\n", ":")).encode


def prepare() -> None:
    """Import what is slow to import."""
    import auditor.rulefiles  # noqa: F401  # for the manifest


def write(report: Audit, stream: TextIO) -> None:
    """Write the document (see `auditor.document`), its flows and findings as they come: there may be a million."""
    document: dict[str, Any] = {**frame(report), "manifest": manifest_of(report, hashed=False)}
    many = {"flows": _flows(report), "findings": ([_encode(one.to_dict())] for one in report.judged.findings)}
    before = "{\n"
    for key, value in document.items():
        stream.write(f'{before}"{key}":')
        if isinstance(value, list):
            _write_lines(stream, many.get(key) or [list(map(_encode, value))])
        else:
            stream.write(_encode(value))
        before = ",\n"
    stream.write("\n}\n")


def _write_lines(stream: TextIO, parts: Iterable[Sequence[str]]) -> None:
    before, after = "[\n  ", "[]"
    for lines in filter(None, parts):
        stream.write(before + ",\n  ".join(lines))
        before, after = ",\n  ", "\n]"
    stream.write(after)


def _flows(report: Audit) -> Iterator[Sequence[str]]:
    """The flows as JSON, some thousands at a time. From columns that takes a third of the time of one by one."""
    if report.shown_flows is None:
        return
    from auditor import flowtable

    flows, labels = report.shown_flows
    for columns in flowtable.chunks(flows, labels, [capture["path"] for capture in report.captures]):
        parts: list[Iterable[str]] = []
        for name, values in columns.items():
            parts += [repeat(f"{',' if parts else '{'}{_encode(name)}:"), _column(values)]
        yield list(map("".join, zip(*parts, repeat("}"), strict=False)))


def _column(values: Sequence[object]) -> Sequence[str]:
    """Each value as JSON, encoded in one call. No line feed stands within one: it parts them."""
    cells = _encode_column(values)[1:-1].split("\n")
    return cells if len(cells) == len(values) else list(map(_encode, values))  # some are lists of several
