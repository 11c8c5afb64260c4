"""Places in a document, as messages write them."""

from __future__ import annotations

from typing import TypeAlias

from auditor.words import SHOWN

Place: TypeAlias = tuple[str | int, ...]
"""Keys and list indexes that lead to a value; () is the whole document."""


def path(place: Place) -> str:
    """A place as it is written in messages: `services[0].ports`; keys that are no plain words stand in brackets."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("-", "").replace("_", "").isalnum():
            text += f".{shortened(part)}" if text else shortened(part)
        else:
            text += f'["{shortened(part)}"]'
    return text


def shortened(text: str) -> str:
    """`text` on one line, not too long for a message."""
    text = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return text if text.isprintable() else repr(text)[1:-1]
