"""The flow table as users see it: the contract's columns, in their order, as plain values.

n flows become n values for each column. Every format gets them from here, except CSV of whole scans: the engine writes
that, faster and equal; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.distinct import distinct
from auditor.flow import Basis, Flows, Role, RoleBasis, Rows, State

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from auditor.checks.base import Labels

TAG_SEEN, TAG_ID = 0x8000, 0x0FFF
TAG_SHIFTS = (48, 32, 16, 0)  # outermost first
CHUNK = 1024  # flows turned into plain values at a time: some 10 kB each, with the text that is made of them


def columns(
    flows: Flows,
    labels: Labels,
    captures: Sequence[str],
    times: Callable[[NDArray[np.int64]], Any] | None = None,
) -> dict[str, Any]:
    """The contract's columns. Times are ISO 8601 UTC, or what `times` makes of nanoseconds since 1970.

    `vlan` is a list; `captures` are the files by index.
    """
    from auditor._engine import format_addresses, format_community_ids, format_tunnel, protocol_name

    version = flows.version.tobytes()
    initiators = format_addresses(version, flows.initiator_hi.tobytes(), flows.initiator_lo.tobytes())
    responders = format_addresses(version, flows.responder_hi.tobytes(), flows.responder_lo.tobytes())
    known, by_client = (flows.role != Role.OTHER).tolist(), flows.client_is_initiator.tolist()
    ends = list(zip(initiators, responders, known, by_client, strict=True))
    names = {number: protocol_name(number) for number in distinct(flows.protocol).tolist()}
    return {
        "flow_id": [f"{number:016x}" for number in flows.flow_id.tolist()],
        "community_id": format_community_ids(flows.community_id.tobytes()),
        "start": (times or iso_times)(flows.start_ns),
        "end": (times or iso_times)(flows.end_ns),
        "duration": ((flows.end_ns - flows.start_ns) / 1e9).tolist(),
        "protocol": named(names, flows.protocol),
        "initiator_ip": initiators,
        "initiator_port": flows.initiator_port.tolist(),
        "responder_ip": responders,
        "responder_port": flows.responder_port.tolist(),
        "initiator_basis": named({basis.value: basis.name.lower().replace("_", "-") for basis in Basis}, flows.basis),
        "state": named({state.value: state.name for state in State}, flows.state),
        "history": [letters.decode("ascii") for letters in flows.history.tolist()],
        "packets_forward": flows.packets_forward.tolist(),
        "packets_reverse": flows.packets_reverse.tolist(),
        "bytes_forward_ip": flows.bytes_forward_ip.tolist(),
        "bytes_reverse_ip": flows.bytes_reverse_ip.tolist(),
        "payload_forward": flows.payload_forward.tolist(),
        "payload_reverse": flows.payload_reverse.tolist(),
        "missed_bytes": flows.missed_bytes.tolist(),
        "retransmitted_forward": flows.retransmitted_forward.tolist(),
        "retransmitted_reverse": flows.retransmitted_reverse.tolist(),
        "vlan": [tags(packed) if packed else [] for packed in flows.vlan.tolist()],
        "tunnel": [format_tunnel(code) if code else "" for code in flows.tunnel.tolist()],
        "first_frame": flows.first_frame.tolist(),
        "syn_frame": [frame or None for frame in flows.syn_frame.tolist()],
        "capture": [captures[index] for index in flows.capture.tolist()],
        "vendor": [labels.vendors[code] for code in flows.vendor.tolist()],
        "service": [labels.services[code] for code in flows.service.tolist()],
        "role": named({role.value: role.name.lower() for role in Role}, flows.role),
        "role_basis": named({b.value: b.name.lower() if b else "" for b in RoleBasis}, flows.role_basis),
        "client_ip": [(first if ours else second) if vendor else None for first, second, vendor, ours in ends],
        "server_ip": [(second if ours else first) if vendor else None for first, second, vendor, ours in ends],
    }


def rows(flows: Flows, labels: Labels, captures: Sequence[str], chosen: Rows | None = None) -> Iterator[dict[str, Any]]:
    """One mapping for each flow, or for each of those `chosen`, in their order."""
    numbers = np.arange(len(flows)) if chosen is None else chosen
    for first in range(0, len(numbers), CHUNK):
        chunk = columns(flows[numbers[first : first + CHUNK]], labels, captures)
        names = tuple(chunk)
        for values in zip(*chunk.values(), strict=True):
            yield dict(zip(names, values, strict=True))


def named(names: dict[int, str], codes: NDArray[np.uint8]) -> list[str]:
    """The name of each code."""
    return [names[code] for code in codes.tolist()]


def iso_times(times_ns: NDArray[np.int64]) -> list[str]:
    """ISO 8601 in UTC with nanoseconds, of n times since 1970."""
    texts: list[str] = np.datetime_as_string(times_ns.astype("datetime64[ns]"), unit="ns").tolist()
    return [text + "Z" for text in texts]


def tags(packed: int) -> list[int]:
    """VLAN ids, outer to inner, of a `vlan` column's value."""
    fields = [(packed >> shift) & 0xFFFF for shift in TAG_SHIFTS]
    return [field & TAG_ID for field in fields if field & TAG_SEEN]
