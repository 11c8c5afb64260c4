"""`Audit.plot`: the plots of `auditor.plots`, found by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from auditor.result import Audit

HOME = "auditor.plots"


class Plots:
    """One method for each plot; each answers with a matplotlib Figure, which a notebook shows.

    Needs matplotlib (the extra `plot`), which is imported when something is drawn.
    """

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    def __getattr__(self, name: str) -> Callable[..., Figure]:
        if name.startswith("_") or name not in _functions():
            raise AttributeError(f"there is no plot {name!r}; there are {', '.join(sorted(_functions())) or 'none'}")
        return partial(_functions()[name], self._audit)

    def __dir__(self) -> list[str]:
        return sorted(_functions())


def _functions() -> dict[str, Callable[..., Any]]:
    """The functions of `auditor.plots` that draw: those it names, or all that are its own and public."""
    try:
        home = import_module(HOME)
    except ModuleNotFoundError as error:
        if error.name != HOME:
            raise
        return {}
    names = getattr(home, "NAMES", None) or [
        name
        for name, value in vars(home).items()
        if callable(value) and not name.startswith("_") and getattr(value, "__module__", "") == HOME
    ]
    return {name: getattr(home, name) for name in names}
