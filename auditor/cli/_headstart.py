"""The head start of a plain call: the engine reads while Python imports.

Which traffic matters follows from the rule packs, and to load them takes as long as to read a hundred thousand
packets. So for the shipped packs and no site the answer is kept in a generated file. If it were stale the scan would
be the wrong one, and `auditor.scan.open_scan` would not take it: a head start can be useless, never wrong.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from auditor.scan import ScanOptions, begin

INTERESTS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "generated", "headstart.json")


def begin_scan(
    captures: Sequence[str],
    packs: Sequence[str],
    site: str | None,
    *,
    all_columns: bool,
    keep_all: bool,
    validate_checksums: bool,
) -> None:
    """Begin the scan that such an audit or flow table will ask for; nothing where that is not known beforehand."""
    if all_columns:
        begin(captures, ScanOptions(validate_checksums=validate_checksums))
        return
    if site is not None or len(packs) > 1:
        return
    with open(INTERESTS, encoding="utf-8") as file:
        interest = json.load(file).get(packs[0] if packs else "")
    if interest is not None:
        networks = tuple((first, last) for first, last in interest["networks"])
        begin(captures, ScanOptions(networks, tuple(interest["ports"]), keep_all, validate_checksums))
