"""Standard input: `tcpdump -w - | auditor audit -`."""

from __future__ import annotations

import sys

from auditor.errors import CaptureError
from auditor.sources import STANDARD_INPUT


def accepts(word: str) -> bool:
    return word == STANDARD_INPUT


def files(word: str) -> list[str]:
    if sys.stdin is None:
        raise CaptureError("standard input is closed; expected a capture there")
    if sys.stdin.isatty():
        raise CaptureError(
            "standard input is a terminal; expected a capture", help="tcpdump -w - -c 10000 | auditor audit -"
        )
    return [word]
