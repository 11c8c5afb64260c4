"""One file, pipe or device. Whether it is a capture, the engine finds out."""

from __future__ import annotations

import os


def accepts(word: str) -> bool:
    return os.path.exists(word) and not os.path.isdir(word)


def files(word: str) -> list[str]:
    return [word]
