"""One connection of a host, and the program that owns it."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from auditor.flow import IPV4_MAPPED, TCP, UDP

PROTOCOLS = {"tcp": TCP, "udp": UDP}
ALTERNATIVES = "|"  # between the names of several programs that hold one connection
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_PORT = 65_535
MAX_NAME = 256  # characters of a program's name that are kept


class Connection(NamedTuple):
    """A record of a host. Addresses are 128-bit numbers, IPv4 as ::ffff:a.b.c.d."""

    protocol: int
    local: int
    local_port: int
    remote: int
    remote_port: int
    time_ns: int | None  # since 1970, when it was so; None: at a time not told
    program: str  # file name; several joined by `ALTERNATIVES`


def address_number(text: str) -> int:
    """The number of an address, whatever zone it has. Raises: ValueError."""
    address = ipaddress.ip_address(text.partition("%")[0].strip("[]"))
    return IPV4_MAPPED | int(address) if address.version == 4 else int(address)


def port_number(text: str) -> int:
    """Raises: ValueError."""
    if text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= LAST_PORT:
        return int(text)
    raise ValueError(f"{text!r} is no port number")


def nanoseconds(moment: datetime) -> int:
    """Since 1970, exact."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def file_name(path: str) -> str:
    """The last part of a path of either kind of system, at most MAX_NAME characters of it."""
    return path.replace("\\", "/").rpartition("/")[2][:MAX_NAME]
