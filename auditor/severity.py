"""How bad a finding is, and what became of the connection attempt."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """How bad, in five words. Comparable: INFO < LOW < MEDIUM < HIGH < CRITICAL."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        return self.name.lower()


class Outcome(IntEnum):
    """attempt: not answered or refused; open: answered by SYN-ACK or data; observed: neither applies."""

    OBSERVED = 0
    ATTEMPT = 1
    OPEN = 2

    @property
    def word(self) -> str:
        return self.name.lower()
