"""What a watch tells: events as they come, and the state after each judgement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from auditor.frozen import frozen

if TYPE_CHECKING:
    from auditor.coverage import Coverage
    from auditor.finding import Finding
    from auditor.sessions import Session

# As JSON writes it. `event` is `opened`, `updated`, `closed` (beside the fields of a finding as in the report),
# `health` (beside the fields of `Tick.health`) or `notice` (with `name`, `severity` and `message`: an interface went or
# came); `time` is when it was told, ISO 8601 UTC with nanoseconds.
Event = Mapping[str, object]


@frozen
class Tick:
    """The state after one judgement. Plain records that nobody changes afterwards."""

    time_ns: int
    # `packets`, `bytes`, `drops` in all; `interval` with the same of the time since the last health event;
    # `interfaces`: for each name `packets`, `bytes`, drops by cause (`kernel`, `interface`, `freezes`, `down`; none
    # where scapy reads and nobody knows), for how many seconds it was down or gone (`away`), whether it is (`is_away`);
    # `flows`: `judged`, `retired`, `evicted`; `limits`: names of limits that were reached, with counts;
    # `complete`: whether drops still allow a clean verdict.
    health: Mapping[str, Any]
    findings: Sequence[Finding]  # all of the watch, worst first
    changed: Sequence[Event]  # the finding events of this tick, as they were published
    sessions: Sequence[Session]  # all that are known, by start
    coverage: Sequence[Coverage]  # of the watch so far


Publish = Callable[[Event], None]
OnTick = Callable[[Tick], None]


def ignore(_: object) -> None:
    """For whoever wants to hear nothing."""
