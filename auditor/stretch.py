"""Items that are made when somebody looks at them: what a finding names may be a million flows.

Kept is of all findings one column of numbers, a tenth of what the items take.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeVar

Item = TypeVar("Item", covariant=True)


class Source(Protocol[Item]):
    """What makes items of some places in columns."""

    def items(self, first: int, last: int) -> Sequence[Item]:
        """Those of the places from `first` to before `last`; at least one of each."""


class Stretch(Sequence[Item]):
    """The items of some places. It is equal to a tuple of them."""

    __slots__ = ("_first", "_last", "_source")

    def __init__(self, source: Source[Item], first: int, last: int) -> None:
        self._source, self._first, self._last = source, first, last

    def _items(self) -> Sequence[Item]:
        return self._source.items(self._first, self._last)

    def __bool__(self) -> bool:
        return self._last > self._first

    def __len__(self) -> int:
        return len(self._items())

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items())

    def __getitem__(self, place: Any) -> Any:
        return self._items()[place]

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Stretch | tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))
