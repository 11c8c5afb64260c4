"""A host and a port, as documents write them: `logs.example:6514`, `[2001:db8::9]:25`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from auditor.ports import parse_port
from auditor.scalars import Scalar


@dataclass(frozen=True, slots=True)
class HostPort:
    """Where to connect to, or to listen."""

    host: str
    """A name or an address, IPv6 without brackets."""
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether it can be reached from this machine alone."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


def has_labels(host: str) -> bool:
    """Whether each part between the dots is as long as names may be; others cannot be looked up. RFC 1035, 2.3.4."""
    return all(1 <= len(label) <= 63 for label in host.removesuffix(".").split("."))


def read_host_port(text: str) -> HostPort:
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r} is no host with a port; expected brackets around an IPv6 address")
    if not colon or not re.fullmatch("[A-Za-z0-9_.:-]{1,253}", host) or not has_labels(host):
        raise ValueError(f"{text!r} is no host with a port; expected name:port or address:port")
    return HostPort(host, parse_port(port))


HostAndPort: TypeAlias = Annotated[HostPort, Scalar(read_host_port, {"type": "string"})]
