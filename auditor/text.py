"""Text that comes from captures, made harmless for terminals."""

from __future__ import annotations

TYPE_CHECKING = False  # see `auditor`
if TYPE_CHECKING:
    from typing import Any


def printable(text: str) -> str:
    """`text` with each character that a terminal could obey, or that hides others, replaced by its escape.

    Escape sequences, control characters, line ends, bidirectional overrides and lone surrogates become
    backslash escapes; all that can be seen stays. One line stays one line.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def harmless(value: Any) -> Any:
    """The same lists and mappings with `printable` texts: JSON's own escapes end where somebody decodes them."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: harmless(inner) for key, inner in value.items()}
    return [harmless(inner) for inner in value] if isinstance(value, list) else value
