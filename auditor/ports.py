"""Port ranges."""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeAlias

from auditor.frozen import frozen
from auditor.scalars import Scalar

LAST_PORT: Final = 65535


@frozen
class PortRange:
    """Ports from `first` to `last`, both belonging to it."""

    first: int
    last: int

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def parse_ports(text: str) -> PortRange:
    """A range from `16384` or `20000-60000`; ValueError if it is none."""
    match = re.fullmatch(r"([0-9]{1,5})(?: ?[-\N{EN DASH}] ?([0-9]{1,5}))?", text)
    ends = [int(end) for end in match.groups() if end is not None] if match else []
    if not ends or not all(1 <= end <= LAST_PORT for end in ends):
        raise ValueError(f"{text} is no port; expected 1-65535 or first-last")
    if ends[0] > ends[-1]:
        raise ValueError(f"{text} ends before it begins; expected first-last")
    return PortRange(ends[0], ends[-1])


def parse_port(text: str) -> int:
    """One port; ValueError if it is none."""
    ports = parse_ports(text)
    if ports.first != ports.last:
        raise ValueError(f"{text} are several ports; expected one")
    return ports.first


Port: TypeAlias = Annotated[int, Scalar(parse_port, {"type": "integer", "minimum": 1, "maximum": LAST_PORT})]
Ports: TypeAlias = Annotated[
    PortRange,
    Scalar(
        parse_ports,
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": LAST_PORT},
                {"type": "string", "pattern": "^[0-9]{1,5}( ?[-\N{EN DASH}] ?[0-9]{1,5})?$"},
            ],
            "description": "a port or first-last",
        },
    ),
]
"""A port range as a field of a document."""
