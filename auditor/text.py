"""Text that comes from captures, made harmless for terminals."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with each character that a terminal could obey, or that hides others, replaced by its escape.

    Escape sequences, control characters, line ends, bidirectional overrides and lone surrogates become
    backslash escapes; all that can be seen stays. One line stays one line.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
