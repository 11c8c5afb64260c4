"""The page's plots, as SVG within it. Without matplotlib the page is whole, and says what it lacks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from auditor import plots as drawn
from auditor.page.markup import Markup, element, note, scrolling, section

if TYPE_CHECKING:
    from auditor.result import Audit

SIZE: Final = re.compile(r'^<svg\b[^>]*?(viewBox="[^"]*")[^>]*>')


def plots(report: Audit) -> Markup:
    """All plots but that of the captures' health, which stands with it."""
    if not drawn.available():
        return section("plots", "Plots", note(f"There are none: {drawn.MISSING}."))
    names = [name for name in drawn.NAMES if name != "health"]
    return section("plots", "Plots", [plot(name, report) for name in names])


def plot(name: str, report: Audit) -> Markup:
    """One plot; nothing where it cannot be drawn here."""
    if not drawn.available():
        return Markup()
    from auditor.plots._style import svg_of

    title = drawn.title(name)
    svg = _within_page(svg_of(drawn.draw(name, report)), name, title)
    return element("figure", element("figcaption", title), scrolling(title, svg), class_="plot")


def _within_page(svg: str, name: str, title: str) -> Markup:
    """An SVG that shares a page: it fits the width, and its names are its own."""
    start = element("svg", xmlns="http://www.w3.org/2000/svg", role="img", aria_label=title)
    svg = SIZE.sub(lambda match: start.removesuffix("></svg>") + f" {match[1]}>", svg, count=1)
    svg = svg.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    svg = svg.replace(' id="', f' id="{name}-').replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    return Markup(svg.replace("*{stroke-linejoin", ".plot svg *{stroke-linejoin").strip())
