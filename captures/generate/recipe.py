"""What a recipe is, and how the recipes are found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CAPTURES = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make one capture."""

    name: str  # path below `captures/`, with the capture's suffix
    make: Callable[[], bytes]  # the whole file
    repeatable: bool  # the same bytes every time: made by scapy alone, without a network

    @property
    def path(self) -> Path:
        return CAPTURES / self.name


_recipes: dict[str, Recipe] = {}


def _add(name: str, *, repeatable: bool) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    def register(make: Callable[[], bytes]) -> Callable[[], bytes]:
        if name in _recipes:
            raise ValueError(f"two recipes make {name}")
        _recipes[name] = Recipe(name, make, repeatable)
        return make

    return register


def edge(name: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """A recipe that scapy carries out alone."""
    return _add(name, repeatable=True)


def lab(name: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """A recipe that runs real programs in network namespaces."""
    return _add(name, repeatable=False)


def recipes() -> list[Recipe]:
    """All recipes of the folders `edge` and `labs`, by name."""
    for folder in ("edge", "labs"):
        package = importlib.import_module(f"captures.generate.{folder}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    return [_recipes[name] for name in sorted(_recipes)]
