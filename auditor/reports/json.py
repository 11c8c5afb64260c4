"""The whole report as one JSON document; schema `auditor.report/1`.

Every entry of a list stands on a line of its own, so that reports can be compared line by line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

from auditor.document import brief
from auditor.jsontext import encode, parted
from auditor.manifest import manifest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.result import Audit

SUFFIXES = (".json",)
BETWEEN = ",\n  "


def prepare() -> None:
    """Import what is slow to import."""
    import orjson  # noqa: F401

    import auditor.rulefiles  # noqa: F401  # for the manifest


def write(report: Audit, stream: TextIO) -> None:
    """Write the document (see `auditor.document`), flows and findings as they come: there may be a million."""
    document: dict[str, Any] = {**brief(report), "manifest": manifest_of(report, hashed=False)}
    document["flows"], document["findings"] = report.flow_entries(), (one.to_dict() for one in report.judged.findings)
    before = "{\n"
    for key, value in document.items():
        stream.write(f'{before}"{key}":')
        if isinstance(value, dict | str | None):
            stream.write(encode(value))
        else:
            _write_lines(stream, iter(value))
        before = ",\n"
    stream.write("\n}\n")


def _write_lines(stream: TextIO, entries: Iterator[Any]) -> None:
    before, after = "[\n  ", "[]"
    for text in parted(entries, BETWEEN):
        stream.write(before + text)
        before, after = BETWEEN, "\n]"
    stream.write(after)
