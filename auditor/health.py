"""What the captures can and cannot carry. A clean verdict needs captures that lost nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# A scan is one-sided when of its TCP flows that carried data or a handshake at most one in this many shows both
# directions: a SPAN port that copies one direction only still lets a stray local conversation through.
from auditor.frozen import frozen

ONE_SIDED_RATIO = 50


@frozen
class Health:
    """What the captures can and cannot carry, over all of them."""

    start_ns: int  # the first packet; 0 without packets
    end_ns: int  # the last packet; 0 without packets
    packets: int
    one_sided: bool  # (nearly) no flow of the whole scan shows both directions, though enough flows could
    complete: bool  # nothing cut, dropped, unreadable
    captures: tuple[Mapping[str, Any], ...]  # as the engine reports them, in order of reading

    def losses(self) -> list[str]:
        """Why no clean verdict is possible, one line for each reason; empty for sound captures."""
        reasons = [line for capture in self.captures for line in capture_losses(capture)]
        if self.captures and self.packets == 0:
            reasons.append("no packets at all")
        if self.one_sided:
            reasons.append("only one direction of the traffic was captured")
        return reasons


def health_of(captures: Sequence[Mapping[str, Any]], totals: Mapping[str, Any]) -> Health:
    """Health from the engine's `captures` and `totals` after the last batch."""
    seen = [capture for capture in captures if capture["packets"]]
    half_seen, two_way = totals["half_seen_flows"], totals["two_way_flows"]
    return Health(
        start_ns=min((capture["first_ns"] for capture in seen), default=0),
        end_ns=max((capture["last_ns"] for capture in seen), default=0),
        packets=totals["packets"],
        one_sided=half_seen > 0 and two_way * ONE_SIDED_RATIO <= half_seen,
        complete=not any(capture_losses(capture) for capture in captures),
        captures=tuple(captures),
    )


def both_sides(inside: Health, outside: Health) -> Health:
    """The health of two scans together: what either lost is lost."""
    return Health(
        start_ns=inside.start_ns,
        end_ns=inside.end_ns,
        packets=inside.packets + outside.packets,
        one_sided=inside.one_sided or outside.one_sided,
        complete=inside.complete and outside.complete,
        captures=inside.captures + outside.captures,
    )


def capture_losses(capture: Mapping[str, Any]) -> list[str]:
    """What was lost of one capture: unreadable, cut, dropped, or hidden by a problem."""
    name = capture["path"]
    if capture["error"]:
        return [f"{name}: {capture['error']}"]
    hiding = [problem for problem in capture["problems"] if problem["hides_traffic"]]
    reasons = []
    if capture["drops"] and not any(problem["name"] == "packets-dropped" for problem in hiding):
        reasons.append(f"{name}: {capture['drops']} packets dropped while capturing")
    reasons += [f"{name}: {problem['message']} ({_times(problem['count'])})" for problem in hiding]
    if not capture["complete"] and not hiding:
        reasons.append(f"{name}: it ends before its end")
    return reasons


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
