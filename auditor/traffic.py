"""The traffic summary: flows, packets and bytes by class of traffic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from auditor.frozen import frozen

if TYPE_CHECKING:
    from auditor.flow import Bools, Flows, Rows
    from auditor.flow import Words as Column

CLASSES = ("control", "data", "registration", "gui", "support", "proxy", "return", "inbound", "unpublished", "other")
ALL = slice(None)
UNDIVIDED = ("inbound", "unpublished", "other")  # both directions stand under the name


@frozen
class Amount:
    """How much of one class."""

    flows: int = 0  # that contribute packets
    packets: int = 0
    bytes: int = 0  # IP lengths

    def __add__(self, more: Amount) -> Amount:
        return Amount(self.flows + more.flows, self.packets + more.packets, self.bytes + more.bytes)


def traffic_summary(flows: Flows | None, totals: Mapping[str, Any]) -> dict[str, Amount]:
    """Amounts of all CLASSES, from whole, classified flows and what the engine counted without keeping it.

    Client→server packets stand under their flow's role; server→client packets of what the client opened under `return`.
    Of what the outside opened, of `unpublished` and of `other` both directions stand under that name.
    """
    amounts = dict.fromkeys(CLASSES, Amount())
    amounts["other"] = Amount(totals["unwanted_flows"], totals["unwanted_packets"], totals["unwanted_bytes"])
    if flows is None or not len(flows):
        return amounts
    import numpy as np

    from auditor.distinct import distinct
    from auditor.flow import Direction, Role

    # Most flows are `other`, and a resolver's concern no vendor: neither has a client to tell apart.
    nobody = (flows.role == Role.OTHER) | (flows.role == Role.RESOLVER)
    amounts["other"] += _amount(_both(flows), nobody)
    rows = np.flatnonzero(~nobody)
    ours, role, called_in = (
        flows.client_is_initiator[rows],
        flows.role[rows],
        flows.direction[rows] == Direction.INBOUND,
    )
    both = _both(flows, rows)
    to_server = (
        np.where(ours, flows.packets_forward[rows], flows.packets_reverse[rows]),
        np.where(ours, flows.bytes_forward_ip[rows], flows.bytes_reverse_ip[rows]),
    )
    to_client = both[0] - to_server[0], both[1] - to_server[1]
    for code in distinct(role).tolist():
        name, here = Role(code).name.lower(), role == code
        undivided = here if name in UNDIVIDED else here & called_in
        divided = here & ~undivided
        amounts[name] += _amount(both, undivided) + _amount(to_server, divided)
        amounts["return"] += _amount(to_client, divided)
    return amounts


def _both(flows: Flows, rows: Rows | slice = ALL) -> tuple[Column, Column]:
    """Packets and bytes of both directions."""
    return (
        flows.packets_forward[rows] + flows.packets_reverse[rows],
        flows.bytes_forward_ip[rows] + flows.bytes_reverse_ip[rows],
    )


def _amount(columns: tuple[Column, Column], rows: Bools) -> Amount:
    packets, size = columns[0][rows], columns[1][rows]
    return Amount(int((packets > 0).sum()), int(packets.sum()), int(size.sum()))
