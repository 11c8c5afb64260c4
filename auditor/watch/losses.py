"""Losses of a live capture: by cause, in all and since the last health event, and what they do to a verdict."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from auditor.errors import CaptureError
from auditor.formats import time_text
from auditor.health import health_of
from auditor.watch.limits import problems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor._engine import Tick
    from auditor.health import Health
    from auditor.watch.options import Options

LOST = "interface-lost"  # the problem of an interface that scapy can read no more
CAUSES = ("kernel", "interface", "freezes", "down")
# Ours: limits of the engine, by what found no room.
ROOM = (
    "flows_lost",
    "evicted_flows",
    "quotes_dropped",
    "events_dropped",
    "fragment_limit_reached",
    "stream_limits_reached",
    "scan_pairs_forgotten",
    "evidence_lost",
)


class Losses:
    """The state of the sources as of the latest tick."""

    def __init__(self, options: Options) -> None:
        self._tolerated = options.drops_tolerated
        self._tick: Tick | None = None
        self._captures: list[dict[str, Any]] = []
        self._totals: Mapping[str, int] = {}
        self._sniffed: Mapping[str, Sequence[dict[str, Any]]] = {}
        self._before: dict[str, int] = {"packets": 0, "bytes": 0, "drops": 0, "ours": 0}
        self._since_ns = 0
        self._worst_over = 0  # intervals in which more was lost than is tolerated

    def take(self, tick: Tick, sniffed: Mapping[str, Sequence[dict[str, Any]]] | None = None) -> None:
        """Note the latest counters. `sniffed`: problems of interfaces that scapy reads, which counts no drops."""
        self._tick, self._totals, self._sniffed = tick, tick.totals, sniffed or {}
        pairs = zip(tick.captures, tick.sources, strict=True)
        self._captures = [self._weighed(capture, state) for capture, state in pairs]
        self._since_ns = self._since_ns or tick.now_ns or time.time_ns()

    @property
    def away(self) -> frozenset[str]:
        """Interfaces that are down or gone now."""
        return frozenset(name for name, one in self.fields()["interfaces"].items() if one["is_away"])

    def require_something(self) -> None:
        """Raises: CaptureError if no source could be read at all."""
        if self._captures and all(capture["error"] and not capture["packets"] for capture in self._captures):
            raise CaptureError("\n".join(f"{capture['path']}: {capture['error']}" for capture in self._captures))

    @property
    def captures(self) -> Sequence[Mapping[str, Any]]:
        return self._captures

    def health(self, reached: Mapping[str, int]) -> Health:
        """For the judgement: what the captures can carry. `reached`: limits; the first capture tells of them."""
        captures = self._captures
        if captures and (told := problems(reached)):
            captures = [{**captures[0], "problems": [*captures[0]["problems"], *told]}, *captures[1:]]
        return health_of(captures, self._totals)

    def interval(self, now_ns: int) -> dict[str, Any]:
        """Counters of the time since the last call, which begins the next interval. In it the losses are weighed."""
        sums = self._sums()
        found: dict[str, Any] = {name: sums[name] - self._before[name] for name in sums}
        found["since"] = time_text(self._since_ns)
        lost = found["drops"]
        tolerable = lost <= self._tolerated * (found["packets"] + lost) and not self._sniffed
        found["complete"] = tolerable and found["ours"] == 0
        self._worst_over += not found["complete"]
        self._before, self._since_ns = sums, now_ns
        return found

    def fields(self) -> dict[str, Any]:
        """Counters since the beginning, by interface and in all."""
        tick = self._tick
        states = [] if tick is None else tick.sources
        return {
            **self._sums(),
            "incomplete_intervals": self._worst_over,
            "interfaces": {
                str(capture["path"]): {
                    "packets": capture["packets"],
                    "bytes": capture["bytes"],
                    "drops": {} if capture["path"] in self._sniffed else {cause: state[cause] for cause in CAUSES},
                    "away": round(state["away"], 3),
                    "is_away": state["is_away"] or any(problem["name"] == LOST for problem in capture["problems"]),
                }
                for capture, state in zip(self._captures, states, strict=True)
            },
        }

    def limits(self) -> dict[str, int]:
        """Limits of the engine that were reached, with how much found no room."""
        return {name.replace("_", "-"): self._totals[name] for name in ROOM if self._totals.get(name)}

    def _sums(self) -> dict[str, int]:
        captures = self._captures
        return {
            "packets": sum(capture["packets"] for capture in captures),
            "bytes": sum(capture["bytes"] for capture in captures),
            "drops": sum(capture["drops"] for capture in captures),
            "ours": self._totals.get("flows_lost", 0),
        }

    def _weighed(self, capture: dict[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
        """The capture with what of its losses is tolerated, and with what else its source met."""
        lost = capture["drops"]
        # A loss that one interval found too much is not made up by a month of quiet.
        tolerated = 0 if self._worst_over else int(self._tolerated * (capture["packets"] + lost))
        met = [*capture["problems"], *self._sniffed.get(capture["path"], ())]
        if state["down"]:
            met.append(
                {
                    "name": "interface-down",
                    "count": state["down"],
                    "frame": 0,
                    "offset": 0,
                    "message": f"the interface was down or gone, for {state['away']:.1f} s in all; "
                    "what passed meanwhile was not seen",
                    "hides_traffic": True,
                }
            )
        hidden = any(problem["hides_traffic"] for problem in met) or lost > tolerated
        complete = capture["complete"] and not hidden
        if not state["ended"] and not hidden and not capture["error"]:
            complete = True  # it goes on: that it has no end yet is no loss
        return {**capture, "problems": met, "drops_tolerated": tolerated, "complete": complete}
