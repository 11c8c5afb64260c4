"""What formats with an event in each line have in common."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from auditor.document import document
from auditor.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.reporttypes import Document, FlowEntry
    from auditor.result import Audit


class Told(NamedTuple):
    """An audit as events tell it."""

    doc: Document
    flows: Mapping[str, FlowEntry]  # by id: the first piece of each
    last: str | None  # time of the last packet


def told(report: Audit) -> Told:
    doc = document(report, hashed=True)
    flows = {flow["flow_id"]: flow for flow in reversed(doc["flows"])}
    return Told(doc, flows, max((capture["end"] for capture in doc["captures"] if capture["end"]), default=None))


def write_lines(events: Iterable[Mapping[str, Any]], stream: TextIO) -> None:
    """Write each event as a line of JSON, harmless for terminals."""
    encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
    stream.writelines(encode(harmless(event)) + "\n" for event in events)
