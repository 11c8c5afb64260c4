"""One finding a line, each a JSON object as in the document's `findings`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

from auditor.document import outline

if TYPE_CHECKING:
    from auditor.result import Audit

SUFFIXES = (".jsonl", ".ndjson")


def write(report: Audit, stream: TextIO) -> None:
    """Write the findings."""
    encode = json.JSONEncoder(allow_nan=False).encode
    stream.writelines(encode(finding) + "\n" for finding in outline(report)["findings"])
