"""What reaching a limit of a watch means, as a report tells it: nothing that found no room may look clean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Meaning(NamedTuple):
    """What a report says of a limit, and whether something may be missing in it for that."""

    message: str
    hides_traffic: bool


SPOKEN = "what was said in flows found no room"
QUOTED = "what ICMP errors quote found no room"
KEPT = "packets of findings were not kept for want of room"

# By the name that health events have. Streams with holes and fragments that are given up tell it where they are read.
MEANINGS = {
    "flows-lost": Meaning("flows that had ended found no room and were not judged", True),
    "evicted-flows": Meaning("flows were ended early for want of room", False),
    "judged-flows": Meaning("flows left the judgement early for want of room", False),
    "events-dropped": Meaning(SPOKEN, True),
    "window-events": Meaning(SPOKEN, True),
    "quotes-dropped": Meaning(QUOTED, True),
    "window-quotes": Meaning(QUOTED, True),
    "scan-pairs-forgotten": Meaning(
        "pairs of hosts were forgotten for want of room: a port scan may go unnoticed", False
    ),
    "port-scans": Meaning("port scans found no room", False),
    "unlisted-findings": Meaning("findings found no room and are not listed", True),
    "known-findings": Meaning("findings of flows that had left found no room and are not listed", True),
    "known-sessions": Meaning("sessions found no room and are not listed", False),
    "evidence-lost": Meaning(KEPT, False),
    "evidence-bytes": Meaning(KEPT, False),
    "evidence-waiting": Meaning(KEPT, False),
    "evidence-not-written": Meaning("packets of findings could not be written", False),
}


def problems(reached: Mapping[str, int]) -> list[dict[str, Any]]:
    """Problems of a capture, in the contract's form, for limits that were reached."""
    return [
        {"name": name, "count": reached[name], "frame": 0, "offset": 0, **meaning._asdict()}
        for name, meaning in MEANINGS.items()
        if reached.get(name)
    ]
