"""How long to wait before the next try."""

from __future__ import annotations

import random

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 120.0
"""A receiver that comes back is used again after two minutes at the latest."""


class Backoff:
    """Waits that double, each somewhere between half of it and all: many sensors do not come back in one moment."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self.chance = chance or random.Random()  # noqa: S311  # spreads load, guards nothing
        self.tries = 0

    def next(self, asked: float | None = None) -> float:
        """Seconds to wait now; `asked`: what the receiver wants, heard up to the longest wait."""
        longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(self.tries, 30))
        self.tries += 1
        wait = longest * self.chance.uniform(0.5, 1.0)
        return wait if asked is None else max(wait, min(asked, LONGEST_SECONDS))

    def reset(self) -> None:
        self.tries = 0
