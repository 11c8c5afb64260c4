"""Documents into typed values, with every error of a document told at once.

The only place, with its modules, where pydantic is imported: nothing that is ready to use (compiled packs, no site)
comes through here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from auditor.errors import DocumentError
from auditor.validation.faults import faults_of
from auditor.validation.prune import Pruned
from auditor.yamlfile import Document, Fault, parse

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rules(Generic[T]):
    """What has to hold in a document beside the kinds of its values."""

    names: Callable[[dict[str, Any]], Iterable[Fault]]
    """Judges the document as it was written, with everything that is wrong in it: names that have to fit each other."""
    relations: Callable[[T, dict[str, Any]], Iterable[Fault]]
    """Judges the typed value, of which wrong parts were left aside; given the document as well, to see what was."""


def validate(kind: type[T], content: bytes, name: str, error: type[DocumentError], rules: Rules[T]) -> T:
    """The `kind` that a YAML document holds.

    Parts that are wrong by themselves are left aside, so that the others are judged in the same run.
    Raises: `error` with a message for each fault, sorted by line.
    """
    document = parse(content, name)
    _require_mapping(document)
    if not document.whole:
        raise error(document.messages(document.faults))
    faults = [*document.faults, *rules.names(document.data)]
    adapter = TypeAdapter(kind)
    pruned = Pruned(document.data)
    value: T | None = None
    while value is None and pruned.data is not None:
        try:
            value = adapter.validate_python(pruned.data)
        except ValidationError as invalid:
            if not pruned.removed:  # what comes up later is wrong only for what was left aside
                faults += faults_of(invalid, adapter, document)
            pruned.remove(pruned.original(detail["loc"]) for detail in invalid.errors(include_url=False))
    if value is not None:
        for fault in rules.relations(value, document.data):
            faults.append(Fault(pruned.original(fault.place), fault.message, fault.line))
    if faults or value is None:
        raise error(document.messages(faults))
    return value


def _require_mapping(document: Document) -> None:
    if document.whole and not isinstance(document.data, dict):
        there = "text" if isinstance(document.data, str) else "a list" if document.data is not None else "nothing"
        document.faults.append(Fault((), f"expected a mapping of keys and values, there is {there}"))
        document.whole = False
