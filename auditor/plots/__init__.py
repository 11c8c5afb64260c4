"""Pictures of an audit, each a function that takes an `Audit` and returns a matplotlib Figure.

How each is drawn stands in a file of its own. The report's HTML and notebooks show the same ones. Matplotlib, the
extra `plot`, is imported where one is drawn, and without pyplot: nothing here has global state, and nothing opens a
window. Colours are told apart by people who see fewer of them, and say nothing that shape, order or a word does not
say too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from auditor.errors import AuditorError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from auditor.result import Audit

NAMES: Final = ("timeline", "traffic", "matrix", "ports", "health")
"""The plots, in the order of a report."""
MISSING: Final = "plots need matplotlib, which is not installed here; pip install 'auditor[plot]' brings it"


def timeline(report: Audit) -> Figure:
    """When sessions ran, and when findings were seen."""
    return draw("timeline", report)


def traffic(report: Audit) -> Figure:
    """Bytes by class of traffic, over time."""
    return draw("traffic", report)


def matrix(report: Audit) -> Figure:
    """Clients against servers, each pair marked with the worst that was found between them."""
    return draw("matrix", report)


def ports(report: Audit) -> Figure:
    """Server ports that were used, against those that each vendor publishes."""
    return draw("ports", report)


def health(report: Audit) -> Figure:
    """What the captures hold, and what was lost of them."""
    return draw("health", report)


def draw(name: str, report: Audit) -> Figure:
    """The plot of that name. Raises: AuditorError where matplotlib is not installed."""
    prepare()
    figure: Figure = import_module(f"auditor.plots._{name}").draw(report)
    return figure


def title(name: str) -> str:
    """What the plot of that name shows, in one line."""
    text: str = globals()[name].__doc__
    return text.rstrip(".")


def prepare() -> None:
    """Import matplotlib. Raises: AuditorError where it is not installed."""
    try:
        import_module("matplotlib.figure")
    except ImportError:
        raise AuditorError(MISSING) from None


def available() -> bool:
    """Whether plots can be drawn here."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None
