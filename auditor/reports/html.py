"""The report as one page for people: read on a screen or printed. It needs no script and nothing from anywhere else.

Verdict first, then how sound the captures are, findings, coverage, plots, sessions, traffic, and what it rests on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from auditor import plots as drawn
from auditor.document import outline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.reporttypes import CaptureEntry
    from auditor.result import Audit

SUFFIXES = (".html", ".htm")
HASHED = True
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def prepare() -> None:
    """Matplotlib takes half a second to import."""
    import auditor.page.findings  # noqa: F401

    if drawn.available():
        drawn.prepare()


def write(report: Audit, stream: TextIO) -> None:
    """Write the page."""
    from auditor.manifest import manifest_of
    from auditor.page import coverage, findings, summary
    from auditor.page.markup import Markup, element
    from auditor.page.plots import plots
    from auditor.page.style import SHEET

    doc = outline(report)
    doc["manifest"] = manifest_of(report, hashed=True)
    parts = [
        summary.captures(report, doc),
        findings.findings(report, doc),
        coverage.coverage(report, doc),
        plots(report),
        summary.sessions(doc),
        summary.traffic(doc),
        summary.vantages(doc),
        summary.manifest(doc),
    ]
    links = [
        ("health", "Capture health"),
        ("findings", "Findings"),
        ("coverage", "Coverage"),
        ("plots", "Plots"),
        ("sessions", "Sessions"),
        ("traffic", "Traffic"),
        *([("firewall", "Firewall")] if "vantages" in doc else []),
        ("manifest", "Manifest"),
    ]
    title = f"{summary.WORDS[doc['verdict']]}: traffic audit of {_named(doc['captures'])}"
    head = [
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        Markup('<meta name="referrer" content="no-referrer">'),
        element("title", title),
        Markup(f"<style>{SHEET}</style>"),
    ]
    body = [
        element("a", "Skip to the findings", href="#findings", class_="skip"),
        element(
            "header",
            element(
                "div",
                element("h1", f"Traffic audit of {_named(doc['captures'])}"),
                element("span", f"auditor {doc['auditor']['version']}", class_="note"),
                class_="top",
            ),
            element("p", summary.period(doc), class_="period"),
            summary.verdict(report, doc),
            summary.figures(doc),
            element(
                "nav",
                element("ul", *(element("li", element("a", word, href=f"#{anchor}")) for anchor, word in links)),
                aria_label="Parts of this report",
            ),
        ),
        element("main", *parts),
    ]
    stream.write(
        "<!DOCTYPE html>\n" + element("html", element("head", *head), element("body", *body), lang="en") + "\n"
    )


def _named(captures: Sequence[CaptureEntry]) -> str:
    """The captures in a few words: the name of one, the number of several."""
    from pathlib import PurePath

    return PurePath(captures[0]["path"]).name if len(captures) == 1 else f"{len(captures):,} captures"
