"""Where packets are copied from and to: the captures as a whole, or those of each side of a firewall by themselves.

A flow has other addresses and ports outside, where the firewall translates. So the flows to copy are chosen on the
inside, as for one vantage, and their counterparts outside with them; and of the outside what the inside does not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from auditor.crossing import Prints, View, pair
from auditor.errors import AuditorError, CaptureError
from auditor.evidence.selection import Choice, Frame, Selection, choose, complete, selection_of
from auditor.scan import ScanOptions, open_scan
from auditor.sources import STANDARD_INPUT, resolve, url

if TYPE_CHECKING:
    from auditor.flow import Bools, Flows, Rows
    from auditor.reporttypes import Document, FindingEntry

INSIDE, OUTSIDE = "inside", "outside"


class Side(NamedTuple):
    """Captures, and the file that packets of them go to."""

    paths: list[str]
    output: str


def sides_of(captures: Sequence[str], inside: Sequence[str], outside: Sequence[str], output: str) -> list[Side]:
    """One side, or those inside and outside. Raises: CaptureError for what cannot be read twice, or does not fit."""
    if bool(inside) != bool(outside) or (inside and captures):
        raise CaptureError(
            "two vantages are copied together", help="expected --inside and --outside, or captures without them"
        )
    if not inside:
        return [Side(_files(captures), output)]
    names = outputs_of(output)
    return [Side(_files(inside), names[0]), Side(_files(outside), names[1])]


def outputs_of(output: str) -> tuple[str, str]:
    """The files of two vantages: x-inside.pcapng and x-outside.pcapng for x.pcapng."""
    path = PurePath(output)
    near, far = (str(path.with_name(f"{path.stem}-{side}{path.suffix}")) for side in (INSIDE, OUTSIDE))
    return near, far


def check_vantages(report: Document, sides: Sequence[Side]) -> None:
    """Raises: AuditorError where the report has another number of vantages than there are sides."""
    if ("vantages" in report) == (len(sides) == 2):
        return
    if "vantages" in report:
        raise AuditorError("the report is of two vantages", help="expected its captures after --inside and --outside")
    raise AuditorError("the report is of one vantage", help="expected its captures without --inside and --outside")


def _files(captures: Sequence[str]) -> list[str]:
    paths = resolve(captures)
    if STANDARD_INPUT in paths:
        raise CaptureError("packets are copied from files: standard input cannot be read again")
    remote = next((path for path in paths if url.accepts(path)), None)
    if remote is not None:
        raise CaptureError(f"{remote}: packets are copied from files; expected the capture, downloaded")
    return paths


def select_on_both(
    findings: Sequence[FindingEntry],
    report: Document,
    near: Side,
    far: Side,
    frames: list[Frame],
    reading: ScanOptions,
) -> list[Selection]:
    """What to copy of each side, which is read as `reading` says.

    Raises: AuditorError where the captures do not hold the findings' flows.
    """
    inside, outside = _flows(near.paths, reading), _flows(far.paths, reading)
    complete(findings, (inside.rows, outside.rows))
    chosen = choose(findings, report, inside.rows)
    theirs = choose(findings, report, outside.rows)
    counterpart = pair(inside.view, outside.view).counterpart

    def crossed(rows: Bools) -> Bools:
        """The rows outside of the flows that these rows inside belong to."""
        there = counterpart[np.unique(inside.flow_of_row[rows])]
        return np.isin(outside.flow_of_row, there[there >= 0])

    whole = theirs.whole | crossed(chosen.whole)
    brief = (theirs.brief | crossed(chosen.brief)) & ~whole
    own = theirs.own | crossed(chosen.own)
    return [
        selection_of(inside.rows, chosen, frames),
        selection_of(outside.rows, Choice(own, whole, brief), frames),
    ]


class _Read(NamedTuple):
    rows: Flows
    view: View
    flow_of_row: Rows


def _flows(paths: Sequence[str], reading: ScanOptions) -> _Read:
    """All flows of these captures: what is a vendor's on one side may have any address on the other."""
    from auditor.judging import joined

    scan = open_scan(paths, reading._replace(fingerprints=True))
    batches = []
    while (batch := scan.next_batch()) is not None:
        batches.append(batch.columns(fingerprints=True))
    rows = joined(batches)
    return _Read(rows, *View.of(rows, Prints.of(batches)))
