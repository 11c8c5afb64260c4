"""YAML documents as text values with positions.

Every scalar stays the text that was written, and each value's line stands beside the data, not in it. What the
documents have no use for (aliases, tags, several documents in a file) is refused, and size and depth are limited: a
site file may come from a stranger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from auditor.frozen import frozen
from auditor.places import Place, path, shortened

MAX_DEPTH: Final = 20
MAX_NODES: Final = 50_000
MAX_FAULTS: Final = 100
"""Faults of one file that are told; more of them come from one cause."""

DROPPED: Final = "\0"
"""Begins places inside a value that is not kept: no key of a document can hold it."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@frozen
class Fault:
    """Something wrong with a document."""

    place: Place
    message: str
    line: int | None = None
    """None: the line of `place`."""


@dataclass(slots=True)
class Document:
    """A file's values: text, lists, mappings with text keys, and None where nothing stands behind a key."""

    name: str
    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    """Line of each value; of its key, where it has one."""
    faults: list[Fault] = field(default_factory=list)
    whole: bool = True
    """False where reading had to stop: `data` is not to be judged."""

    def line(self, place: Place) -> int:
        """The line of the value at `place`, or of the nearest value around it."""
        return self.lines[self.known(place)]

    def known(self, place: Place) -> Place:
        """`place`, or the nearest one around it that the document has."""
        while place not in self.lines and place:
            place = place[:-1]
        return place

    def messages(self, faults: Iterable[Fault]) -> list[str]:
        """One line for each fault, sorted by line: `file:line: key path: message`."""
        found = sorted((self._line(fault), index, fault) for index, fault in enumerate(dict.fromkeys(faults)))
        told = [
            f"{self.name}:{line}: {f'{path(fault.place)}: ' if fault.place else ''}{fault.message}"
            for line, _, fault in found[:MAX_FAULTS]
        ]
        if len(found) > MAX_FAULTS:
            told.append(f"{self.name}: and {len(found) - MAX_FAULTS} more errors")
        return told

    def _line(self, fault: Fault) -> int:
        return fault.line or self.lines.get(self.known(fault.place), 1)


def parse(content: bytes, name: str) -> Document:
    """The document in `content`. Whatever is wrong with it stands in `faults`; nothing is raised."""
    document = Document(name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        document.faults.append(Fault((), f"is not UTF-8 at byte {error.start}; expected UTF-8 text", line))
        document.whole = False
        return document
    reader = _Reader(document)
    try:
        reader.read(yaml.parse(text, Loader=_LOADER))
    except _RefusalError as refused:
        document.faults.append(refused.fault)
        document.whole = False
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "cannot be read"
        document.faults.append(Fault((), f"is no YAML: {problem}", mark.line + 1 if mark else 1))
        document.whole = False
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.faults.append(Fault((), f"is no YAML: character {error.character!r} is not allowed", line))
        document.whole = False
    return document


class _RefusalError(Exception):
    """Reading stops here."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class _Reader:
    """Builds a document from the parser's events.

    PyYAML's own composer calls itself for each level, so that a few kilobytes of brackets end it; this one does not.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.nodes = 0
        self.documents = 0
        self.open: list[tuple[Place, Any]] = []
        self.key: tuple[Place, str | None] | None = None  # read, its value to come; None: the value is dropped

    def read(self, events: Iterator[Any]) -> None:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    self.refuse(event, "holds a second document; expected one")
            elif isinstance(event, yaml.AliasEvent):
                self.refuse(event, f"alias *{shortened(str(event.anchor))} is not read here; write the value out")
            elif isinstance(event, yaml.ScalarEvent):
                self.count(event)
                empty = event.value == "" and event.style in (None, "")
                self.scalar(event, None if empty else event.value)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self.count(event)
                self.start(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self.open.pop()
                self.key = None

    def count(self, event: Any) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.refuse(event, f"holds more than {MAX_NODES} values; reading stopped")
        if event.tag is not None and event.tag != "!":
            self.refuse(event, f"tag {shortened(event.tag)} is not read here; write the value alone")

    def refuse(self, event: Any, message: str) -> None:
        raise _RefusalError(Fault((), message, event.start_mark.line + 1))

    def scalar(self, event: Any, value: str | None) -> None:
        if self.open and isinstance(self.open[-1][1], dict) and self.key is None:
            self.take_key(event, value or "")
        else:
            self.put(event, value)

    def take_key(self, event: Any, key: str) -> None:
        place, mapping = self.open[-1]
        line = event.start_mark.line + 1
        if not key.isprintable():
            self.refuse(event, f"{shortened(key)} is no key; expected plain text")
        if key in mapping:
            first = self.document.lines[(*place, key)]
            fault = Fault((*place, key), f"is there twice, first in line {first}; expected once", line)
            if DROPPED not in place:
                self.document.faults.append(fault)
            self.key = ((*place, DROPPED, line), None)
        else:
            self.key = ((*place, key), key)
            self.document.lines[(*place, key)] = line

    def start(self, event: Any, container: Any) -> None:
        if self.open and isinstance(self.open[-1][1], dict) and self.key is None:
            self.refuse(event, "a key is a list or a mapping; expected text")
        place = self.put(event, container)
        if len(self.open) >= MAX_DEPTH:
            self.refuse(event, f"is nested deeper than {MAX_DEPTH} levels; reading stopped")
        self.open.append((place, container))

    def put(self, event: Any, value: Any) -> Place:
        """Puts a value into the container that is open; its place."""
        if not self.open:
            self.document.data = value
            self.document.lines[()] = event.start_mark.line + 1
            return ()
        around, container = self.open[-1]
        if isinstance(container, list):
            place: Place = (*around, len(container))
            container.append(value)
            self.document.lines[place] = event.start_mark.line + 1
            return place
        place, key = self.key or (around, None)
        if key is not None:
            container[key] = value
        self.key = None
        return place
