"""A watch: from the engine's ticks to events, and at the end to a report."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

from auditor.errors import WatchError
from auditor.formats import time_text
from auditor.pipeline import judge_nothing, local_day
from auditor.request import CAPTURE, Request, input_files
from auditor.result import Audit
from auditor.scan import ScanOptions, audit_options
from auditor.site import Site
from auditor.watch.losses import Losses
from auditor.watch.options import RING, Options, are_sniffed
from auditor.watch.permission import watch_error
from auditor.watch.telling import Telling
from auditor.watch.tick import OnTick, Publish, Tick, ignore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor import _engine
    from auditor.health import Health
    from auditor.result import Judged
    from auditor.rulepack import EnabledPack
    from auditor.watch.evidence import Evidence
    from auditor.watch.judging import Judging
    from auditor.watch.sniffing import Sniffers

LOOK_INTERVAL = 0.2  # seconds between two looks at whether to stop, to reload or to tell of the health
# Judging takes at most this share of the time: what a tick cannot do, the next one does for both.
BUSY_SHARE = 0.5
# Seconds without a packet from which on that is told: a watch that has just begun lacks nothing.
SILENCE = 5.0


class Watch:
    """Watches interfaces until it is stopped. `-` is a capture on standard input, a path one in a file.

    Capture begins at once. Raises: WatchError where it cannot; its help is the command or unit line that lets it.
    """

    def __init__(
        self,
        interfaces: Sequence[str],
        packs: tuple[EnabledPack, ...],
        site: Site | None = None,
        options: Options | None = None,
        *,
        request: Request | None = None,
        publish: Publish = ignore,
        on_tick: OnTick = ignore,
    ) -> None:
        """`request`: which packs and site were asked for, for the report's manifest."""
        self._options = options or Options()
        self._request = (request or Request())._replace(
            inputs=tuple(input_files(interfaces, CAPTURE)),
            keep_duplicates=self._options.keep_duplicates,
            vlan=self._options.vlan,
        )
        self._packs, self._site_given = packs, site
        self._publish, self._on_tick = publish, on_tick
        self._losses = Losses(self._options)
        self._telling = Telling(self._options)
        self._judging: Judging | None = None  # from the first tick on that concerns a vendor
        self._whole: Judged | None = None
        self._totals: dict[str, int] = _empty_totals()
        self._now_ns = time.time_ns()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._next: tuple[tuple[EnabledPack, ...], Site | None] | None = None
        self._began = time.monotonic()
        self._sniffers, self._engine = self._start(interfaces)
        self._evidence = self._keep_evidence()

    def run(self, duration: float | None = None) -> None:
        """Watch until `stop`, the end of all files, or for `duration` seconds.

        Raises: CaptureError where files are watched and none of them can be read at all.
        """
        began = time.monotonic()
        health_due = began  # the first tick tells that capture has begun
        fresh = False
        while True:
            fresh |= self._reload()
            over = duration is not None and time.monotonic() - began >= duration
            if over or self._stop.is_set():
                if self._sniffers is not None:
                    self._sniffers.close()
                self._engine.stop()
            tick = self._engine.next_tick(LOOK_INTERVAL)
            if tick is not None:
                busy = time.monotonic()
                before = self._losses.away
                self._losses.take(tick, self._sniffers.problems() if self._sniffers is not None else None)
                self._tell_of_absence(before)
                if tick.last:
                    self._losses.require_something()
                self._take(tick, again=fresh)
                fresh = False
                if tick.last:
                    self._end()
                    return
                busy = time.monotonic() - busy
                if busy > self._options.tick * BUSY_SHARE:
                    self._stop.wait(busy / BUSY_SHARE - busy)
            if self._whole is not None and time.monotonic() >= health_due:
                health_due = time.monotonic() + self._options.health_interval
                self._tell_health()

    def stop(self) -> None:
        """End `run` after one more judgement. From any thread, or a signal handler."""
        self._stop.set()

    def reload(self, packs: tuple[EnabledPack, ...], site: Site | None) -> None:
        """Judge by these from the next tick on, what is in the judged rows as well. From any thread."""
        with self._lock:
            self._next = packs, site

    def report(self) -> Audit:
        """What `audit` would say of all that passed, after `run`; before, of all so far."""
        health = self._health()
        judged = self._whole or judge_nothing(self._packs, self._totals, health)
        return Audit(
            health=health,
            enabled_packs=self._packs,
            site_given=self._site_given,
            judged=judged,
            fail_on=self._options.fail_on,
            allow_incomplete=self._options.allow_incomplete,
            request=self._request._replace(as_of=local_day(self._now_ns)),
        )

    def _start(self, interfaces: Sequence[str]) -> tuple[Sniffers | None, _engine.Watching]:
        """Open everything, and begin to capture."""
        from auditor import _engine

        start = getattr(_engine, "watch", None)
        if start is None:
            raise WatchError(
                f"{interfaces[0]}: live capture needs a Unix",
                help="elsewhere: dumpcap -i INTERFACE -w FILE.pcapng, and then auditor audit FILE.pcapng",
            )
        streams = [word for word in interfaces if word == "-" or os.path.isfile(word) or _is_pipe(word)]
        live = [word for word in interfaces if word not in streams]
        options = self._options
        sniffed = live if are_sniffed(options.source) else []
        if sniffed and options.kernel_filter:
            raise WatchError(f"{sniffed[0]}: scapy reads it, and cannot let the kernel filter")
        sniffers: Sniffers | None = None
        if sniffed:
            from auditor.watch.sniffing import Sniffers

            sniffers = Sniffers(sniffed, options.ring_bytes)
        try:
            engine: _engine.Watching = start(
                [] if sniffed else live,
                feeds=sniffed,
                streams=streams,
                tick=options.tick,
                ring_bytes=options.ring_bytes,
                room={**options.room, "ACTIVE_FLOWS": options.active_flows},
                keep_duplicates=options.keep_duplicates,
                vlan=options.vlan,
                evidence=options.evidence
                and (
                    str(options.evidence / RING),
                    options.evidence_bytes,
                    options.evidence_age,
                    options.evidence_flow_bytes,
                ),
                **self._aim(),
            )
            if sniffers is not None:
                sniffers.start(engine.take_feeds())
        except OSError as error:
            failure = watch_error(error)
        except WatchError as error:
            failure = error
        else:
            return sniffers, engine
        if sniffers is not None:
            sniffers.close()
        raise failure

    def _aim(self) -> dict[str, Any]:
        """What the engine is to look for."""
        from auditor import _engine

        found: ScanOptions = audit_options(self._packs, self._site)
        wishes = None if found.listening is None else _engine.Wishes(**found.listening._asdict())
        return {
            "networks": found.networks,
            "ports": found.ports,
            "wishes": wishes,
            "kernel_filter": self._options.kernel_filter,
        }

    @property
    def _site(self) -> Site:
        return self._site_given or Site()

    def _reload(self) -> bool:
        with self._lock:
            found, self._next = self._next, None
        if found is None:
            return False
        self._packs, self._site_given = found
        self._engine.aim(**self._aim())
        return True

    def _take(self, tick: _engine.Tick, *, again: bool) -> None:
        """Judge what a tick brought, and tell of it."""
        self._now_ns = tick.now_ns or time.time_ns()
        self._totals = tick.totals
        whole = self._whole = self._judge(tick, again=again)
        judging = self._judging
        alive, forgotten = (set(), set()) if judging is None else (judging.alive(), judging.take_forgotten())
        told = list(self._telling.events(whole.findings, alive, self._now_ns, forgotten=forgotten, last=tick.last))
        if self._evidence is not None:
            for _, finding in told:
                self._evidence.want(finding)
        changed = [event for event, _ in told]
        for event in changed:
            self._publish(event)
        self._on_tick(
            Tick(
                time_ns=self._now_ns,
                health=self._health_fields(),
                findings=whole.findings,
                changed=changed,
                sessions=whole.sessions,
                coverage=whole.coverage,
            )
        )

    def _judge(self, tick: _engine.Tick, *, again: bool) -> Judged:
        """The judgement with this tick. Until one concerns a vendor there is nothing to judge, as in an audit."""
        health = self._health()
        if self._judging is None and (_says_something(tick) or self._is_lossy(health, tick)):
            from auditor.watch.judging import Judging

            self._judging = Judging(self._options)
        if self._judging is None:
            return judge_nothing(self._packs, self._totals, health)
        return self._judging.take(tick, self._now_ns, health, self._packs, self._site, again=again)

    def _is_lossy(self, health: Health, tick: _engine.Tick) -> bool:
        """Whether there are losses to tell of."""
        if not health.packets and not tick.last and time.monotonic() - self._began < SILENCE:
            return False
        return bool(health.losses())

    def _end(self) -> None:
        if self._evidence is not None and self._whole is not None:
            for finding in self._whole.findings:
                self._evidence.want(finding)
            self._evidence.close()
        self._tell_health()

    def _keep_evidence(self) -> Evidence | None:
        folder = self._options.evidence
        if folder is None:
            return None
        from auditor.watch.evidence import Evidence

        return Evidence(folder, self._options)

    def _health(self) -> Health:
        return self._losses.health(self._limits())

    def _limits(self) -> dict[str, int]:
        """Limits that were reached, with how much found no room."""
        return {
            **self._losses.limits(),
            **({} if self._judging is None else self._judging.dropped),
            **({} if self._evidence is None else self._evidence.dropped),
        }

    def _health_fields(self) -> dict[str, Any]:
        judging = self._judging
        return {
            **self._losses.fields(),
            "flows": {
                "active": self._totals.get("active_flows", 0),
                "judged": 0 if judging is None else judging.rows,
                "retired": 0 if judging is None else judging.retired,
                "evicted": self._totals.get("evicted_flows", 0),
            },
            "limits": self._limits(),
            "complete": not self._health().losses(),
        }

    def _tell_of_absence(self, before: frozenset[str]) -> None:
        """Say which interfaces have gone or come back."""
        now = self._losses.away
        for name in sorted(before ^ now):
            told = "is down or gone: what passes there is not seen until it is back" if name in now else "is back"
            self._publish(
                {
                    "event": "notice",
                    "name": "interface-down" if name in now else "interface-up",
                    "time": time_text(time.time_ns()),
                    "severity": "medium" if name in now else "info",
                    "message": f"{name}: {told}",
                    "count": None,
                }
            )

    def _tell_health(self) -> None:
        interval = self._losses.interval(self._now_ns)
        self._publish(
            {
                "event": "health",
                "time": time_text(time.time_ns()),
                **self._health_fields(),
                "interval": interval,
            }
        )


def _is_pipe(word: str) -> bool:
    import stat

    try:
        return stat.S_ISFIFO(os.stat(word).st_mode)
    except OSError:
        return False


def _says_something(tick: _engine.Tick) -> bool:
    """Whether a tick holds anything that a later judgement may need."""
    return bool(tick.rows or tick.events["kind"] or tick.quotes["flow_id"] or tick.port_scans)


def _empty_totals() -> dict[str, int]:
    return dict.fromkeys(("unwanted_flows", "unwanted_packets", "unwanted_bytes"), 0)
