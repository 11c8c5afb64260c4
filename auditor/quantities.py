"""Lengths of time and amounts of bytes, as people write them in a document."""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeAlias

from auditor.scalars import Scalar

SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
BYTES: Final = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
TIME_PATTERN: Final = "^[0-9]{1,6}[smhd]$"
SIZE_PATTERN: Final = "^[0-9]{1,6}[KMGT]$"


def read_time(text: str) -> int:
    """Seconds, from `30s`, `10m`, `2h` or `90d`."""
    if not re.fullmatch(TIME_PATTERN, text):
        raise ValueError(f"{text!r} is no length of time; expected a number with s, m, h or d, as 30s or 90d")
    return int(text[:-1]) * SECONDS[text[-1]]


def read_time_from_one(text: str) -> int:
    """Seconds, at least one."""
    seconds = read_time(text)
    if not seconds:
        raise ValueError(f"{text!r} is no time at all; expected 1s or more")
    return seconds


def read_size(text: str) -> int:
    """Bytes, from `64K`, `10M`, `2G` or `1T`, which are powers of 1024."""
    if not re.fullmatch(SIZE_PATTERN, text) or not int(text[:-1]):
        raise ValueError(f"{text!r} is no size; expected a number with K, M, G or T, as 64M or 2G")
    return int(text[:-1]) * BYTES[text[-1]]


Time: TypeAlias = Annotated[int, Scalar(read_time, {"type": "string", "pattern": TIME_PATTERN})]
"""Seconds; may be none."""
Period: TypeAlias = Annotated[int, Scalar(read_time_from_one, {"type": "string", "pattern": TIME_PATTERN})]
"""Seconds, at least one."""
Size: TypeAlias = Annotated[int, Scalar(read_size, {"type": "string", "pattern": SIZE_PATTERN})]
"""Bytes."""


def size_text(size: float) -> str:
    """An amount of bytes for people: `512 B`, `1.5 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def time_text(seconds: float) -> str:
    """A length of time for people, in its two largest units: `1d 2h`, `45s`."""
    rest, parts = round(seconds), []
    for unit in ("d", "h", "m", "s"):
        number, rest = divmod(rest, SECONDS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts[:2]) or "0s"
