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


def purposes(count: int, events: Events, negotiation: Negotiation) -> Codes:
    """`Purpose` of each of `count` flows: that of the first transfer asked for after its endpoint was announced."""
    found = np.zeros(count, np.uint8)
    rows = np.flatnonzero(negotiation.endpoint >= 0)
    transfers = events.of("ftp-transfer")
    if not len(rows) or not len(transfers):
        return found
    codes = np.array([PURPOSES[events.text[event]] for event in transfers.tolist()], np.uint8)
    endpoints = negotiation.endpoints
    of_transfer = _next_in_flow(events, endpoints.event, transfers)
    next_endpoint = _next_in_flow(events, endpoints.event, endpoints.event)
    last = len(events)
    begun = np.where(of_transfer >= 0, transfers[of_transfer], last)
    superseded = np.where(next_endpoint >= 0, endpoints.event[next_endpoint], last)
    told = np.where(begun < superseded, codes[np.maximum(of_transfer, 0)], Purpose.UNKNOWN)
    found[rows] = told[negotiation.endpoint[rows]]
    return found


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
