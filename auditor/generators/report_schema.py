"""JSON Schema of the report, from the types that describe it."""

from __future__ import annotations

import json

from auditor.generators import Write
from auditor.reportschema import report_schema


def generate(write: Write) -> None:
    write("auditor/generated/report.schema.json", json.dumps(report_schema(), ensure_ascii=False, indent=2))
