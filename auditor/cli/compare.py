"""`auditor compare`: what a change made of the traffic."""

from typing import TYPE_CHECKING, Annotated

from auditor import outputs
from auditor.cli._change import FailOn, Format, Output
from auditor.cli._option import Argument, Option
from auditor.errors import AuditorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.reporttypes import Document


def run(
    before: Annotated[str, Argument("Captures or the JSON report of the time before the change.", "BEFORE")],
    after: Annotated[str, Argument("Captures or the JSON report of the time after it.", "AFTER")],
    *,
    pack: Annotated[
        tuple[str, ...], Option("Audit captures against this rule pack; default: as audit.", "ID|FILE")
    ] = (),
    site: Annotated[str | None, Option("Site file (YAML) for captures.", "FILE")] = None,
    fail_on: FailOn = "medium",
    format: Format = None,
    output: Output = (),
) -> int:
    """Compare the traffic before and after a change.

    Says which findings, services, servers and clients are new, gone or changed, how volumes and coverage moved, and
    whether the change made things better, left them the same, or made them worse. BEFORE and AFTER are each a
    capture file, folder or glob, or a JSON report. Exit code 0: better or the same, 1: worse, 3: inconclusive, as
    where the capture after the change is cut or lacks a vendor's traffic.

    Example:
      auditor compare monday.pcapng tuesday.pcapng --site site.yaml
      auditor compare before.json after.json --format json -o change.json
    """
    from auditor.comparisonformats import SUFFIXES

    targets = outputs.plan(output, format, lambda _: SUFFIXES, inputs=(before, after))
    from auditor import comparisonformats
    from auditor.comparison import compare
    from auditor.severity import Severity

    if before == after == "-":
        raise AuditorError("both sides are standard input; expected files")
    sides = [report_of(word, pack, site) for word in (before, after)]
    comparison = compare(sides[0], sides[1], fail_on=Severity[fail_on.upper()])
    for target in targets:
        with target.open() as stream:
            comparisonformats.write(target.format, comparison, stream)
    return comparison.exit_code


def report_of(word: str, packs: "Sequence[str]", site: str | None) -> "Document":
    """The report in a file, or of an audit of captures."""
    from auditor.reportfile import is_report, load_report

    if is_report(word):
        return load_report(word)
    from auditor.document import document
    from auditor.pipeline import audit

    return document(audit(word, packs=packs, site=site))
