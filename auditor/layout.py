"""Plain-text layout: headings, aligned columns, wrapped lines. What it is given may come from captures."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from auditor.terminal import BOLD, Screen
from auditor.text import printable

GAP = "  "


class Page:
    """Lines for one screen, in the making."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.lines: list[str] = []

    def heading(self, text: str) -> None:
        """A blank line and a title."""
        self.lines += ["", self.screen.paint(text, BOLD)]

    def text(self, text: str, *codes: str, indent: int = 2, hang: int = 2) -> None:
        """A paragraph, wrapped; lines after the first stand `hang` further in."""
        lines = textwrap.wrap(
            printable(text),
            self.screen.width,
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + hang),
            break_on_hyphens=False,
        )
        self.lines += [self.screen.paint(line, *codes) for line in lines]

    def table(self, rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
        """Rows of equal length as columns; those numbered in `right` are aligned to the right, the last may wrap."""
        cells = [[printable(cell) for cell in row] for row in rows]
        widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
        last = len(widths) - 1
        start = 2 + sum(widths[:last]) + len(GAP) * last
        for row in cells:
            padded = [pad(cell, widths[n], n in right) for n, cell in enumerate(row[:last])]
            room = max(self.screen.width - start, 20)
            tail = textwrap.wrap(row[last], room, break_on_hyphens=False) or [""]
            if last in right:
                tail = [pad(row[last], widths[last], True)]
            self.lines.append(("  " + GAP.join([*padded, tail[0]])).rstrip())
            self.lines += [" " * start + line for line in tail[1:]]

    def __str__(self) -> str:
        return "\n".join(self.lines) + "\n"


def columns_of(
    entries: Sequence[Mapping[str, object]], names: Sequence[str], show: Callable[[object], str] = str
) -> list[list[str]]:
    """Rows of a table with a header: these keys of each entry."""
    return [list(names), *([show(entry[name]) for name in names] for entry in entries)]


def width(text: str) -> int:
    """Columns that a terminal needs for it."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def pad(text: str, columns: int, right: bool = False) -> str:
    """`text` filled up with blanks to that many columns."""
    blanks = " " * (columns - width(text))
    return blanks + text if right else text + blanks


def plural(count: int, one: str, many: str = "") -> str:
    """`1 flow`, `1,234 flows`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size(count: int) -> str:
    """A number of bytes for people, in powers of ten: `1.2 MB`."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{count} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
