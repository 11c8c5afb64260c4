"""One watch for one part of time, made from what `monitor.yaml` says."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from auditor.frozen import replace
from auditor.monitor.evidence import SHARES
from auditor.monitor.memory import room_of
from auditor.sinks.base import Event

if TYPE_CHECKING:
    from auditor.monitor.config import Loaded
    from auditor.result import Audit
    from auditor.rulepack import EnabledPack
    from auditor.site import Site
    from auditor.watch.tick import Tick


class Watching(Protocol):
    """What is used of `auditor.watch.Watch`."""

    def run(self, duration: float | None = None) -> None: ...
    def stop(self) -> None: ...
    def reload(self, packs: tuple[EnabledPack, ...], site: Site | None) -> None: ...
    def report(self) -> Audit: ...


Publish = Callable[[Event], None]
OnTick = Callable[["Tick"], None]
MakeWatch = Callable[["Judging", Publish, OnTick, Path | None], Watching]


class Judging:
    """What traffic is held against. A reload replaces it as a whole."""

    def __init__(self, loaded: Loaded) -> None:
        """Raises: RulePackError, SiteError, AuditorError."""
        from auditor.rulepack import enable
        from auditor.site import load_site

        self.loaded = loaded
        self.site = None if loaded.site is None else load_site(loaded.site, loaded.packs)
        self.packs = enable(self.site, loaded.packs)


def make_watch(judging: Judging, publish: Publish, on_tick: OnTick, evidence: Path | None) -> Watching:
    """The real one. `evidence`: a folder of its own."""
    from auditor.request import Request
    from auditor.watch import Options, Watch

    monitor = judging.loaded.monitor
    options = Options(
        fail_on=monitor.severity,
        allow_incomplete=monitor.allow_incomplete,
        source=monitor.source,
        kernel_filter=monitor.kernel_filter,
        keep_duplicates=monitor.keep_duplicates,
        vlan=monitor.vlan,
    )
    capped = room_of(monitor).options
    options = replace(options, **capped)
    if monitor.limits is not None:
        limits = monitor.limits
        given: dict[str, Any] = {
            "active_flows": limits.active_flows,
            "window_flows": limits.window_flows,
            "known_findings": limits.known_findings,
            "known_sessions": limits.known_sessions,
            "ring_bytes": limits.ring,
        }
        chosen = {name: value for name, value in given.items() if value is not None}
        options = replace(options, **{name: min(value, capped.get(name, value)) for name, value in chosen.items()})
    if evidence is not None and monitor.evidence is not None:
        options = replace(
            options,
            evidence=evidence,
            evidence_bytes=monitor.evidence.size // SHARES,
            evidence_age=float(monitor.evidence.keep),
            evidence_flow_bytes=monitor.evidence.flow,
        )
    request = Request(packs=tuple(judging.loaded.packs), site=judging.loaded.site)
    return Watch(
        monitor.interfaces,
        judging.packs,
        judging.site,
        options,
        request=request,
        publish=publish,
        on_tick=on_tick,
    )


class Opener:
    """A thread that makes watches, and alone keeps the right to open interfaces when all others give it up."""

    def __init__(self, make: MakeWatch) -> None:
        self._make = make
        self._pool = ThreadPoolExecutor(1, "opener")

    def make(self, judging: Judging, publish: Publish, on_tick: OnTick, evidence: Path | None) -> Watching:
        """As `make_watch`, which see."""
        return self._pool.submit(self._make, judging, publish, on_tick, evidence).result()

    def keep_right(self) -> None:
        """Keep the right to open interfaces, and nothing beside. The thread that calls this gives up all it has."""
        from auditor.watch.permission import give_up_privileges

        self._pool.submit(lambda: give_up_privileges(captures=True)).result()
        give_up_privileges()

    def close(self) -> None:
        """No more watches will be made."""
        self._pool.shutdown()
