"""Rows of the flow table, and the whole flows that they are pieces of.

The table splits a flow after silence, as Zeek does. Checks judge the whole: an idle control session is one session.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditor.distinct import distinct
from auditor.flow import TCP, UDP, Codes, Counts, Flows, Ports, Rows, Seen, State

SUMS = (
    "packets_forward",
    "packets_reverse",
    "bytes_forward_ip",
    "bytes_reverse_ip",
    "payload_forward",
    "payload_reverse",
    "missed_bytes",
    "retransmitted_forward",
    "retransmitted_reverse",
)
LAST = ("last_frame", "last_capture")  # taken from the last piece
CLASSIFIED = ("vendor", "service", "role", "role_basis", "direction", "client_is_initiator")


def whole_flows(rows: Flows) -> tuple[Flows, Rows]:
    """The whole flows, in the order of their first rows, and for each row the flow that it belongs to.

    Counters are summed, times span all pieces, seen bits are united. Who opened a flow, its ids,
    ports and tags are its first piece's; state and history are those of the whole: the first piece's beginning and the
    last piece's end.
    """
    if not rows.piece.any():
        return rows, np.arange(len(rows), dtype=np.intp)
    # only flows with several pieces need joining; most rows are whole already
    split = np.flatnonzero(np.isin(rows.flow_id, distinct(rows.flow_id[rows.piece > 0])))
    order = split[np.lexsort((rows.start_ns[split], rows.piece[split], rows.flow_id[split]))]
    starts = np.flatnonzero(np.r_[True, rows.flow_id[order][1:] != rows.flow_id[order][:-1]])
    lasts = np.r_[starts[1:], len(order)] - 1
    joined = _join(rows, order, starts, lasts)
    keep = np.ones(len(rows), np.bool_)
    keep[order] = False
    keep[order[starts]] = True
    kept = np.flatnonzero(keep)
    position = np.cumsum(keep) - 1
    flow_of_row = position.astype(np.intp)
    flow_of_row[order] = np.repeat(position[order[starts]], lasts - starts + 1)
    whole = rows[kept]  # a copy: nobody else sees what is set here
    at = position[order[starts]]
    for name, values in joined.items():
        getattr(whole, name)[at] = values
    return whole, flow_of_row


def classified_rows(rows: Flows, whole: Flows, flow_of_row: Rows) -> Flows:
    """The rows with what was found of the whole flows."""
    if rows is whole or len(rows) == len(whole):
        return rows.with_columns(**{name: getattr(whole, name) for name in CLASSIFIED})
    return rows.with_columns(**{name: getattr(whole, name)[flow_of_row] for name in CLASSIFIED})


def _join(rows: Flows, order: Rows, starts: Rows, lasts: Rows) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {name: np.add.reduceat(getattr(rows, name)[order], starts) for name in SUMS}
    for name in ("end_ns", "last_data_ns"):
        columns[name] = np.maximum.reduceat(getattr(rows, name)[order], starts)
    for name in ("seen_forward", "seen_reverse"):
        columns[name] = np.bitwise_or.reduceat(getattr(rows, name)[order], starts)
    for name in LAST:
        columns[name] = getattr(rows, name)[order[lasts]]
    columns["process"] = _first_told(rows.process[order], starts)
    columns["history"] = _histories(rows, order, starts, lasts)
    columns["state"] = _states(rows, order[starts], order[lasts], columns["seen_forward"], columns["seen_reverse"])
    return columns


def _first_told(codes: Counts, starts: Rows) -> Counts:
    """The first code but 0 of each flow; 0 where all are."""
    places = np.where(codes != 0, np.arange(len(codes)), len(codes))
    first: Counts = np.append(codes, np.uint32(0))[np.minimum.reduceat(places, starts)]
    return first


def _histories(rows: Flows, order: Rows, starts: Rows, lasts: Rows) -> NDArray[np.bytes_]:
    """Letters of all pieces in order, each once: what was written is written at its first occurrence."""
    joined = []
    for first, last in zip(starts, lasts, strict=True):
        letters = b"".join(rows.history[order[first : last + 1]].tolist())
        # "^" speaks of the first piece only: later ones take over its direction
        joined.append(bytes(dict.fromkeys(letters)))
    return np.array(joined, rows.history.dtype)


def _states(rows: Flows, first: Rows, last: Rows, forward: Ports, reverse: Ports) -> Codes:
    """conn_state of the whole. A later piece lacks the handshake, which the first has shown; its end is the whole's."""
    state = rows.state[last].astype(np.int64)
    tcp, udp = rows.protocol[first] == TCP, rows.protocol[first] == UDP
    sent, answered = (forward & Seen.DATA) != 0, (reverse & Seen.DATA) != 0
    opened = tcp & ((forward & Seen.SYN) != 0) & ((reverse & Seen.SYN_ACK) != 0)
    ended_forward = (rows.seen_forward[last] & Seen.FIN) != 0
    ended_reverse = (rows.seen_reverse[last] & Seen.FIN) != 0
    reset_forward = (rows.seen_forward[last] & Seen.RST) != 0
    reset_reverse = (rows.seen_reverse[last] & Seen.RST) != 0
    rules = [
        (opened & reset_reverse, State.RSTR),
        (opened & reset_forward, State.RSTO),
        ((ended_forward & ended_reverse) | (udp & sent & answered), State.SF),
        (udp & sent, State.S0),
        (udp & answered, State.SHR),
        (opened & ended_forward, State.S2),
        (opened & ended_reverse, State.S3),
        (opened, State.S1),
    ]
    whole = np.select([condition for condition, _ in rules], [int(value) for _, value in rules], default=state)
    return whole.astype(np.uint8)
