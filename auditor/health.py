"""What the captures can and cannot carry. A clean verdict needs captures that lost nothing.

Every report begins with `capture_health(health)`: one `CaptureHealth` a capture, in order of reading, each with a
state and its problems in the contract's form. Nothing is left out there and nothing else has to be asked: duplicates,
joined VLANs, disorder, offload, snap length, drops, cuts, captures that cannot be read, one direction only: all are
problems. A report shows the state, then each problem's name, count and message; those that hide traffic come first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from auditor.frozen import frozen
from auditor.lean import NamedTuple

# A scan is one-sided when of its TCP flows that carried data or a handshake at most one in this many shows both
# directions: a SPAN port that copies one direction only still lets a stray local conversation through.
ONE_SIDED_RATIO = 50


UNREADABLE, DROPPED, ONE_SIDED = "capture-unreadable", "packets-dropped", "one-sided"
PROBLEM_KEYS = ("name", "count", "frame", "offset", "message", "hides_traffic")

State = Literal["sound", "noted", "incomplete", "unreadable"]
SOUND: State = "sound"
NOTED: State = "noted"
INCOMPLETE: State = "incomplete"
UNREADABLE_STATE: State = "unreadable"


class CaptureHealth(NamedTuple):
    """One capture as a report shows it.

    state: `sound`; `noted`: something was odd, and nothing is missing; `incomplete`: part of the traffic is missing;
    `unreadable`. problems: with the keys of PROBLEM_KEYS; frame and offset are None where a problem has no place.
    """

    path: str
    state: State
    problems: tuple[Mapping[str, Any], ...]  # those that hide traffic first


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


def capture_health(health: Health) -> list[CaptureHealth]:
    """How each capture fared, in order of reading."""
    fared = []
    one_sided = health.one_sided
    for capture in health.captures:
        problems = capture_problems(capture)
        if one_sided and capture["packets"]:
            problems.insert(0, one_direction())
            one_sided = False
        if capture["error"]:
            state = UNREADABLE_STATE
        elif capture_losses(capture) or any(problem["hides_traffic"] for problem in problems):
            state = INCOMPLETE
        else:
            state = NOTED if problems else SOUND
        fared.append(CaptureHealth(capture["path"], state, tuple(problems)))
    return fared


def capture_problems(capture: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The problems of one capture in the contract's form, those that hide traffic first."""
    problems = [{key: problem[key] for key in PROBLEM_KEYS} for problem in capture["problems"]]
    if capture["error"]:
        problems.insert(0, _of_the_whole(UNREADABLE, 1, capture["error"]))
    if capture["drops"]:
        message = "packets were dropped while capturing, as the capture itself says"
        problems.append(_of_the_whole(DROPPED, capture["drops"], message))
    return sorted(problems, key=lambda problem: not problem["hides_traffic"])


def one_direction() -> dict[str, Any]:
    """The problem of a scan that shows one direction only; it stands with the first capture that has packets."""
    return _of_the_whole(ONE_SIDED, 1, "only one direction of the traffic was captured")


def _of_the_whole(name: str, count: int, message: str) -> dict[str, Any]:
    return {"name": name, "count": count, "frame": None, "offset": None, "message": message, "hides_traffic": True}


def capture_losses(capture: Mapping[str, Any]) -> list[str]:
    """What was lost of one capture: unreadable, cut, dropped, or hidden by a problem."""
    name = capture["path"]
    if capture["error"]:
        return [f"{name}: {capture['error']}"]
    hiding = [problem for problem in capture["problems"] if problem["hides_traffic"]]
    reasons = []
    if capture["drops"] > capture.get("drops_tolerated", 0) and not any(
        problem["name"] == "packets-dropped" for problem in hiding
    ):
        reasons.append(f"{name}: {capture['drops']} packets dropped while capturing")
    reasons += [f"{name}: {problem['message']} ({_times(problem['count'])})" for problem in hiding]
    if not capture["complete"] and not hiding:
        reasons.append(f"{name}: it ends before its end")
    return reasons


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
