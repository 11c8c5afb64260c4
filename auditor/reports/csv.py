"""The findings as a table for spreadsheets: one row for each, lists joined by blanks.

Names in captures are chosen by strangers: a cell that a spreadsheet would take for a formula begins with an apostrophe.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, TextIO

from auditor.document import outline
from auditor.reporttypes import FindingEntry
from auditor.text import printable

if TYPE_CHECKING:
    from auditor.result import Audit

SUFFIXES = (".csv",)
NESTED = ("evidence", "waiver")  # spread over columns of their own, at the end
COLUMNS = [name for name in FindingEntry.__annotations__ if name not in NESTED]
SPREAD = ["capture", "frame", "timestamp", "waiver_reason", "waiver_expires", "waiver_expired"]
FORMULA = ("=", "+", "-", "@")


def write(report: Audit, stream: TextIO) -> None:
    """Write the findings; without any, the header alone."""
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(COLUMNS + SPREAD)
    for finding in outline(report)["findings"]:
        rows.writerow([_cell(finding[name]) for name in COLUMNS] + [_cell(value) for value in _spread(finding)])  # type: ignore[literal-required]


def _spread(finding: FindingEntry) -> list[object]:
    first = finding["evidence"][0] if finding["evidence"] else None
    waiver = finding["waiver"]
    return [
        *([first["capture"], first["frame"], first["timestamp"]] if first else [None] * 3),
        *([waiver["reason"], waiver["expires"], waiver["expired"]] if waiver else [None] * 3),
    ]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(map(str, value))
    text = printable(str(value))
    return "'" + text if text.startswith(FORMULA) and not isinstance(value, int | float) else text
