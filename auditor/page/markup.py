"""HTML elements. Text that goes in comes out as text: only what was made here is markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, TypeAlias

from auditor.text import printable

LONGEST: Final = 1000
"""Characters of one text: a name or message that a stranger made longer is cut, and ends in an ellipsis."""


class Markup(str):
    """HTML that is safe to write."""

    __slots__ = ()


Content: TypeAlias = "Markup | str | int | Iterable[Content] | None"


def html(content: Content) -> Markup:
    """Content as HTML: markup as it is, everything else as text, lists one after the other, None as nothing."""
    if isinstance(content, Markup):
        return content
    if content is None:
        return Markup()
    if isinstance(content, str):
        shown = content if len(content) <= LONGEST else content[:LONGEST] + "…"
        return Markup(escape(printable(shown)))
    if isinstance(content, int):
        return Markup(f"{content:,}")
    return Markup("".join(map(html, content)))


def element(name: str, *content: Content, **attributes: str | None) -> Markup:
    """An element. Attributes that are Python's words end in an underscore; hyphens are underscores; None: left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(printable(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{html(content)}</{name}>")


def section(anchor: str, title: str, *content: Content) -> Markup:
    """A part of the page with its heading."""
    return element("section", element("h2", title), *content, id=anchor)


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[Content]], right: Sequence[int] = ()) -> Markup:
    """A table; columns numbered in `right` hold numbers. On a narrow screen each row becomes a list of its cells, with
    the words of the header before them, below the first as its title; names with numbers beside them fit any screen."""
    fits = len(right) == len(header) - 1

    def cells(row: Sequence[Content]) -> Markup:
        return html(
            element(
                "td", cell, class_="number" if at in right else None, data_of=header[at] if at and not fits else None
            )
            for at, cell in enumerate(row)
        )

    head = (
        element("th", cell, scope="col", class_="number" if at in right else None) for at, cell in enumerate(header)
    )
    body = (element("tr", cells(row)) for row in rows)
    return scrolling(
        caption,
        element(
            "table",
            element("caption", caption, class_="unseen"),
            element("thead", element("tr", html(head))),
            element("tbody", html(body)),
            class_=None if fits else "rows",
        ),
    )


def scrolling(name: str, content: Content) -> Markup:
    """What may be wider than the screen. It can be reached and scrolled with the keyboard."""
    return element("div", content, class_="wide", tabindex="0", role="region", aria_label=name)


def facts(pairs: Iterable[tuple[str, Content]]) -> Markup:
    """A list of terms and what they are; terms without content are left out."""
    found = ((term, html(content)) for term, content in pairs)
    return element("dl", *(element("div", element("dt", term), element("dd", text)) for term, text in found if text))


def note(*content: Content) -> Markup:
    """A remark in small letters."""
    return element("p", *content, class_="note")
