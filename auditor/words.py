"""Small helps for messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

CLOSEST: Final = 0.6
"""How alike two words are (0 to 1) for one to be offered in place of the other."""
SHOWN: Final = 60
"""Characters of a user's value that a message repeats."""


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, if one is like it at all."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=CLOSEST)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "…"?` with the known word most like `word`; nothing if none is."""
    close = closest(word, known)
    return "" if close is None else f'; did you mean "{close}"?'


def quoted(value: object) -> str:
    """A user's value in quotes, one line, not too long."""
    text = value if isinstance(value, str) else "a mapping" if isinstance(value, dict) else "a list"
    if not isinstance(value, str):
        return text
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def listed(words: Iterable[str], last: str = "or") -> str:
    """`a, b or c`."""
    *most, final = words
    return f"{', '.join(most)} {last} {final}" if most else final
