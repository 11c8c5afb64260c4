"""Parts of a document as it was written, whatever is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def mapping(given: object, key: str) -> dict[str, Any]:
    """The mapping under `key`; empty if there is none."""
    value = given.get(key) if isinstance(given, dict) else None
    return value if isinstance(value, dict) else {}


def mappings(given: object, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Index and value of each mapping in the list under `key`."""
    items = given.get(key) if isinstance(given, dict) else None
    if isinstance(items, list):
        yield from ((index, item) for index, item in enumerate(items) if isinstance(item, dict))


def texts(given: object, key: str) -> Iterator[tuple[int, str]]:
    """Index and value of each text in the list under `key`."""
    items = given.get(key) if isinstance(given, dict) else None
    if isinstance(items, list):
        yield from ((index, item) for index, item in enumerate(items) if isinstance(item, str))


def empty_lists(given: object, *keys: str) -> Iterator[str]:
    """Those of the `keys` under which an empty list or mapping stands."""
    if isinstance(given, dict):
        yield from (key for key in keys if given.get(key) in ([], {}))
