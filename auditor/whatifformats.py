"""What other rules would change, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from auditor.comparisonformats import CODES, SHOWN, findings_of, some
from auditor.flowformats import endpoint
from auditor.layout import Page
from auditor.terminal import screen_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.whatif import FlowChange, WhatIf


def write_table(found: WhatIf, stream: TextIO) -> None:
    """Write the verdict, what could not be judged, findings, and flows that are seen otherwise."""
    page = Page(screen_of(stream))
    page.text(found.verdict.upper(), *CODES[found.verdict], indent=0)
    some(page, found.comparison.reasons)
    for sentence in found.unjudged:
        page.text(f"not judged again: {sentence}")
    findings_of(page, found.comparison)
    page.heading(f"Flows seen otherwise: {len(found.flows)}")
    if found.flows:
        page.table([_row(change) for change in found.flows[:SHOWN]])
    if len(found.flows) > SHOWN:
        page.text(f"and {len(found.flows) - SHOWN} more; --format json has all")
    if found.comparison.coverage:
        page.heading("Coverage")
        page.table(
            [
                [vendor, statement, f"{old or 'absent'} → {new or 'absent'}"]
                for vendor, statement, old, new in found.comparison.coverage
            ]
        )
    stream.write(str(page))


def _row(change: FlowChange) -> list[str]:
    flow = change.flow
    ends = [endpoint(flow[f"{end}_ip"], flow[f"{end}_port"], flow["protocol"]) for end in ("initiator", "responder")]  # type: ignore[literal-required]
    after = {"vendor": flow["vendor"], "role": flow["role"]}
    return [
        f"{ends[0]} → {ends[1]}/{flow['protocol']}",
        f"{_seen(change.before, change.checks_before)} → {_seen(after, change.checks_after)}",
    ]


def _seen(named: Mapping[str, str], checks: Sequence[str]) -> str:
    who = f"{named['vendor']} {named['role']}".strip()
    return f"{who} ({', '.join(checks)})" if checks else who
