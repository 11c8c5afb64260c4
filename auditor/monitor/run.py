"""A watch that runs by itself, from its configuration to its end.

Time is cut where windows begin and end. Each part is watched by a `Watch` of its own, which begins to capture before
the one before it ends: nothing passes between them, and what goes on over the cut is in both, as in two captures.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import chain
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from auditor.errors import AuditorError
from auditor.formats import now_text
from auditor.monitor.config import Loaded, load_monitor
from auditor.monitor.evidence import EvidenceFolder
from auditor.monitor.hub import Feed, Hub
from auditor.monitor.keeper import Keeper
from auditor.monitor.making import Judging, MakeWatch, Opener, Publish, make_watch
from auditor.monitor.metrics import MetricsServer
from auditor.monitor.notify import notify, reloading
from auditor.monitor.windowend import write_reports
from auditor.sinks.base import notice
from auditor.upcoming import Stretch, stretches

if TYPE_CHECKING:
    from auditor.result import Audit
    from auditor.store.flows import FlowArchive

LOOK_SECONDS: Final = 0.2
"""How soon a signal, the end of a window or the end of the capture is noticed."""
CLOSE_SECONDS: Final = 10.0
"""What sinks and store get to take what waits, when the watch ends."""
HURRY_SECONDS: Final = 0.5
"""And when it is to end at once: enough for a store that works to note that the run is over."""
PATIENCE_SECONDS: Final = 1.0
"""So long nothing is said of what sinks and store have yet to take at the end."""
AGAIN_SECONDS: Final = 5.0
"""How soon a part of time that could not be begun is tried again."""


class _Part:
    """One watch at work, in a thread of its own."""

    def __init__(
        self, hub: Hub, judging: Judging, stretch: Stretch, make: MakeWatch, evidence: EvidenceFolder | None
    ) -> None:
        """Capture begins here. Raises: AuditorError."""
        self.stretch = stretch
        self.evidence = None if evidence is None else evidence.begin(stretch.start_ns)
        self.feed: Feed = hub.feed(stretch)
        self.watch = make(judging, self.feed.publish, self.feed.on_tick, self.evidence)
        hub.turn_to(self.feed)
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.watch.run()
        except BaseException as error:  # raised again where somebody waits for it
            self.error = error

    def end(self) -> Audit:
        """Stop, and what it saw. Raises: what stopped it before."""
        self.watch.stop()
        self.thread.join()
        if self.error is not None:
            raise self.error
        return self.watch.report()


class Conductor:
    """Runs watches one after the other, and looks after all that is around them."""

    def __init__(
        self,
        loaded: Loaded,
        version: str,
        make: MakeWatch = make_watch,
        *,
        also: Publish | None = None,
        whole: bool = False,
        alone: bool = False,
    ) -> None:
        """`also` hears every event, beside the sinks. `whole`: time is not cut. `alone`: the process does nothing else,
        and gives up all rights that this does not need. Raises: AuditorError."""
        self.whole, self.alone = whole, alone
        self.loaded = loaded
        self.judging = Judging(loaded)
        self.hub = Hub(loaded, version, also)
        self.flows = self._flows()
        evidence = loaded.monitor.evidence
        self.evidence = (
            None
            if evidence is None
            else EvidenceFolder(loaded.path(evidence.folder), size=evidence.size, keep=evidence.keep)
        )
        self._opener = Opener(make)
        self._next: Stretch | None = None  # that could not be begun
        self._again = 0.0  # when it is tried again
        self._stop = threading.Event()
        self._reload = threading.Event()

    def run(self, duration: float | None = None) -> Audit:
        """Watch until `stop`, the end of what is watched, or for `duration` seconds. The last part's audit.

        Raises: AuditorError where capture, store or metrics cannot start, and where capture fails.
        """
        until = None if duration is None else time.monotonic() + duration
        listen = self.loaded.monitor.metrics
        with ExitStack() as behind:  # closed in the opposite order, whatever happens
            behind.callback(self._opener.close)
            if self.evidence is not None:
                behind.callback(self.evidence.close)
            metrics = None
            if listen is not None:
                metrics = MetricsServer(listen.listen, self.hub.status)
                behind.callback(metrics.close)
            if self.alone:
                self._opener.keep_right()
            if metrics is not None:
                metrics.start()
            keeper = Keeper(self.hub, self.loaded.status, whoever=self.whole)
            behind.callback(keeper.close)
            behind.callback(self._stopped)
            self.hub.start()
            behind.push(self._close)
            return self._watch(until)

    def _watch(self, until: float | None) -> Audit:
        """One part after the other, until it is time to end."""
        cuts = self._cuts()
        part = self._begin(next(cuts))
        if self.whole:
            self._opener.close()  # nothing has to be opened again
        notify("READY=1", f"STATUS={self._sentence()}")
        while part.thread.is_alive() and not self._stop.wait(LOOK_SECONDS):
            if until is not None and time.monotonic() >= until:
                break
            if self._reload.is_set():
                self._reload.clear()
                self._take_new(part)
            part = self._go_on(part, cuts)
        notify("STOPPING=1")
        self.hub.state = "stopping"
        return self._finish(part, time.time_ns())

    def _go_on(self, part: _Part, cuts: Iterator[Stretch]) -> _Part:
        """The part of time that it is now; the one before it is ended.

        Where the next one cannot be begun, because an interface is gone or the disk full, the one before it goes on, so
        that nothing is missed, and the next one is tried again.
        """
        end, now = part.stretch.end_ns, time.time_ns()
        if end is None or now < end or time.monotonic() < self._again:
            return part
        # those that are over went by while the machine slept, or while none could be begun
        self._next = next(
            one for one in chain([self._next or part.stretch], cuts) if not one.end_ns or one.end_ns > now
        )
        late = now - end > AGAIN_SECONDS * 10**9
        try:
            after = self._begin(self._next._replace(start_ns=now) if late else self._next)
        except AuditorError as error:
            if not self._again:
                message = f"the next part of time could not be begun, and this one goes on: {error}"
                self.hub.say(notice("part-not-begun", message))
            self._again = time.monotonic() + AGAIN_SECONDS
            return part
        self._next, self._again = None, 0.0
        self._finish(part, now if late else end)
        return after

    def _close(self, error: type[BaseException] | None, *_: object) -> None:
        """Let sinks and store take what waits; for a moment only where somebody wants the end at once."""
        if error is not None and issubclass(error, KeyboardInterrupt):
            self.hub.close(HURRY_SECONDS)
            return
        patience = threading.Timer(PATIENCE_SECONDS, self._say_what_waits)
        patience.start()
        try:
            self.hub.close(CLOSE_SECONDS)
        finally:
            patience.cancel()

    def _say_what_waits(self) -> None:
        from auditor.outputs import say

        if waiting := self.hub.waiting:
            told = f"{waiting:,} events wait for sinks and store, which get {CLOSE_SECONDS:.0f} seconds to take them"
            say(f"auditor: ending; {told}; a second signal ends it at once")

    def _stopped(self) -> None:
        """The last words, for whoever reads no status."""
        from auditor.outputs import say

        self.hub.state = "stopped"
        for failure in self.hub.failures():
            say(f"auditor: {failure}")

    def stop(self) -> None:
        """End in order. From any thread, or a signal handler."""
        self._stop.set()

    def reload(self) -> None:
        """Read packs and site anew, and reopen files. From any thread, or a signal handler."""
        self._reload.set()

    def _begin(self, stretch: Stretch) -> _Part:
        return _Part(self.hub, self.judging, stretch, self._opener.make, self.evidence)

    def _take_new(self, part: _Part) -> None:
        """Packs and site as they are now; where they are wrong, the old ones stay."""
        notify(*reloading())
        self.hub.reopen()
        try:
            fresh = load_monitor(self.loaded.file)
            told = replace(self.loaded.monitor, packs=fresh.monitor.packs, site=fresh.monitor.site)
            judging = Judging(replace(self.loaded, monitor=told))  # later parts are watched as it was told
        except AuditorError as error:
            self._told(accepted=False, reason=str(error))
        except Exception as bug:  # whatever a file can do to us, the watch goes on by the old ones
            self._told(accepted=False, reason=f"bug of ours: {type(bug).__name__}: {bug}")
        else:
            changed = _other_changes(self.loaded, fresh)
            self.judging = judging
            part.watch.reload(judging.packs, judging.site)
            packs = ", ".join(f"{enabled.pack.id} {enabled.pack.version}" for enabled in judging.packs)
            later = f"; changes of {', '.join(changed)} need a restart" if changed else ""
            self._told(accepted=True, reason=f"now judged by {packs}{later}")
        notify("READY=1", f"STATUS={self._sentence()}")

    def _told(self, *, accepted: bool, reason: str) -> None:
        from auditor.outputs import say

        self.hub.reloaded = {"time": now_text(), "accepted": accepted, "reason": reason}
        message = reason if accepted else f"refused, what was before stays: {reason}"
        say(f"auditor: reload: {message}")
        name = "reloaded" if accepted else "reload-refused"
        self.hub.say(notice(name, message, severity="info" if accepted else "medium"))

    def _finish(self, part: _Part, end_ns: int) -> Audit:
        """End a part, and do what is to be done at a window's end. Raises: what stopped the watch."""
        audit = part.end()
        self.hub.end_part(part.feed, audit, end_ns)
        if self.evidence is not None and part.evidence is not None:
            self.evidence.end(part.evidence)
        if self.flows is not None:
            self._keep_flows(self.flows, audit, part.stretch)
        end = self.loaded.monitor.window_end
        if end is not None and part.stretch.kind == "window":
            stretch = part.stretch._replace(end_ns=end_ns)
            event, failures = write_reports(audit, stretch, self.loaded)
            for failure in failures:
                self.hub.say(notice("report-failed", failure))
            self.hub.tell(event, end.tell)
        return audit

    def _keep_flows(self, archive: FlowArchive, audit: Audit, stretch: Stretch) -> None:
        lost: int | None = None
        try:
            flows = audit.flows
            lost = len(flows)
            _, lost = archive.write(flows, str(stretch.start_ns))
            failure = f"{lost:,} flows found no room in {archive.folder}" if lost else ""
        except OSError as error:
            failure = f"{archive.folder}: flows were not kept: {error.strerror or error}"
        except Exception as bug:  # the watch goes on
            failure = f"{archive.folder}: flows were not kept: bug of ours: {type(bug).__name__}: {bug}"
        if failure:
            self.hub.say(notice("flows-lost", failure, lost))

    def _flows(self) -> FlowArchive | None:
        store = self.loaded.monitor.store
        if store is None or store.flows is None:
            return None
        from auditor.store.flows import FlowArchive

        folder = self.loaded.path(store.flows.folder)
        return FlowArchive(folder, keep=store.flows.keep, size=store.flows.size, sensor=self.loaded.monitor.sensor)

    def _cuts(self) -> Iterator[Stretch]:
        """Parts of time; a stream, which cannot be opened twice, is one."""
        if self.whole or self.loaded.monitor.streams:
            return iter([Stretch("window", time.time_ns(), None)])
        return stretches(self.loaded.monitor.all_windows, time.time_ns())

    def _sentence(self) -> str:
        return f"watching {', '.join(self.loaded.monitor.interfaces)}"


@contextmanager
def signals(conductor: Conductor) -> Iterator[None]:
    """SIGTERM and SIGINT end it in order, the second one at once; SIGHUP reads anew. In the main thread."""

    def end(number: int, _: FrameType | None) -> None:
        signal.signal(number, before[number])
        conductor.stop()

    def again(_: int, __: FrameType | None) -> None:
        conductor.reload()

    handlers: dict[int, Any] = {signal.SIGINT: end, signal.SIGTERM: end, signal.SIGHUP: again}
    before: dict[int, Any] = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _other_changes(old: Loaded, new: Loaded) -> list[str]:
    """Keys of the configuration that differ and that a reload does not take up."""
    from dataclasses import fields

    names = [field.name for field in fields(old.monitor) if field.name not in ("packs", "site")]
    return [name for name in names if getattr(old.monitor, name) != getattr(new.monitor, name)]
