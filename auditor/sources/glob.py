"""A pattern that the shell left alone, as in `'captures/2026-*.pcapng'`; `**` means any depth."""

from __future__ import annotations

import glob
import os

from auditor.errors import CaptureError


def accepts(word: str) -> bool:
    return glob.has_magic(word) and "://" not in word and not os.path.exists(word)


def files(word: str) -> list[str]:
    found = sorted(path for path in glob.glob(word, recursive=True) if not os.path.isdir(path))
    if not found:
        raise CaptureError(f"{word}: no file matches this pattern")
    return found
