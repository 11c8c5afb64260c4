"""Whether the published addresses were those in use, on a day for which somebody vouches for them.

A vendor may change its addresses, and says so beforehand. No packet shows the notice. What shows is whether servers
answered at the published addresses alone; and for that to mean anything, pack or site have to say on which days these
hold (`valid_from`, `valid_until`). The vendors' documents carry no date: without one of the site's no change shows, and
the statement is not exercised.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np

from auditor.checks._select import answered, at_vendor, ends, tcp_sessions
from auditor.checks.base import PUBLISHED_ROLES
from auditor.coverage import INCONCLUSIVE, MET, NOT_EXERCISED
from auditor.flow import Role
from auditor.judges.base import Case, Judge, Verdict
from auditor.layout import plural

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack


class AddressesInForce(Judge):
    id = "addresses-in-force"

    def judge(self, enabled: EnabledPack, case: Case) -> Verdict:
        flows, context = case.flows, case.context
        # elsewhere only a port that several vendors share may tell whose server it was
        vendor = np.array([enabled.id in name.split("|") for name in context.labels.vendors])
        rows = np.flatnonzero(vendor[flows.vendor] & tcp_sessions(flows))
        rows = rows[answered(flows, rows)]
        here = at_vendor(ends(flows, rows), context)
        published = rows[here & np.isin(flows.role[rows], PUBLISHED_ROLES)]
        elsewhere = rows[~here & (flows.role[rows] == Role.UNPUBLISHED)]
        if not len(published) and not len(elsewhere):
            return Verdict(NOT_EXERCISED, "no session that a server of this vendor answered")
        first, last = _validity(enabled, case)
        seen = np.concatenate([published, elsewhere])
        days = _day(int(flows.start_ns[seen].min())), _day(int(flows.start_ns[seen].max()))
        when = f"on {days[0]}" if days[0] == days[1] else f"from {days[0]} to {days[1]}"
        what = f"{plural(len(published), 'session')} answered at published addresses {when}"
        known = _known(first, last)
        if len(elsewhere):
            strays = f"{len(elsewhere):,} at other addresses, which may be new ones, or another vendor's"
            return Verdict(INCONCLUSIVE, f"{what}, {strays}; the published ones are {known}")
        if first is None and last is None:
            return Verdict(NOT_EXERCISED, f"{what}, none elsewhere: no change shows, and these are {known}")
        if (first is not None and days[0] < first) or (last is not None and days[1] > last):
            return Verdict(INCONCLUSIVE, f"{what}, but these are {known}")
        return Verdict(MET, f"{what}, none elsewhere; these are {known}")


def _known(first: date | None, last: date | None) -> str:
    if first is None and last is None:
        return "known to hold on no certain day"
    return f"known to hold {'' if first is None else f'from {first} '}{'on' if last is None else f'until {last}'}"


def _day(ns: int) -> date:
    return datetime.fromtimestamp(ns // 10**9, UTC).date()


def _validity(enabled: EnabledPack, case: Case) -> tuple[date | None, date | None]:
    """First and last day for which the addresses are vouched for: what the site knows, else what the pack says."""
    options = case.context.site.packs.get(enabled.id)
    first = options.valid_from if options is not None else None
    last = options.valid_until if options is not None else None
    return first or enabled.pack.valid_from, last or enabled.pack.valid_until
