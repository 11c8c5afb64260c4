"""Which control sessions were alive when a data connection was opened.

For packs whose data ports are negotiated, as passive FTP does it. Where the control session can be read, it says which
data connections are its own. The others are tied to control sessions of the same client and vendor, by time alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.checks._select import REORDERING_NS, Ends, answered, ends, group, has, one_pack
from auditor.flow import TCP, Bools, Direction, Flows, Ints, Role, Rows, Seen
from auditor.frozen import frozen
from auditor.once import once

if TYPE_CHECKING:
    from auditor.checks.base import Context
    from auditor.rulepack import EnabledPack, Service

BEFORE, AFTER = np.iinfo(np.int64).min, np.iinfo(np.int64).max


@frozen
class DataConnections:
    """Data connections that were answered, and what is known of their control sessions."""

    rows: Rows
    has_start: Bools  # the SYN or SYN-ACK was captured, so `start_ns` is the start
    alive: Bools  # a control session of that client was open then
    closed_ns: Ints  # when the last of those that were open then closed; AFTER: one of them did not, as far as captured
    exact: Bools  # the session that announced the data connection is known, and `closed_ns` is its own


@once
def data_connections(flows: Flows, context: Context) -> DataConnections:
    """The data connections of all packs that negotiate them, in the order of their rows."""
    parts = [_of_pack(flows, context, enabled) for enabled in context.packs if _negotiated(enabled)]
    none = np.empty(0, np.int64)
    rows = np.concatenate([part.rows for part in parts] or [none.astype(np.intp)])
    order = np.argsort(rows, kind="stable")
    return DataConnections(
        rows=rows[order],
        has_start=np.concatenate([part.has_start for part in parts] or [none.astype(np.bool_)])[order],
        alive=np.concatenate([part.alive for part in parts] or [none.astype(np.bool_)])[order],
        closed_ns=np.concatenate([part.closed_ns for part in parts] or [none])[order],
        exact=np.concatenate([part.exact for part in parts] or [none.astype(np.bool_)])[order],
    )


def _negotiated(enabled: EnabledPack) -> list[Service]:
    return [service for service in enabled.pack.services if service.negotiated_by is not None]


def _of_pack(flows: Flows, context: Context, enabled: EnabledPack) -> DataConnections:
    negotiated = _negotiated(enabled)
    roles = {service.negotiated_by for service in negotiated}
    controls = [service for service in enabled.pack.services if service.role in roles]
    rows = np.flatnonzero(one_pack(context, enabled)[flows.vendor] & (flows.protocol == TCP))
    service = flows.service[rows]
    is_data = np.isin(service, _codes(context, negotiated)) & (flows.role[rows] == Role.DATA)
    is_data &= (flows.direction[rows] == Direction.OUTBOUND) & answered(flows, rows)
    # A control session of which only the server's packets were captured is one, too.
    is_control = np.isin(service, _codes(context, controls)) & (flows.role[rows] != Role.INBOUND)
    is_control &= answered(flows, rows)
    data, control = rows[is_data], rows[is_control] if is_data.any() else rows[:0]
    data_end, control_end = ends(flows, data), ends(flows, control)
    client = group(
        np.concatenate([data_end.client_hi, control_end.client_hi]),
        np.concatenate([data_end.client_lo, control_end.client_lo]),
    )
    opened = np.where(control_end.known_opener, flows.start_ns[control] - REORDERING_NS, BEFORE)
    closed = np.where(_is_closed(control_end), flows.end_ns[control], AFTER)
    last_close = _last_close(client[len(data) :], opened, closed, client[: len(data)], flows.start_ns[data])
    own_close = _own_close(context, data, control, closed)
    earliest = flows.start_ns[data] - REORDERING_NS
    exact = own_close >= earliest  # one that was used after its session's end is tied to no session
    last_close = np.where(exact, own_close, last_close)
    return DataConnections(
        rows=data,
        has_start=data_end.known_opener,
        alive=last_close >= earliest,
        closed_ns=last_close,
        exact=exact,
    )


def _own_close(context: Context, data: Rows, control: Rows, closed: Ints) -> Ints:
    """When the session closed that announced each data connection; BEFORE where none is known to have done so."""
    found = np.full(len(data), BEFORE, np.int64)
    announced = context.negotiation.control
    if not len(announced) or not len(control):
        return found
    at = np.minimum(np.searchsorted(control, announced[data]), len(control) - 1)
    known = control[at] == announced[data]
    found[known] = closed[at[known]]
    return found


def _codes(context: Context, services: list[Service]) -> list[int]:
    names = {service.id for service in services}
    return [code for code, name in enumerate(context.labels.services) if name in names]


def _is_closed(control: Ends) -> Bools:
    """Closed by both ends, or reset by one."""
    fin = has(control.client_seen, Seen.FIN) & has(control.server_seen, Seen.FIN)
    return fin | has(control.client_seen | control.server_seen, Seen.RST | Seen.FIN_RST)


def _last_close(client: Rows, opened: Ints, closed: Ints, asking: Rows, times: Ints) -> Ints:
    """The latest close of the sessions that each asking client had opened by its time; BEFORE if it had opened none.

    One search for all: the sessions stand sorted by client and opening, with the latest close so far beside each. The
    client's number and the rank of a time make one key that sorts like the pair.
    """
    if not len(client):
        return np.full(len(asking), BEFORE, np.int64)
    order = np.lexsort((opened, client))
    client, opened, closed = client[order], opened[order], closed[order]
    by_close = np.sort(closed)
    span = len(by_close) + 1
    latest = np.maximum.accumulate(client * span + np.searchsorted(by_close, closed))
    by_opening = np.sort(opened)
    keys = client * span + np.searchsorted(by_opening, opened, side="right")
    found = np.searchsorted(keys, asking * span + np.searchsorted(by_opening, times, side="right"), side="right") - 1
    at = np.maximum(found, 0)
    own = (found >= 0) & (client[at] == asking)
    return np.where(own, by_close[latest[at] - client[at] * span], BEFORE)
