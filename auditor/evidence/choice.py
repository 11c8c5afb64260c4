"""Which findings of a report are meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auditor.errors import AuditorError
from auditor.words import did_you_mean

if TYPE_CHECKING:
    from auditor.reporttypes import FindingEntry

SHORTEST_ID = 4  # digits of an id that are enough where no other id begins so


def chosen_findings(
    findings: Sequence[FindingEntry], ids: Sequence[str] = (), checks: Sequence[str] = ()
) -> list[FindingEntry]:
    """The findings with these ids (or beginnings of ids) or of these checks; all where neither is given.

    Raises: AuditorError for an id or a check that no finding has.
    """
    if not ids and not checks:
        return list(findings)
    wanted = {finding_of(findings, id)["id"] for id in ids}
    present = sorted({finding["check"] for finding in findings})
    for check in checks:
        if check not in present:
            raise AuditorError(
                f"no finding of check {check!r}{did_you_mean(check, present)}",
                help=f"there are findings of {', '.join(present)}" if present else "the report has no findings",
            )
    return [finding for finding in findings if finding["id"] in wanted or finding["check"] in checks]


def finding_of(findings: Sequence[FindingEntry], id: str) -> FindingEntry:
    """The finding with this id, or the only one whose id begins so. Raises: AuditorError."""
    exact = [finding for finding in findings if finding["id"] == id]
    alike = [finding for finding in findings if len(id) >= SHORTEST_ID and finding["id"].startswith(id)]
    found = exact or alike
    if len(found) == 1:
        return found[0]
    if found:
        raise AuditorError(f"{len(found)} findings have ids that begin with {id}; expected more digits of it")
    known = [f"  {finding['id']}  {finding['severity']}  {finding['check']}" for finding in findings[:20]]
    raise AuditorError(
        f"no finding {id!r}", help="\n".join(["the report has", *known]) if known else "the report has no findings"
    )
