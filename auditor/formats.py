"""How numbers of the flow table are written in reports, one at a time: addresses, times, flow ids."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

IPV4_MAPPED = 0xFFFF_0000_0000
SECOND_NS = 1_000_000_000
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # in UTC; without a zone its text has none either


@lru_cache(maxsize=4096)  # a report names the same few ends again and again
def address_text(hi: int, lo: int) -> str:
    """An address from its upper and lower 64 bits: dotted for IPv4, RFC 5952 for IPv6."""
    if hi == 0 and lo >> 32 == 0xFFFF:
        return f"{lo >> 24 & 0xFF}.{lo >> 16 & 0xFF}.{lo >> 8 & 0xFF}.{lo & 0xFF}"
    import socket  # takes 4 ms, which IPv4 need not pay

    return socket.inet_ntop(socket.AF_INET6, (hi << 64 | lo).to_bytes(16, "big"))


def time_text(ns: int) -> str:
    """ISO 8601 in UTC with nanoseconds. `ns`: since 1970."""
    seconds, rest = divmod(ns, SECOND_NS)
    return f"{_second_text(seconds)}.{rest:09d}Z"


def now_text() -> str:
    """This second, as `time_text` writes it."""
    import time

    return _second_text(int(time.time())) + "Z"


@lru_cache(maxsize=1024)  # beginning, end and evidence of a finding often lie in one second
def _second_text(seconds: int) -> str:
    return (EPOCH + timedelta(seconds=seconds)).isoformat()


def flow_id_text(number: int) -> str:
    return f"{number:016x}"
