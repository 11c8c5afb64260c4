"""What the stream at hand can show: colour and width."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from auditor.lean import NamedTuple

if TYPE_CHECKING:
    from typing import TextIO

NARROWEST, WIDEST, DEFAULT_WIDTH = 60, 140, 100

RED, GREEN, YELLOW, BLUE, BOLD, DIM = "31", "32", "33", "34", "1", "2"


class Screen(NamedTuple):
    """How to write to one stream."""

    width: int
    colour: bool

    def paint(self, text: str, *codes: str) -> str:
        """`text` in these ECMA-48 graphic renditions, or as it is where there is no colour."""
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.colour and codes and text else text


def screen_of(stream: TextIO) -> Screen:
    """Colour on terminals only, unless NO_COLOR or FORCE_COLOR say otherwise; the width of the terminal, or COLUMNS."""
    terminal = stream.isatty()
    return Screen(_width(stream, terminal), _colour(terminal))


def _colour(terminal: bool) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return terminal and os.environ.get("TERM") != "dumb"


def _width(stream: TextIO, terminal: bool) -> int:
    said = os.environ.get("COLUMNS", "")
    if said.isascii() and said.isdecimal() and len(said) < 6:
        width = int(said)
    elif terminal:
        width = os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH
    else:
        width = DEFAULT_WIDTH
    return max(NARROWEST, min(width, WIDEST))


def choose_colour(choice: str) -> None:
    """Let `--color always|never` decide for this process; `auto` leaves it to the environment."""
    if choice != "auto":
        os.environ.pop("NO_COLOR", None)
        os.environ.pop("FORCE_COLOR", None)
        os.environ["FORCE_COLOR" if choice == "always" else "NO_COLOR"] = "1"
