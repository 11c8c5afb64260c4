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
        return WORDS[self._name_]


class Outcome(IntEnum):
    """attempt: not answered or refused; open: answered by SYN-ACK or data; observed: neither applies."""

    OBSERVED = 0
    ATTEMPT = 1
    OPEN = 2

    @property
    def word(self) -> str:
        return WORDS[self._name_]


# Thousands of findings ask for their words: `name` is a property of Python's own, and slow.
WORDS = {one.name: one.name.lower() for kind in (Severity, Outcome) for one in kind}
