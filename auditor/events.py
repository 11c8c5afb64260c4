"""What was read of payloads: events of conversations, and samples, as columns.

The engine reads FTP control connections, proxies' handshakes and answers about host names, and keeps neither user names
nor secrets. An event belongs to a flow by its `flow_id`; events stand in the order in which they were seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditor.flow import Bools, Codes, Counts, Flows, Ints, Ports, Rows, Words
from auditor.frozen import frozen

# The engine's kinds of events. What `flag`, `number`, `port`, the address, `text` and `more` say depends on the kind.
KINDS = (
    "ftp-greeting",
    "ftp-auth",  # text: tls, ssl or other; flag: accepted
    "ftp-user",
    "ftp-pass",
    "ftp-login",  # flag: accepted
    "ftp-passive",  # address (none: the server's) and port announced; flag: by EPSV's 229
    "ftp-active",  # address and port; number: 1 for EPRT; flag: accepted
    "ftp-unreadable-endpoint",  # number: reply code, 0 for PORT and EPRT
    "ftp-transfer",  # text: stor, appe, stou, retr, list, nlst or mlsd; flag: accepted
    "ftp-transfer-done",  # flag: complete
    "ftp-secured-data",  # flag: private
    "ftp-quit",
    "ftp-closing",  # number: reply code
    "ftp-opaque",  # encrypted from here on; flag: no AUTH came before
    "ftp-clear",  # readable again
    "tls-client-hello",  # text: server name; number: highest version; flag: in SSL 2 framing
    "tls-server-hello",  # number: version
    "socks-request",  # number: 4 or 5; address, or name in text; port; more: (connect | bind | udp-associate,)
    "socks-reply",  # flag: granted; to a bind twice: the proxy listens, and somebody has connected
    # address, or name in text, and port of a relayed datagram's far end, once a flow for each; flag: from the client
    "socks-datagram",
    "socks-credentials",
    "http-connect",  # address, or name in text; port
    "http-connect-reply",  # number: status
    "proxy-authorization",  # flag: Basic
    "http-other",
    "dns-query",  # text: name; number: type
    "dns-answer",  # text: name; number: type << 8 | code; more: "name …" and "address …"; flag: truncated
    "protocol-error",  # text: protocol; more: (what,)
    "lost",  # text: protocol; bytes are missing that its parser needs
    "limit",  # text: name of the limit
)
CODES = {kind: code for code, kind in enumerate(KINDS)}

ID_TABLE = 1 << 20  # places for the lowest bits of flow ids: a megabyte, and hundreds of thousands of ids stay apart

NUMBERS = {
    "flow_id": "<u8",
    "time_ns": "<i8",
    "frame": "<u8",
    "capture": "<u4",
    "flag": "i1",
    "number": "<u4",
    "port": "<u2",
    "has_address": "u1",
    "address_hi": "<u8",
    "address_lo": "<u8",
}
SAMPLES = {
    "flow_id": "<u8",
    "bytes_forward": "<u4",
    "bytes_reverse": "<u4",
    "entropy_forward": "<f8",
    "entropy_reverse": "<f8",
    "is_tls_forward": "u1",
    "is_tls_reverse": "u1",
}


@frozen
class Events:
    """n events in the order in which they were seen. Events of flows that no check can concern may be among them."""

    flow_id: Words
    time_ns: Ints
    frame: Words
    capture: Counts  # index of the capture with `frame`
    flag: NDArray[np.int8]  # 1, 0; -1: not known yet, or not meant
    number: Counts
    port: Ports
    has_address: Bools
    address_hi: Words
    address_lo: Words
    kind: Codes  # index in KINDS
    text: tuple[str, ...]
    more: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.kind)

    @classmethod
    def none(cls) -> Events:
        """No events."""
        return events_of({})

    def of(self, *kinds: str) -> Rows:
        """Numbers of the events of these kinds, in order."""
        asked = np.zeros(1 << 8, np.bool_)
        asked[[CODES[kind] for kind in kinds]] = True
        return np.flatnonzero(asked[self.kind])

    def take(self, rows: Rows) -> Events:
        """The events with these numbers."""
        numbers = {name: getattr(self, name)[rows] for name in (*NUMBERS, "kind")}
        chosen = rows.tolist()
        return Events(
            **numbers,
            text=tuple(self.text[row] for row in chosen),
            more=tuple(self.more[row] for row in chosen),
        )

    def rows_in(self, flows: Flows) -> Rows:
        """For each event the row of its flow; -1 where it is not among the flows."""
        return rows_of_ids(self.flow_id, flows)


@frozen
class Samples:
    """Payload samples of n TCP flows: up to 64 KiB or so of each direction."""

    flow_id: Words
    bytes_forward: Counts  # sampled bytes of what the initiator sent
    bytes_reverse: Counts
    entropy_forward: NDArray[np.float64]  # Shannon, bits a byte
    entropy_reverse: NDArray[np.float64]
    is_tls_forward: Bools  # the stream is made of TLS records
    is_tls_reverse: Bools

    def __len__(self) -> int:
        return len(self.flow_id)

    @classmethod
    def none(cls) -> Samples:
        """No samples."""
        return samples_of({})

    def rows_in(self, flows: Flows) -> Rows:
        """For each sample the row of its flow; -1 where it is not among the flows."""
        return rows_of_ids(self.flow_id, flows)


def events_of(columns: Mapping[str, Any]) -> Events:
    """The engine's events as columns; what is not there is empty."""
    numbers = {name: np.frombuffer(columns.get(name, b""), kind) for name, kind in NUMBERS.items()}
    kinds: Iterable[str] = columns.get("kind", ())
    return Events(
        **{**numbers, "has_address": numbers["has_address"].astype(np.bool_)},
        kind=np.array([CODES[kind] for kind in kinds], np.uint8),
        text=tuple(columns.get("text", ())),
        more=tuple(tuple(more) for more in columns.get("more", ())),
    )


def samples_of(columns: Mapping[str, Any]) -> Samples:
    """The engine's samples as columns; what is not there is empty."""
    found = {name: np.frombuffer(columns.get(name, b""), kind) for name, kind in SAMPLES.items()}
    sampled: dict[str, Any] = {
        name: column.astype(np.bool_) if name.startswith("is_") else column for name, column in found.items()
    }
    return Samples(**sampled)


def rows_of_ids(flow_ids: Words, flows: Flows) -> Rows:
    """The row of each flow id among whole flows, which have one row each; -1 where there is none."""
    found = np.full(len(flow_ids), -1, np.intp)
    if not len(flow_ids):
        return found
    # Only flows whose id ends like one that is asked for have to be put in order.
    asked = np.zeros(ID_TABLE, np.bool_)
    asked[flow_ids & (ID_TABLE - 1)] = True
    near = np.flatnonzero(asked[flows.flow_id & (ID_TABLE - 1)])
    if not len(near):
        return found
    order = near[np.argsort(flows.flow_id[near], kind="stable")]
    ids = flows.flow_id[order]
    at = np.minimum(np.searchsorted(ids, flow_ids), len(ids) - 1)
    known = ids[at] == flow_ids
    found[known] = order[at[known]]
    return found
