"""The engine's batches as flows of ours, and with the vendors' names on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.flow import Flows, Role, RoleBasis, Rows
from auditor.identify import identify
from auditor.lean import NamedTuple
from auditor.pieces import classified_rows, whole_flows

if TYPE_CHECKING:
    from auditor import _engine
    from auditor.checks.base import Labels
    from auditor.events import Events
    from auditor.rulepack import EnabledPack
    from auditor.site import Site

NO_CLIENT = 2  # for the engine: neither end is known as client

# Types of the engine's columns, all little-endian; as at the fields of `Flows`.
WORDS = ("initiator_hi", "initiator_lo", "responder_hi", "responder_lo", "vlan", "tunnel")
TYPES = {
    **dict.fromkeys((*WORDS, "flow_id", "first_frame", "last_frame", "syn_frame", "missed_bytes"), "<u8"),
    **dict.fromkeys(("packets_forward", "packets_reverse", "bytes_forward_ip", "bytes_reverse_ip"), "<u8"),
    **dict.fromkeys(("payload_forward", "payload_reverse"), "<u8"),
    **dict.fromkeys(("start_ns", "end_ns", "last_data_ns"), "<i8"),
    **dict.fromkeys(("piece", "retransmitted_forward", "retransmitted_reverse", "capture", "last_capture"), "<u4"),
    "process": "<u4",
    **dict.fromkeys(("initiator_port", "responder_port", "seen_forward", "seen_reverse"), "<u2"),
    **dict.fromkeys(("version", "protocol", "basis", "state"), "u1"),
    "history": "S24",
    "community_id": "V20",  # raw bytes, zeros at the end count
}


class Labelled(NamedTuple):
    """Classified rows of the flow table, and what their codes mean."""

    flows: Flows
    labels: Labels

    def concerning_vendors(self) -> Rows:
        """Numbers of the rows that a report shows: those of vendors, and of proxies whose targets are not known."""
        return np.flatnonzero((self.flows.vendor != 0) | (self.flows.role == Role.PROXY))

    def for_engine(self) -> _engine.Labels:
        """The labels as the engine writes them into its CSV."""
        from auditor import _engine

        flows, labels = self.flows, self.labels
        client = np.where(flows.role == Role.OTHER, NO_CLIENT, flows.client_is_initiator).astype("u1")
        return _engine.Labels(
            vendors=list(labels.vendors),
            services=list(labels.services),
            roles=[role.name.lower() for role in Role],
            role_bases=[basis.name.lower() if basis else "" for basis in RoleBasis],
            vendor=flows.vendor.astype("<u2").tobytes(),
            service=flows.service.astype("<u2").tobytes(),
            role=flows.role.tobytes(),
            role_basis=flows.role_basis.tobytes(),
            client=client.tobytes(),
        )


def flows_of(columns: Mapping[str, Any]) -> Flows:
    """The rows of a batch, as views of the engine's bytes."""
    return Flows(**{name: np.frombuffer(columns[name], kind) for name, kind in TYPES.items()})


def labelled(flows: Flows, events: Events, packs: Sequence[EnabledPack], site: Site) -> Labelled:
    """The rows with vendor, service and role. Flows that have to do with each other, pieces of one or control and data
    connections, are joined if they are among these rows."""
    whole, flow_of_row = whole_flows(flows)
    identified = identify(whole, events, packs, site)
    return Labelled(classified_rows(flows, identified.flows, flow_of_row), identified.labels)
