"""What a judge says of flows that are described in short."""

from __future__ import annotations

from typing import Any

from flowbuilder import Row, classified

from auditor.judges.base import Case, Verdict, all_judges
from auditor.sessions import sessions_of


def verdict(judge: str, vendor: str, *rows: Row, **context: Any) -> Verdict:
    """The verdict of the judge called so for the vendor; further arguments as for `classified`."""
    flows, given = classified(*rows, **context)
    (chosen,) = [one for one in all_judges() if one.id == judge]
    return chosen.judge(given.pack(vendor), Case(flows, given, sessions_of(flows, given)))
