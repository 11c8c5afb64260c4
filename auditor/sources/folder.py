"""All captures of a folder and the folders below it, by path.

A file counts by its first bytes, whatever its name; a compressed one by its name, for its bytes say nothing of what
is in it, and so does an empty one: whoever captures has made it, and its packets are still to come.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from auditor.errors import CaptureError

PCAP = (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34)
PCAPNG = (0x0A0D0D0A,)
MAGICS = frozenset(number.to_bytes(4, order) for number in PCAP + PCAPNG for order in ("big", "little"))
COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18", b"\xfd7zX", b"BZh")
NAMES = (".pcap", ".pcapng", ".cap", ".dmp", ".ntar", ".trace")


def accepts(word: str) -> bool:
    return os.path.isdir(word)


def files(word: str) -> list[str]:
    found = sorted(_captures_below(word))
    if not found:
        raise CaptureError(
            f"{word}: this folder holds no capture", help="name the files if they are captures all the same"
        )
    return found


def _captures_below(folder: str) -> Iterator[str]:
    for here, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in names:
            path = os.path.join(here, name)
            if not name.startswith(".") and os.path.isfile(path) and _is_capture(path):
                yield path


def _is_capture(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            start = file.read(4)
    except OSError:
        return path.lower().endswith(NAMES)  # to be reported as unreadable, rather than left out in silence
    unsaid = not start or start.startswith(COMPRESSED)
    return start in MAGICS or (unsaid and any(part in path.lower() for part in NAMES))
