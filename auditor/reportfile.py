"""Reports that an earlier audit wrote as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from auditor.document import SCHEMA
from auditor.errors import AuditorError

if TYPE_CHECKING:
    from auditor.reporttypes import Document

LARGEST_SNIFF = 64  # bytes that are looked at to tell a report from a capture


def is_report(path: str | Path) -> bool:
    """Whether the file looks like a JSON report rather than a capture: no capture begins with a brace."""
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST_SNIFF).lstrip()[:1] == b"{"
    except OSError:
        return False


def load_report(path: str | Path) -> Document:
    """The report in a file. Raises: AuditorError if it holds none."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise AuditorError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise AuditorError(f"{path}: is no report; expected JSON in UTF-8") from None
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise AuditorError(
            f"{path}{where}: is no report: not valid JSON", help="auditor audit CAPTURE -o report.json writes one"
        ) from None
    said = document.get("schema") if isinstance(document, dict) else None
    if said != SCHEMA:
        raise AuditorError(
            f"{path}: is no report: its schema is {said!r}, expected {SCHEMA!r}",
            help="auditor audit CAPTURE -o report.json writes one",
        )
    from auditor.reportcheck import fault_of

    fault = fault_of(document)
    if fault is not None:
        raise AuditorError(
            f"{path}: is no whole report: {fault}", help="auditor audit CAPTURE -o report.json writes one"
        )
    return cast("Document", document)
