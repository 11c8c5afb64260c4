"""One finding a line, each a JSON object as in the document's `findings`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from auditor.jsontext import parted

if TYPE_CHECKING:
    from auditor.result import Audit

SUFFIXES = (".jsonl", ".ndjson")


def prepare() -> None:
    """Import what is slow to import."""
    import orjson  # noqa: F401


def write(report: Audit, stream: TextIO) -> None:
    """Write the findings."""
    for text in parted((finding.to_dict() for finding in report.judged.findings), "\n"):
        stream.write(f"{text}\n")
