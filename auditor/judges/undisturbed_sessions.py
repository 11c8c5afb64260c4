"""Whether an intrusion protection service left the sessions with a vendor's named servers alone.

Such a service cuts sessions by RST, or swallows their packets. A session that was answered and ran on without RST was
left alone as far as packets show. One that was cut proves little by itself, since either end may do that too; but a RST
that the inside got from the server and the outside never saw was made between the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.checks._select import answered, at_vendor, ends, has, one_pack, tcp_sessions
from auditor.coverage import INCONCLUSIVE, MET, NOT_EXERCISED, VIOLATED
from auditor.flow import Flows, Role, Rows, Seen
from auditor.judges.base import Case, Judge, Verdict
from auditor.layout import plural

if TYPE_CHECKING:
    from auditor.checks.base import Context
    from auditor.rulepack import EnabledPack

RESET = Seen.RST | Seen.FIN_RST


class UndisturbedSessions(Judge):
    id = "undisturbed-sessions"

    def judge(self, enabled: EnabledPack, case: Case) -> Verdict:
        flows, context = case.flows, case.context
        ours = one_pack(context, enabled)[flows.vendor] & tcp_sessions(flows)
        # published under the name are the servers of the backup, not those of support
        rows = np.flatnonzero(ours & np.isin(flows.role, (Role.CONTROL, Role.DATA)))
        rows = rows[at_vendor(ends(flows, rows), context)]
        if not len(rows):
            return Verdict(NOT_EXERCISED, "no session with these servers")
        made_between = _reset_between(flows, context, rows)
        if len(made_between):
            found = plural(len(made_between), "session")
            return Verdict(VIOLATED, f"{found} cut by a RST that only the inside got: it was made at the firewall")
        reached = answered(flows, rows)
        either = flows.seen_forward[rows] | flows.seen_reverse[rows]
        cut = reached & has(either, RESET) & ~has(either, Seen.FIN)
        unheard, refused = int((~reached & ~has(either, RESET)).sum()), int((~reached & has(either, RESET)).sum())
        what = f"{plural(int(reached.sum()), 'session')} answered"
        troubles = [
            text
            for count, text in (
                (int(cut.sum()), f"{int(cut.sum()):,} of them cut by RST"),
                (refused, f"{plural(refused, 'attempt')} refused"),
                (unheard, f"{plural(unheard, 'attempt')} without answer"),
            )
            if count
        ]
        if troubles:
            cause = "an intrusion protection service may be the cause, and so may either end"
            return Verdict(INCONCLUSIVE, f"{what}, {', '.join(troubles)}: {cause}")
        return Verdict(MET, f"{what}, none refused or cut by RST: nothing on the way disturbed them as far as shows")


def _reset_between(flows: Flows, context: Context, rows: Rows) -> Rows:
    """Sessions of which the inside shows a RST from the server and the outside none."""
    if context.vantages is None:
        return rows[:0]
    near, far = context.vantages.paired(rows)
    outside = context.vantages.outside
    # both sides saw the same end open it, so that the server's packets go the same way in both
    same = flows.client_is_initiator[near]
    inside_got = has(np.where(same, flows.seen_reverse[near], flows.seen_forward[near]), RESET)
    outside_saw = has(outside.seen_forward[far] | outside.seen_reverse[far], RESET)
    return near[inside_got & ~outside_saw]
