"""What sinks share that write a file, one line for each event."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from auditor.quantities import Size, Time
from auditor.scalars import Count, Text
from auditor.sinks._rotation import NO_FILE, RotatingFile
from auditor.sinks.base import Common, DeliveryError, Event

BATCH: Final = 1000
"""Lines that are written at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings(Common):
    """A file that makes way for a new one when it is full or old."""

    path: Text
    size: Size = 100 << 20
    """The file makes way before it is larger than this."""
    age: Time = 0
    """The file makes way when its first line is older; 0s: never."""
    keep: Count = 5
    """Older files that are kept."""


class LineFile:
    """A sink that writes what `lines_of` makes of an event."""

    batch = BATCH
    batch_wait = 0.0

    def __init__(
        self, path: str, settings: FileSettings, lines_of: Callable[[Event], Sequence[Mapping[str, Any]]]
    ) -> None:
        self.path = path
        self.lines_of = lines_of
        self._file = RotatingFile(path, size=settings.size, age=settings.age, keep=settings.keep)
        self._encode = json.JSONEncoder(allow_nan=False, default=str, separators=(",", ":")).encode

    def deliver(self, events: Sequence[Event]) -> None:
        lines: list[bytes] = []
        ends: list[int] = []  # lines so far, after each event
        for event in events:
            lines += [self._encode(line).encode() + b"\n" for line in self.lines_of(event)]
            ends.append(len(lines))
        try:
            self._file.write(lines)
        except DeliveryError as error:
            taken = sum(end <= error.taken for end in ends)
            raise DeliveryError(str(error), taken=taken) from None

    def reopen(self) -> None:
        self._file.close()

    def close(self) -> None:
        self._file.close()

    def probe(self) -> str:
        there = os.path.exists(self.path)
        checked = self.path if there else os.path.dirname(self.path) or "."
        if there and not os.path.isfile(self.path):
            raise DeliveryError(f"{self.path}: {NO_FILE}")
        if not os.path.exists(checked):
            raise DeliveryError(f"{self.path}: there is no folder {checked}")
        if not os.access(checked, os.W_OK):
            raise DeliveryError(f"{checked}: may not be written by this user")
        return f"{self.path} can be written"
