"""Everything behind a watch's `publish` and `on_tick`: sinks, store, status. Both come back at once."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from auditor.delivery.outlet import Outlet
from auditor.formats import time_text
from auditor.monitor.memory import room_of
from auditor.monitor.status import SCHEMA, process_start
from auditor.quantities import time_text as length_text
from auditor.sinks import open_sink
from auditor.sinks.base import Event

if TYPE_CHECKING:
    from auditor.monitor.config import Loaded
    from auditor.result import Audit
    from auditor.store import StoreWriter
    from auditor.store.pending import Part
    from auditor.upcoming import Stretch
    from auditor.watch.tick import Tick


class Feed:
    """One watch's way into the hub: a part of time with its own findings."""

    def __init__(self, hub: Hub, stretch: Stretch, part: Part | None) -> None:
        self.hub, self.stretch, self.part = hub, stretch, part
        self.last: Tick | None = None

    def publish(self, event: Event) -> None:
        self.hub.take(event, self.part)

    def on_tick(self, tick: Tick) -> None:
        self.last = tick
        self.hub.tick(self, tick)


class Hub:
    """Gives each event to whom it concerns, and knows how all of them stand."""

    def __init__(self, loaded: Loaded, version: str, also: Callable[[Event], None] | None = None) -> None:
        """`also` hears every event at once, in the thread that tells it."""
        self.also = also
        self.loaded, self.version = loaded, version
        self.room = room_of(loaded.monitor)
        self.outlets = [Outlet(open_sink(one, loaded.place), one, self.room.queue) for one in loaded.monitor.sinks]
        self.store: StoreWriter | None = self._store()
        self.reloaded: dict[str, Any] | None = None
        self.state = "running"
        self._feed: Feed | None = None
        self._events: Counter[str] = Counter()
        self._past: dict[str, Any] = {"interfaces": {}}  # of the watches before
        self._started_ns = time.time_ns()
        self._ticked = time.monotonic()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Raises: StoreError."""
        for outlet in self.outlets:
            outlet.start()
        if self.store is not None:
            self.store.start()

    def feed(self, stretch: Stretch) -> Feed:
        """The way in for the watch of this part of time."""
        part = None
        if self.store is not None:
            from auditor.store.pending import Part as StorePart

            part = StorePart(stretch.kind, stretch.start_ns)
        return Feed(self, stretch, part)

    def turn_to(self, feed: Feed) -> None:
        """This is the current one from now on."""
        with self._lock:
            before, self._feed = self._feed, feed
            if before is not None and before.last is not None:
                self._past = _added(self._past, before.last.health)
            self._ticked = time.monotonic()

    def take(self, event: Event, part: Part | None = None) -> None:
        """An event for all sinks that want it, and for the store."""
        with self._lock:
            self._events[str(event["event"])] += 1
        if self.also is not None:
            self.also(event)
        for outlet in self.outlets:
            outlet.offer(event)
        if self.store is not None and part is not None and event["event"] != "report":
            self.store.publish(part, event)

    def say(self, event: Event) -> None:
        """What the watch has to say about itself."""
        with self._lock:
            part = None if self._feed is None else self._feed.part
        self.take(event, part)

    def tell(self, event: Event, names: Sequence[str]) -> None:
        """A report, to the sinks that are named."""
        with self._lock:
            self._events["report"] += 1
        for outlet in self.outlets:
            if outlet.settings.label in names:
                outlet.offer(event)

    def tick(self, feed: Feed, tick: Tick) -> None:
        self._ticked = time.monotonic()
        if self.store is not None and feed.part is not None:
            self.store.tick(feed.part, tick.time_ns, tick.sessions, tick.coverage)

    def end_part(self, feed: Feed, audit: Audit, end_ns: int) -> None:
        """The last word on a part of time."""
        if self.store is not None and feed.part is not None:
            judged = audit.judged
            self.store.end_part(feed.part, end_ns, audit.verdict, judged.sessions, judged.coverage)

    def reopen(self) -> None:
        """Files and connections of the sinks anew: after a rotation from outside, and on a reload."""
        for outlet in self.outlets:
            outlet.reopen()

    @property
    def waiting(self) -> int:
        """Events that sinks and store have not taken yet."""
        store = 0 if self.store is None else self.store.state().waiting
        return store + sum(outlet.state().waiting for outlet in self.outlets)

    def close(self, seconds: float) -> None:
        """Deliver and write what waits, for so long at most, all sinks at the same time."""
        if self.store is not None:
            self.store.close(seconds)  # first: what it says of losses is for the sinks
        for outlet in self.outlets:
            outlet.begin_close(seconds)
        for outlet in self.outlets:
            outlet.close(seconds)

    @property
    def tick_age(self) -> float:
        """Seconds since the last judgement."""
        return time.monotonic() - self._ticked

    def failures(self) -> list[str]:
        """What sinks and store did not get, one sentence each."""
        store = None if self.store is None else self.store.state().to_dict()
        return _failures([outlet.state().to_dict() for outlet in self.outlets], store)

    def status(self) -> dict[str, Any]:
        """How everything stands, as plain JSON values."""
        with self._lock:
            feed, past, events = self._feed, self._past, dict(self._events)
        tick = feed.last if feed is not None else None
        sinks = [outlet.state().to_dict() for outlet in self.outlets]
        store = None if self.store is None else self.store.state().to_dict()
        status = {
            "schema": SCHEMA,
            "sensor": self.loaded.monitor.sensor,
            "version": self.version,
            "pid": os.getpid(),
            "process_start": process_start(os.getpid()),
            "started": time_text(self._started_ns),
            "written": time.time(),
            "state": self.state,
            "configuration": os.path.abspath(self.loaded.file),
            "part": None if feed is None else _part(feed.stretch),
            "capture": _capture(tick, past),
            "last_tick_ns": 0 if tick is None else tick.time_ns,
            "tick_age": round(self.tick_age, 3),
            "findings": _findings(tick),
            "sessions": 0 if tick is None else len(tick.sessions),
            "events": events,
            "sinks": sinks,
            "store": store,
            "reload": self.reloaded,
        }
        return {**status, "troubles": _troubles(status)}

    def _store(self) -> StoreWriter | None:
        settings, url = self.loaded.monitor.store, self.loaded.store_url
        if settings is None or url is None:
            return None
        from auditor.store import StoreWriter, open_store

        secret, folder = settings.password, self.loaded.place.folder
        return StoreWriter(
            lambda: open_store(url, None if secret is None else secret.read(folder)),
            sensor=self.loaded.monitor.sensor,
            version=self.version,
            keep=settings.keep,
            size=settings.size,
            room=self.room.store,
            say=self.say,
        )


def _part(stretch: Stretch) -> dict[str, Any]:
    end = None if stretch.end_ns is None else time_text(stretch.end_ns)
    return {"kind": stretch.kind, "start": time_text(stretch.start_ns), "end": end}


def _capture(tick: Tick | None, past: Mapping[str, Any]) -> dict[str, Any]:
    """The capture's health, its counters added to those of the watches before."""
    health = {} if tick is None else tick.health
    return {
        **_added(past, health),
        "flows": dict(health.get("flows", {})),
        "limits": dict(health.get("limits", {})),
        "complete": bool(health.get("complete", True)),
    }


