"""A document without its wrong parts, and the way back from a place in it to the whole one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditor.places import Place
from auditor.scalars import TAG


class Pruned:
    """What is left of `data`. `data` is None when nothing is."""

    def __init__(self, data: Any) -> None:
        self.whole = data
        self.data: Any = data
        self.removed: set[Place] = set()
        self._kept: dict[Place, list[int]] = {}  # for each list, by its original place: original indexes of its items

    def remove(self, places: Iterable[Place]) -> None:
        """Leave aside the values at these places of the whole document; where one is gone already, what holds it."""
        for place in places:
            part = self._existing(place)
            while (
                part and part in self.removed
            ):  # something inside was left aside before, and that made this part wrong
                part = part[:-1]
            self.removed.add(part)
        self._kept.clear()
        self.data = None if () in self.removed else self._copy(self.whole, ())

    def original(self, place: Iterable[str | int]) -> Place:
        """The place in the whole document of a place in `data`, without the parts that are no keys."""
        found: Place = ()
        for part in place:
            if isinstance(part, str) and (part.startswith(TAG) or part == "[key]"):
                continue
            kept = self._kept.get(found)
            found = (*found, kept[part] if kept is not None and isinstance(part, int) else part)
        return found

    def _existing(self, place: Place) -> Place:
        """`place`, or, for a key that is not there, the mapping that lacks it."""
        value = self.whole
        for depth, part in enumerate(place):
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return place[:depth]
        return place

    def _copy(self, value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return {k: self._copy(item, (*place, k)) for k, item in value.items() if (*place, k) not in self.removed}
        if isinstance(value, list):
            kept = self._kept[place] = [index for index in range(len(value)) if (*place, index) not in self.removed]
            return [self._copy(value[index], (*place, index)) for index in kept]
        return value
