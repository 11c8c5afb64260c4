"""How much memory an event takes while it waits."""

from __future__ import annotations

from collections.abc import Mapping
from sys import getsizeof


def weight(event: object) -> int:
    """Bytes of an event and all that is in it; what it shares with others counts in full."""
    size = getsizeof(event)
    if isinstance(event, Mapping):
        return size + sum(map(weight, event.values()))
    if isinstance(event, list | tuple | set | frozenset):
        return size + sum(map(weight, event))
    return size
