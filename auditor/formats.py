"""How numbers of the flow table are written in reports, one at a time: addresses, times, flow ids."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

IPV4_MAPPED = 0xFFFF_0000_0000
SECOND_NS = 1_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def address_text(hi: int, lo: int) -> str:
    """An address from its upper and lower 64 bits: dotted for IPv4, RFC 5952 for IPv6."""
    if hi == 0 and lo >> 32 == 0xFFFF:
        return socket.inet_ntop(socket.AF_INET, (lo & 0xFFFF_FFFF).to_bytes(4, "big"))
    return socket.inet_ntop(socket.AF_INET6, (hi << 64 | lo).to_bytes(16, "big"))


def time_text(ns: int) -> str:
    """ISO 8601 in UTC with nanoseconds. `ns`: since 1970."""
    seconds, rest = divmod(ns, SECOND_NS)
    return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def flow_id_text(number: int) -> str:
    return f"{number:016x}"
