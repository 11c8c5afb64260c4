"""What data connections were for, where the control session that announced them says so."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from auditor.flow import Codes, Rows

if TYPE_CHECKING:
    from auditor.events import Events
    from auditor.negotiation import Negotiation


class Purpose(IntEnum):
    """What a data connection carries."""

    UNKNOWN = 0
    UPLOAD = 1
    DOWNLOAD = 2
    LISTING = 3  # of files, not a file


PURPOSES = {
    "stor": Purpose.UPLOAD,
    "appe": Purpose.UPLOAD,
    "stou": Purpose.UPLOAD,
    "retr": Purpose.DOWNLOAD,
    "list": Purpose.LISTING,
    "nlst": Purpose.LISTING,
    "mlsd": Purpose.LISTING,
}


FILES = tuple(word for word, purpose in PURPOSES.items() if purpose != Purpose.LISTING)


def purposes(count: int, events: Events, negotiation: Negotiation) -> Codes:
    """`Purpose` of each of `count` flows: that of the first transfer asked for after its endpoint was announced."""
    found = np.zeros(count, np.uint8)
    transfers = events.of("ftp-transfer")
    announced = announcements(negotiation)
    if not len(transfers) or not len(announced):
        return found
    codes = np.array([PURPOSES[events.text[event]] for event in transfers.tolist()], np.uint8)
    of_transfer = _next_in_flow(events, announced, transfers)
    next_endpoint = _next_in_flow(events, announced, announced)
    last = len(events)
    begun = np.where(of_transfer >= 0, transfers[of_transfer], last)
    superseded = np.where(next_endpoint >= 0, announced[next_endpoint], last)
    told = np.zeros(last, np.uint8)
    told[announced] = np.where(begun < superseded, codes[np.maximum(of_transfer, 0)], Purpose.UNKNOWN)
    for number, endpoints in ((negotiation.endpoint, negotiation.endpoints), (negotiation.called, negotiation.active)):
        rows = np.flatnonzero(number >= 0)
        found[rows] = told[endpoints.event[number[rows]]]
    return found


def announcements(negotiation: Negotiation) -> Rows:
    """Numbers of the events that announced data endpoints, in passive and in active mode, in order."""
    return np.sort(np.concatenate([negotiation.endpoints.event, negotiation.active.event]))


def announced_before(events: Events, negotiation: Negotiation, transfers: Rows) -> Rows:
    """For each transfer the event that announced its endpoint, the last one before it in its flow; -1 without one."""
    announced = announcements(negotiation)
    if not len(announced):
        return np.full(len(transfers), -1, np.intp)
    flow = np.unique(events.flow_id, return_inverse=True)[1]
    span = len(events) + 1
    order = np.argsort(flow[announced] * span + announced, kind="stable")
    keys = (flow[announced] * span + announced)[order]
    found = announced[order[np.maximum(np.searchsorted(keys, flow[transfers] * span + transfers) - 1, 0)]]
    before = (flow[found] == flow[transfers]) & (found < transfers)
    result: Rows = np.where(before, found, -1)
    return result


def _next_in_flow(events: Events, after: Rows, among: Rows) -> Rows:
    """For each event of `after` the place in `among` of the next event of the same flow; -1 where there is none.

    Both are numbers of events in order, which is the order of time within a flow.
    """
    flow = np.unique(events.flow_id, return_inverse=True)[1]
    span = len(events) + 1
    order = np.argsort(flow[among] * span + among, kind="stable")
    keys = (flow[among] * span + among)[order]
    at = np.searchsorted(keys, flow[after] * span + after, side="right")
    found = order[np.minimum(at, len(keys) - 1)]
    same = (at < len(keys)) & (flow[among[found]] == flow[after])
    result: Rows = np.where(same, found, -1)
    return result
