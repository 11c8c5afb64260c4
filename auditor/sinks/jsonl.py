"""A file with one event a line, as JSON: what `auditor watch` prints, with rotation.

{kind: jsonl, path: /var/lib/auditor/events.jsonl, size: 100M, age: 1d, keep: 14}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from auditor.sinks._linefile import FileSettings, LineFile
from auditor.sinks.base import Place, Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(FileSettings):
    """A file with one event a line."""

    kind: Literal["jsonl"] = "jsonl"


def open(settings: Settings, place: Place) -> Sink:
    return LineFile(place.path(settings.path), settings, lambda event: [event])
