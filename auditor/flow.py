"""The flow table inside the program: n flows as columns.

Columns are numpy arrays of length n, one element per flow; `Flows` only holds them together. The
engine fills the first group, `classify` the second. Public tables (pandas) are made from it at the edge,
in `auditor.tables`, so that an audit from the command line does not pay for importing pandas.

Addresses are 128-bit numbers, IPv4 as ::ffff:a.b.c.d, split in two unsigned 64-bit columns: an IPv4 address has
`hi == 0` and `lo == IPV4_MAPPED | address`.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from auditor.frozen import field, frozen, replace

Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint64]
Codes: TypeAlias = NDArray[np.uint8]
Ports: TypeAlias = NDArray[np.uint16]
Counts: TypeAlias = NDArray[np.uint32]
Rows: TypeAlias = NDArray[np.intp]

IPV4_MAPPED = 0xFFFF_0000_0000

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58


class Basis(IntEnum):
    """How the initiator was told (contract: `initiator_basis`)."""

    FIRST_PACKET = 0
    SYN = 1
    SYN_ACK = 2
    PROTOCOL = 3
    PORT = 4


class State(IntEnum):
    """Zeek's conn_state, in the engine's order."""

    OTH = 0
    S0 = 1
    S1 = 2
    SF = 3
    REJ = 4
    S2 = 5
    S3 = 6
    RSTO = 7
    RSTR = 8
    RSTOS0 = 9
    RSTRH = 10
    SH = 11
    SHR = 12


class Seen(IntFlag):
    """Kinds of packets that one end sent, a bit for each of Zeek's history letters."""

    SYN = 1  # S: SYN without ACK
    SYN_ACK = 2  # H
    ACK = 4  # A: pure ACK
    DATA = 8  # D: payload
    FIN = 16  # F
    RST = 32  # R
    BAD_CHECKSUM = 64  # C
    GAP = 128  # G
    RETRANSMISSION = 256  # T
    ZERO_WINDOW = 512  # W
    FIN_RST = 1024  # I
    ODD = 2048  # Q: SYN with FIN or RST


class Role(IntEnum):
    """Contract: role of a flow."""

    OTHER = 0
    CONTROL = 1
    DATA = 2
    REGISTRATION = 3
    GUI = 4
    SUPPORT = 5
    PROXY = 6
    RESOLVER = 7
    INBOUND = 8
    RETURN = 9
    UNPUBLISHED = 10


class RoleBasis(IntEnum):
    """Contract: what a role rests on. NONE for role `other`."""

    NONE = 0
    PORT = 1
    NEGOTIATED = 2
    INFERRED = 3
    VOLUME = 4
    PROXY = 5


class Direction(IntEnum):
    """Who started it, seen from inside. NEITHER: both ends inside, both outside, or not told."""

    NEITHER = 0
    OUTBOUND = 1
    INBOUND = 2


@frozen
class Flows:
    """n flows. Indexing with a mask or with row numbers gives the flows chosen, as `Flows`."""

    # from the engine; forward = initiator → responder
    flow_id: Words  # pieces of one flow share it
    piece: Counts  # 0 for the first row of a flow, then 1, 2, … for pieces that go on after silence
    start_ns: Ints
    end_ns: Ints
    version: Codes  # 4 or 6
    protocol: Codes  # IP protocol number
    initiator_hi: Words
    initiator_lo: Words
    responder_hi: Words
    responder_lo: Words
    initiator_port: Ports  # ICMP: type
    responder_port: Ports  # ICMP: the answering type, or the code, as Zeek puts them
    basis: Codes  # Basis
    state: Codes  # State
    seen_forward: Ports  # Seen bits of the initiator
    seen_reverse: Ports  # Seen bits of the responder
    history: NDArray[np.bytes_]  # Zeek's letters
    packets_forward: Words
    packets_reverse: Words
    bytes_forward_ip: Words
    bytes_reverse_ip: Words
    payload_forward: Words
    payload_reverse: Words
    missed_bytes: Words
    retransmitted_forward: Counts
    retransmitted_reverse: Counts
    last_data_ns: Ints  # time of the last packet with payload either way; 0 if none
    first_frame: Words
    last_frame: Words
    syn_frame: Words  # the initiator's first SYN; 0 if not seen
    capture: Counts  # index of the capture with first_frame and syn_frame
    last_capture: Counts  # index of the capture with last_frame
    process: Counts  # index into `Context.process_names`: whose the flow is; 0 = not told
    vlan: Words  # up to 4 tags of 16 bits, 0x8000 | id, outermost highest
    tunnel: Words  # up to 8 encapsulation codes, outermost highest
    community_id: NDArray[np.bytes_]  # 20 raw bytes of the SHA-1

    # from classify; indexes into `Labels` where noted
    vendor: Ports = field(default_factory=lambda: np.empty(0, np.uint16))  # Labels.vendors; 0 = none
    service: Ports = field(default_factory=lambda: np.empty(0, np.uint16))  # Labels.services; 0 = none
    role: Codes = field(default_factory=lambda: np.empty(0, np.uint8))
    role_basis: Codes = field(default_factory=lambda: np.empty(0, np.uint8))
    direction: Codes = field(default_factory=lambda: np.empty(0, np.uint8))
    # The client is the end that is not the vendor's; of `other` flows the inside end, or else the initiator.
    client_is_initiator: Bools = field(default_factory=lambda: np.empty(0, np.bool_))

    def __len__(self) -> int:
        return len(self.start_ns)

    def __getitem__(self, rows: Bools | Rows) -> Flows:
        columns = {name: getattr(self, name) for name in self.__match_args__}
        return Flows(**{name: column[rows] if len(column) else column for name, column in columns.items()})

    def with_columns(self, **columns: NDArray[np.generic]) -> Flows:
        """The same flows with these columns in place of the old ones."""
        return replace(self, **columns)
