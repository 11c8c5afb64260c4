"""A pattern that the shell left alone, as in `'captures/2026-*.pcapng'`; `**` means any depth."""

from __future__ import annotations

import os

from auditor.errors import CaptureError

MAGIC = frozenset("*?[")


def accepts(word: str) -> bool:
    return not MAGIC.isdisjoint(word) and "://" not in word and not os.path.exists(word)


def files(word: str) -> list[str]:
    import glob  # most calls name their files

    found = sorted(path for path in glob.glob(word, recursive=True) if not os.path.isdir(path))
    if not found:
        raise CaptureError(f"{word}: no file matches this pattern")
    return found
