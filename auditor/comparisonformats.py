"""A comparison for people, and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

from auditor.layout import Page, size
from auditor.terminal import BOLD, GREEN, RED, YELLOW, screen_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.comparison import Comparison
    from auditor.reporttypes import CaptureEntry, FindingEntry

FORMATS = ("table", "json")
SUFFIXES = {"table": (".txt",), "json": (".json",)}
CODES = {"better": (BOLD, GREEN), "same": (BOLD, GREEN), "worse": (BOLD, RED), "inconclusive": (BOLD, YELLOW)}
SHOWN = 50  # findings, servers or services of one kind; --format json has all


def write(format: str, comparison: Comparison, stream: TextIO, titles: tuple[str, str] = ("before", "after")) -> None:
    """Write the comparison; `titles`: what the two sides are called."""
    if format == "json":
        json.dump(comparison.to_dict(), stream, indent=1, allow_nan=False)
        stream.write("\n")
        return
    page = Page(screen_of(stream))
    page.text(comparison.verdict.upper(), *CODES[comparison.verdict], indent=0)
    some(page, comparison.reasons)
    for note in comparison.notes:
        page.text(f"note: {note}")
    page.heading("Captures")
    for title, report in zip(titles, (comparison.before, comparison.after), strict=True):
        page.text(f"{title}: {report['verdict']}, {'; '.join(map(_capture, report['captures']))}")
    findings_of(page, comparison)
    for title, pairs in (
        ("Services", comparison.services),
        ("Servers", comparison.servers),
        ("Clients", comparison.clients),
    ):
        if any(pairs):
            page.heading(title)
            for word, found in zip(("new", "gone"), pairs, strict=True):
                some(page, [f"{word}: {thing} ({vendor})" for vendor, thing in found])
    page.heading("Volumes")
    rows = [
        [name, f"{old['flows']:,} → {new['flows']:,}", f"{size(old['bytes'])} → {size(new['bytes'])}"]
        for name, old, new in comparison.volumes
    ]
    page.table([["", "flows", "bytes"], *rows], right=(1, 2))
    if comparison.coverage:
        page.heading("Coverage")
        page.table(
            [
                [vendor, statement, f"{old or 'absent'} → {new or 'absent'}"]
                for vendor, statement, old, new in comparison.coverage
            ]
        )
    stream.write(str(page))


def findings_of(page: Page, comparison: Comparison) -> None:
    """Findings that are new, gone or changed."""
    page.heading(f"Findings: {len(comparison.new)} new, {len(comparison.gone)} gone, {len(comparison.changed)} changed")
    some(page, [f"new   {_finding(finding)}" for finding in comparison.new])
    some(page, [f"gone  {_finding(finding)}" for finding in comparison.gone])
    changes = []
    for one in comparison.changed:
        values = [f"{name} {one.before[name]} → {one.after[name]}" for name in one.fields if name != "waived"]  # type: ignore[literal-required]
        if "waived" in one.fields:
            values.append(
                "no longer waived" if one.before["waiver"] and not one.before["waiver"]["expired"] else "waived"
            )
        changes.append(f"changed  {_finding(one.after)} ({', '.join(values)})")
    some(page, changes)


def some(page: Page, lines: Sequence[str]) -> None:
    """A line each, the first SHOWN of them."""
    """A line each, the first SHOWN of them."""
    for line in lines[:SHOWN]:
        page.text(line)
    if len(lines) > SHOWN:
        page.text(f"and {len(lines) - SHOWN} more; --format json has all")


def _finding(finding: FindingEntry) -> str:
    return f"{finding['severity']} {finding['check']}: {finding['message']}"


def _capture(capture: CaptureEntry) -> str:
    if not capture["start"]:
        return f"{capture['path']} (no packets)"
    return f"{capture['path']} from {capture['start'][:19].replace('T', ' ')} UTC, {capture['packets']:,} packets"
