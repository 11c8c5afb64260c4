"""How plots look: colours, sizes, axes; and how they become SVG that takes a page's colours."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from auditor.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH: Final = 9.0
"""Inches. Text keeps its size when a page of 900 pixels or a sheet of A4 shows the plot."""
INK, FAINT, RULE, PAPER = "#1b1f24", "#5b6470", "#c9ced6", "#ffffff"
"""Text, lesser text, lines, ground. A page may put its own in their place."""

# Okabe and Ito's colours, which stay apart for every kind of colour blindness, darkened where white paper asks for it.
BLUE, SKY, GREEN, YELLOW, ORANGE, RED, PURPLE, GREY = (
    *("#0072b2", "#56b4e9", "#009e73", "#e3c800"),
    *("#e69f00", "#d55e00", "#b5648f", "#8a919b"),
)
SEVERITY_COLOURS: Final = {"critical": RED, "high": ORANGE, "medium": YELLOW, "low": SKY, "info": GREY}
SEVERITY_MARKERS: Final = {"critical": "X", "high": "^", "medium": "D", "low": "o", "info": "."}
CLASS_COLOURS: Final = {
    "control": PURPLE,
    "data": BLUE,
    "registration": YELLOW,
    "gui": RED,
    "support": ORANGE,
    "proxy": GREY,
    "return": SKY,
    "inbound": RED,
    "unpublished": ORANGE,
    "other": GREY,
}
CLASS_HATCHES: Final = {
    "gui": "xx",
    "inbound": "//",
    "unpublished": "\\\\",
    "other": "..",
    "support": "++",
}

SETTINGS: Final[dict[str, Any]] = {
    "font.size": 9,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "text.color": INK,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "axes.edgecolor": RULE,
    "axes.labelcolor": FAINT,
    "axes.labelsize": 8.5,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": FAINT,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.fonttype": "none",  # text stays text: it can be found, copied and read aloud
    "svg.hashsalt": "auditor",  # the same audit gives the same bytes
    "savefig.facecolor": "none",
}
METADATA: Final = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
LABEL: Final = 42
"""Characters of a label."""


@contextmanager
def styled() -> Iterator[None]:
    """Our settings, whatever the process has set for itself."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        for name, value in SETTINGS.items():
            mpl.rcParams[name] = value  # type: ignore[index]
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def empty(words: str) -> Figure:
    """A plot of nothing, which says so."""
    with styled():
        figure = Figure(figsize=(WIDTH, 0.7), layout="constrained")
        axes = figure.add_subplot()
        axes.set_axis_off()
        axes.text(0, 0.5, words, color=FAINT, va="center", transform=axes.transAxes)
        return figure


def label(text: str, room: int = LABEL) -> str:
    """Text from captures or rules as a label: one short line of characters that every font has."""
    shown = printable(text).encode("latin-1", "backslashreplace").decode("latin-1")
    return shown if len(shown) <= room else shown[: room - 1] + "…"


def by_address(name: str) -> tuple[int, int, str]:
    """Sorts addresses by number, and names behind them."""
    from auditor.addresses import parse_address

    try:
        return 0, parse_address(name), name
    except ValueError:  # a proxy's target may be a name
        return 1, 0, name


def time_axis(axes: Axes, start_ns: int, end_ns: int) -> None:
    """A horizontal axis in UTC between these times, and the day that it is of."""
    from matplotlib import dates

    known: Any = dates  # its functions have no types
    first, last = moment(start_ns), moment(max(end_ns, start_ns + 1_000_000))
    margin = (last - first) * 0.02
    axes.set_xlim(known.date2num(first - margin), known.date2num(last + margin))
    locator = known.AutoDateLocator(minticks=3, maxticks=7, tz=UTC)
    locator.intervald[7] = [1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000]  # microseconds
    axes.xaxis.set_major_locator(locator)
    formats = ["%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M", "%H:%M:%S.%f"]  # of years, months, … seconds
    axes.xaxis.set_major_formatter(
        known.ConciseDateFormatter(locator, tz=UTC, formats=formats, zero_formats=formats, show_offset=False)
    )
    days = f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    axes.set_xlabel(f"{days}, UTC")


def place(time_ns: int) -> float:
    """Where a time stands on the axis."""
    from matplotlib import dates

    known: Any = dates
    return float(known.date2num(moment(time_ns)))


def moment(time_ns: int) -> datetime:
    """A time for matplotlib, to the microsecond."""
    return datetime.fromtimestamp(time_ns / 1e9, UTC)


def svg_of(figure: Figure) -> str:
    """The plot as an SVG element without XML declaration. Text and lines take the page's colours, where it has any."""
    stream = io.StringIO()
    with styled():
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = METADATA.sub("", text[text.index("<svg") :])
    for colour, name in ((INK, "ink"), (FAINT, "faint"), (RULE, "rule"), (PAPER, "paper")):
        text = text.replace(colour, f"var(--{name}, {colour})")
    return text