def _added(past: Mapping[str, Any], health: Mapping[str, Any]) -> dict[str, Any]:
    """Counters of the interfaces, summed up."""
    found: dict[str, dict[str, Any]] = {}
    for source in (past, health):
        for name, one in source.get("interfaces", {}).items():
            into = found.setdefault(name, {"packets": 0, "bytes": 0, "away": 0.0, "drops": {}})
            for counter in ("packets", "bytes", "away"):
                into[counter] += one[counter]
            into["is_away"] = one["is_away"]
            for cause, count in one["drops"].items():
                into["drops"][cause] = into["drops"].get(cause, 0) + count
    return {"interfaces": found}


def _findings(tick: Tick | None) -> list[dict[str, Any]]:
    """How many there are of each check and severity; none says whose they are."""
    numbers = Counter((one.check, one.severity.word) for one in (() if tick is None else tick.findings))
    return [{"check": check, "severity": word, "count": count} for (check, word), count in sorted(numbers.items())]


def _troubles(status: Mapping[str, Any]) -> list[str]:
    """What somebody should look at, one sentence each."""
    found = _failures(status["sinks"], status["store"])
    capture = status["capture"]
    found += [f"interface {name} is down or gone" for name, one in capture["interfaces"].items() if one["is_away"]]
    dropped = sum(sum(one["drops"].values()) for one in capture["interfaces"].values())
    seen = sum(one["packets"] for one in capture["interfaces"].values())
    if status["last_tick_ns"] and not seen:
        found.append("no packet was captured yet")
    elif not capture["complete"]:
        found.append(f"the capture is incomplete: {dropped:,} losses; nothing it shows can be called clean")
    if status["reload"] is not None and not status["reload"]["accepted"]:
        found.append(f"the last reload was refused: {status['reload']['reason']}")
    if status["state"] == "running" and status["tick_age"] > 30:
        found.append(f"nothing was judged for {length_text(status['tick_age'])}")
    return found


def _failures(sinks: Sequence[Mapping[str, Any]], store: Mapping[str, Any] | None) -> list[str]:
    found = []
    for name, one in [*((f"sink {sink['name']}", sink) for sink in sinks), *([("the store", store)] if store else [])]:
        if one["failing_since"]:
            found.append(f"{name} fails since {one['failing_since']}: {one['last_error']}")
        if lost := sum(one["lost"].values()):
            found.append(f"{name} lost {lost:,} events ({_causes(one['lost'])})")
    return found


def _causes(lost: Mapping[str, int]) -> str:
    return ", ".join(f"{cause}: {count:,}" for cause, count in lost.items())
