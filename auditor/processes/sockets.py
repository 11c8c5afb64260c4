r"""Output of `ss -tnpi` (iproute2): sockets of a Linux host, with the programs that hold them.

A snapshot says nothing of its time. A line with a time alone, as `date -Ins` writes it, tells that of the sockets
after it, so that snapshots can be taken one after the other:

    while sleep 5; do date -Ins; ss -tnpi; done > processes.txt
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from auditor.processes.connection import ALTERNATIVES, PROTOCOLS, Connection, address_number, nanoseconds, port_number

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)")
_HOLDER = re.compile(r'\("([^"]*)",pid=')
_HOLDERS = "users:(("
_HEADERS = ("state", "netid")
_NOBODY = "*"


def is_sockets(text: str) -> bool:
    """Whether this looks like output of ss."""
    return _HOLDERS in text or any(line.lower().startswith(_HEADERS) for line in text.splitlines()[:3])


def connections(text: str) -> Iterator[Connection]:
    """Connections with a known holder. Raises: ValueError, with the line."""
    time_ns: int | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line[0].isspace() or line.lower().startswith(_HEADERS):
            continue  # header, or further details (-i) of the socket before
        if _TIME.fullmatch(line.strip()):
            time_ns = nanoseconds(datetime.fromisoformat(line.strip()))
            continue
        try:
            found = _connection(line, time_ns)
        except ValueError as problem:
            raise ValueError(f"line {number}: {problem}; expected a socket as `ss -tnpi` shows it") from None
        if found is not None:
            yield found


def _connection(line: str, time_ns: int | None) -> Connection | None:
    words = line.partition(_HOLDERS)[0].split()
    protocol = PROTOCOLS["tcp"]
    if words and words[0] in PROTOCOLS:
        protocol = PROTOCOLS[words.pop(0)]
    if len(words) < 5:
        raise ValueError("state, two queues and two addresses are missing")
    (local, _, local_port), (remote, _, remote_port) = words[3].rpartition(":"), words[4].rpartition(":")
    holders = dict.fromkeys(name for name in _HOLDER.findall(line) if name)
    if remote_port == _NOBODY or not holders:
        return None  # listens, or ends without an owner
    ends = (address_number(local), port_number(local_port), address_number(remote), port_number(remote_port))
    return Connection(protocol, *ends, time_ns, ALTERNATIVES.join(holders))
