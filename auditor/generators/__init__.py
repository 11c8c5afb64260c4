"""Generators of files that are made from others; see `auditor.generate`."""

from __future__ import annotations

from typing import Protocol


class Write(Protocol):
    """Hands over one generated file: its path from the project's root and its text."""

    def __call__(self, path: str, text: str) -> None: ...
