"""Whether clients have a primary and an alternate server.

Both are known of a client once two servers have answered it, those where it registers aside. A client that only one has
answered shows nothing: the alternate is called where the primary fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.checks._select import at_vendor, ends, group, one_pack, through_many
from auditor.checks.base import answered_sessions
from auditor.coverage import MET, NOT_EXERCISED
from auditor.flow import Role
from auditor.judges.base import Case, Judge, Verdict
from auditor.layout import plural

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack


class ServerPairs(Judge):
    id = "server-pairs"

    def judge(self, enabled: EnabledPack, case: Case) -> Verdict:
        flows, context = case.flows, case.context
        rows = np.flatnonzero(one_pack(context, enabled)[flows.vendor] & answered_sessions(flows, context))
        rows = rows[flows.role[rows] != Role.REGISTRATION]
        end = ends(flows, rows)
        rows = rows[at_vendor(end, context) & ~through_many(end, context)]
        if not len(rows):
            return Verdict(NOT_EXERCISED, "no session that a server answered")
        end = ends(flows, rows)
        client = group(end.client_hi, end.client_lo)
        servers = np.unique(group(client, end.server_hi, end.server_lo), return_index=True)[1]
        of_client = np.bincount(client[servers])
        paired = int((of_client > 1).sum())
        if not paired:
            return Verdict(NOT_EXERCISED, f"{plural(len(of_client), 'client')} answered by one server alone")
        example = next(
            (
                f": {session.client_ip} calls {session.primary} first, and {session.alternate} beside it"
                for session in case.sessions
                if session.vendor == enabled.id and session.alternate and session.kind != "registration"
            ),
            "",
        )
        return Verdict(MET, f"{plural(paired, 'client')} answered by two servers or more{example}")
