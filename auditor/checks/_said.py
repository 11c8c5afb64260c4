"""What conversations said, by the flows that they ran in; and the servers behind proxies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from auditor.checks._select import answered, vendor_table
from auditor.checks.base import Targets
from auditor.events import rows_of_ids
from auditor.flow import Bools, Direction, Flows, Role, Rows
from auditor.negotiation import Reading
from auditor.proxies import Way

if TYPE_CHECKING:
    from auditor.checks.base import Context
    from auditor.rulepack import EnabledPack

NO_ROWS = np.empty(0, np.intp)


def told(flows: Flows, context: Context, *kinds: str) -> tuple[Rows, Rows]:
    """Numbers of the events of these kinds in flows of the table, and the rows of those flows."""
    events = context.events.of(*kinds)
    rows = rows_of_ids(context.events.flow_id[events], flows)
    return events[rows >= 0], rows[rows >= 0]


def in_vendors_flows(flows: Flows, context: Context, *kinds: str) -> tuple[Rows, Rows]:
    """As `told`, of flows of a vendor that the outside did not open."""
    events, rows = told(flows, context, *kinds)
    ours = (flows.vendor[rows] != 0) & (flows.direction[rows] != Direction.INBOUND)
    return events[ours], rows[ours]


def flags(context: Context, events: Rows, value: int) -> Bools:
    """Which of the events have this flag: 1, 0, or -1 where it is not known."""
    found: Bools = context.events.flag[events] == value
    return found


def first_told(events: Rows, rows: Rows) -> tuple[Rows, Rows]:
    """The first of the events of each flow, and the flows."""
    flows, first = np.unique(rows, return_index=True)
    return events[first], flows


def marked(count: int, rows: Rows) -> Bools:
    """Table over `count` flows: whether it is among the rows."""
    found = np.zeros(count, np.bool_)
    found[rows] = True
    return found


def secured(flows: Flows, context: Context) -> Bools:
    """Which flows hold an FTP control session that was encrypted, or whose server agreed to TLS or SSL."""
    found = marked(len(flows), told(flows, context, "ftp-opaque")[1])
    events, rows = told(flows, context, "ftp-auth")
    agreed = flags(context, events, 1) & np.array(
        [context.events.text[at] in ("tls", "ssl") for at in events], np.bool_
    )
    found[rows[agreed]] = True
    return found


def reading(flows: Flows, context: Context) -> Rows:
    """How far the control session in each flow could be read, as `Reading`."""
    found = context.negotiation.reading
    return (found if len(found) else np.zeros(len(flows))).astype(np.intp)


def control_sessions(flows: Flows, context: Context) -> Rows:
    """Answered FTP control sessions of packs that publish their control to be encrypted, proxied ones among them."""
    table = vendor_table(context, publishes_control)
    rows = np.flatnonzero(table[flows.vendor] & (flows.role == Role.CONTROL) & (flows.direction != Direction.INBOUND))
    services = {
        service.id
        for enabled in context.packs
        for service in enabled.pack.services
        if service.role in {other.negotiated_by for other in enabled.pack.services}
    }
    known = [code for code, name in enumerate(context.labels.services) if name in services]
    is_ftp = np.isin(flows.service[rows], known) | (reading(flows, context)[rows] != Reading.NONE)
    chosen: Rows = rows[is_ftp & answered(flows, rows)]
    return chosen


def publishes_control(enabled: EnabledPack) -> bool:
    """Whether the pack says that its control sessions are encrypted."""
    return enabled.pack.encryption is not None and enabled.pack.encryption.control


def publishes_payload(enabled: EnabledPack) -> bool:
    """Whether the pack says that its data is encrypted."""
    return enabled.pack.encryption is not None and enabled.pack.encryption.payload


def statements_of(context: Context, check: str, *statements: str) -> Bools:
    """Table over vendor codes: whether such a statement of the pack names this check among its judges.

    Packs call different things by one name: what one of them says of a login, another says of the data alone.
    """
    return vendor_table(
        context,
        lambda enabled: any(
            check in statement.checked_by for statement in enabled.pack.statements if statement.id in statements
        ),
    )


def through_proxy(flows: Flows, context: Context, *ways: Way) -> Bools:
    """Which flows go through a proxy in one of these ways; in any of them, where none is given."""
    if not len(context.proxied.way):
        return np.zeros(len(flows), np.bool_)
    return np.isin(context.proxied.way, ways or (Way.SOCKS, Way.HTTP, Way.MAPPED))


def targets_of(rows: Rows, context: Context) -> Targets:
    """The servers that flows through proxies lead to."""
    proxied = context.proxied
    names = tuple(proxied.names[at] if at >= 0 else "" for at in proxied.name[rows].tolist())
    return Targets(
        hi=proxied.target_hi[rows],
        lo=proxied.target_lo[rows],
        port=proxied.target_port[rows].astype(np.int64),
        names=names if any(names) else (),
    )


def by_way(flows: Flows, rows: Rows, context: Context) -> Iterator[tuple[Bools, Targets | None]]:
    """The rows that go straight to their server, and those that go through a proxy, with what these lead to."""
    behind = through_proxy(flows, context)[rows]
    if not behind.all():
        yield ~behind, None
    if behind.any():
        yield behind, targets_of(rows[behind], context)
