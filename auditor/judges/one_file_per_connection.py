"""Whether each file of a backup went by a data connection of its own.

A control session that was read whole tells every transfer, and before it the endpoint that it was to use: two transfers
for one endpoint are two files by one connection. Under TLS no transfer can be read. Then nothing is left but to count
data connections: that is no proof, and the verdict is `inconclusive`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.checks._select import answered, one_pack
from auditor.coverage import INCONCLUSIVE, MET, NOT_EXERCISED, VIOLATED
from auditor.flow import TCP, Direction, Flows, Role, Rows
from auditor.judges.base import Case, Judge, Verdict
from auditor.layout import plural
from auditor.negotiation import Reading
from auditor.transfers import FILES, announced_before

if TYPE_CHECKING:
    from auditor.checks.base import Context
    from auditor.rulepack import EnabledPack


class OneFilePerConnection(Judge):
    id = "one-file-per-connection"

    def judge(self, enabled: EnabledPack, case: Case) -> Verdict:
        flows, context = case.flows, case.context
        ours = np.flatnonzero(one_pack(context, enabled)[flows.vendor])
        transfers, control = _transfers(flows, context, ours)
        hidden = _under_tls(flows, context, ours)
        if not len(transfers):
            return _unread(context, ours, hidden)
        endpoint = announced_before(context.events, context.negotiation, transfers)
        shared = _shared(endpoint)
        sessions = plural(len(np.unique(control)), "readable control session")
        what = f"{plural(len(transfers), 'file transfer')} in {sessions}"
        if shared:
            return Verdict(VIOLATED, f"{what}, {plural(shared, 'data port')} assigned once and used for several files")
        missing = int((~_connected(context, endpoint)).sum())
        if missing:
            return Verdict(INCONCLUSIVE, f"{what}; the data connections of {missing} of them were not captured")
        beside = f"; {hidden:,} more under TLS are not counted" if hidden else ""
        return Verdict(MET, f"{what}, each by a data connection of its own{beside}")


def _transfers(flows: Flows, context: Context, ours: Rows) -> tuple[Rows, Rows]:
    """Numbers of the events of file transfers that servers began, and the control sessions, read whole, of each."""
    events = context.events.of("ftp-transfer")
    events = events[context.events.flag[events] == 1]
    events = events[[context.events.text[event] in FILES for event in events.tolist()]]
    rows = context.events.take(events).rows_in(flows)
    chosen = np.isin(rows, ours) & (context.negotiation.reading[rows] == Reading.WHOLE) if len(rows) else rows >= 0
    return events[chosen], rows[chosen]


def _shared(endpoint: Rows) -> int:
    """How many announced endpoints several files were to use."""
    told, times = np.unique(endpoint[endpoint >= 0], return_counts=True)
    return int((times[told >= 0] > 1).sum())


def _connected(context: Context, endpoint: Rows) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """For each transfer whether a connection to its endpoint was captured."""
    negotiation = context.negotiation
    used = [
        endpoints.event[np.flatnonzero(endpoints.data >= 0)]
        for endpoints in (negotiation.endpoints, negotiation.active)
    ]
    return np.isin(endpoint, np.concatenate(used))


def _under_tls(flows: Flows, context: Context, ours: Rows) -> int:
    """Data connections that no control session is known to have announced."""
    data = ours[(flows.role[ours] == Role.DATA) & (flows.protocol[ours] == TCP)]
    data = data[(flows.direction[data] != Direction.INBOUND) & answered(flows, data)]
    return int((context.negotiation.control[data] < 0).sum()) if len(data) else 0


def _unread(context: Context, ours: Rows, connections: int) -> Verdict:
    """The verdict where no transfer could be read."""
    if connections:
        sessions = int((context.negotiation.reading[ours] == Reading.SECURED).sum())
        where = f" under {plural(sessions, 'encrypted control session')}" if sessions else ""
        found = plural(connections, "data connection")
        return Verdict(
            INCONCLUSIVE, f"{found}{where}, one for each file as far as is inferred: no transfer can be read"
        )
    return Verdict(NOT_EXERCISED, "no transfer of a file")
