"""One sink at work: a backlog, and a thread that empties it into the sink."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from auditor.delivery.backlog import Backlog, Waiting
from auditor.delivery.backoff import Backoff
from auditor.formats import now_text
from auditor.sinks.base import Common, DeliveryError, Event, Sink, notice

SHOWN_ERROR: Final = 300
"""Characters of a sink's last error that are kept."""


@dataclass(slots=True)
class OutletState:
    """How one sink stands. received = delivered + grouped + lost + waiting, at any moment."""

    name: str
    kind: str
    received: int = 0
    delivered: int = 0
    grouped: int = 0
    """Told by another, that carries their count."""
    lost: dict[str, int] = field(default_factory=dict)
    """By cause: queue-full, too-many-kinds, refused (a bug of ours may be why), shutdown."""
    waiting: int = 0
    failures: int = 0
    """Deliveries that were tried in vain."""
    failing_since: str | None = None
    last_error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self.__slots__}


class Outlet:
    """Takes events at once and delivers them when it can."""

    def __init__(self, sink: Sink, settings: Common, room: int | None = None) -> None:
        """`room`: bytes that waiting events may take, those that are being delivered apart."""
        self.settings = settings
        self._sink = sink
        self._backlog = Backlog(
            settings.queue, grouping=settings.group, rate=settings.rate, wait=max(0.0, sink.batch_wait), room=room
        )
        self._state = OutletState(settings.label, settings.kind)
        self._lost: Counter[str] = Counter()  # beside the backlog's own
        self._told_lost = 0
        self._flying: list[Waiting] = []
        self._backoff = Backoff()
        self._changed = threading.Condition()
        self._reopen = False
        self._deadline: float | None = None  # of closing
        self._ended = False
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, name=f"sink {settings.label}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def offer(self, event: Event) -> None:
        """Take an event that this sink wants. Never waits for the sink."""
        if not self.settings.wants(event):
            return
        with self._changed:
            self._state.received += 1
            if self._deadline is not None:
                self._lost["shutdown"] += 1
            elif self._backlog.put(event, time.monotonic()):
                self._changed.notify()

    def reopen(self) -> None:
        """Files and connections anew, and a sink that failed is tried again at once."""
        with self._changed:
            self._reopen = True
            self._changed.notify()

    def close(self, seconds: float) -> None:
        """Deliver what waits, for so long at most; what is left then is lost, and counted."""
        self.begin_close(seconds)
        self._thread.join(seconds + 1.0)
        with self._changed:
            if not self._ended:  # a delivery hangs: what it has in hand counts as lost, whatever becomes of it
                self._lose_rest()
                self._abandoned = True

    def begin_close(self, seconds: float) -> None:
        """Let the thread come to its end within so many seconds; does not wait for it."""
        with self._changed:
            if self._deadline is None:
                self._deadline = time.monotonic() + seconds
            self._changed.notify()

    def state(self) -> OutletState:
        """How it stands now."""
        with self._changed:
            lost = {**self._backlog.lost}
            for cause, count in self._lost.items():
                lost[cause] = lost.get(cause, 0) + count
            weight = sum(item.weight for item in self._flying)
            state = OutletState(**self._state.to_dict())
            state.lost, state.waiting = lost, len(self._backlog) + weight
            return state

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            if batch:
                self._send(batch)
        with self._changed:
            self._ended = True
        with suppress(Exception):  # all is delivered or counted as lost: nobody waits for this any more
            self._sink.close()

    def _next_batch(self) -> list[Waiting] | None:
        """What to deliver next, waiting for it; nothing where only the sink was reopened; None at the end."""
        with self._changed:
            while True:
                if self._reopen:
                    break
                now = time.monotonic()
                if self._deadline is not None and now >= self._deadline:
                    self._lose_rest()
                    return None
                self._flying = self._backlog.take(now, self._sink.batch, all=self._deadline is not None)
                if self._flying:
                    return list(self._flying)
                if self._deadline is not None:
                    return None
                self._changed.wait(self._backlog.next_due(now))
            self._reopen = False
        self._open_anew()
        return []

    def _send(self, batch: list[Waiting]) -> None:
        """Deliver the batch, trying again until it is taken, refused for good, or time is up."""
        self._backoff.reset()
        size = len(batch)  # of what is delivered at once: less where events may be taken without those beside them
        while batch:
            told, some = self._loss_notice(), batch[:size]
            events = [item.event for item in ([told, *some] if told else some)]
            try:
                self._sink.deliver(events)
            except DeliveryError as error:
                taken = max(0, error.taken - 1) if told else error.taken
                if told and error.taken:
                    self._told_lost = told.event["count"]
                apart = not error.again and error.apart
                refused = 0 if error.again else len(batch) - taken
                if apart:
                    refused = int(len(some) == 1)
                    size = max(1, len(some) // 2)
                batch = self._failed(batch, taken, error, refused)
            except Exception as bug:  # one sink's bug must stop neither the others nor the capture
                told_bug = DeliveryError(f"bug of ours: {type(bug).__name__}: {bug}", again=False)
                batch = self._failed(batch, 0, told_bug, len(batch))
            else:
                if told:
                    self._told_lost = told.event["count"]
                with self._changed:
                    batch = self._delivered(batch, len(some))
                    self._state.failing_since = None
                size *= 2

    def _failed(self, batch: list[Waiting], taken: int, error: DeliveryError, refused: int) -> list[Waiting]:
        """Count a failure, and what was refused for good behind what was taken; what there is left to deliver.

        What may be taken again waits before the next try.
        """
        with self._changed:
            rest = self._delivered(batch, taken)
            self._state.failures += 1
            self._state.last_error = str(error)[:SHOWN_ERROR]
            self._state.failing_since = self._state.failing_since or now_text()
            if refused:
                self._lost["refused"] += sum(item.weight for item in rest[:refused])
                rest = self._flying = rest[refused:]
            if not rest:
                return []
            if self._deadline is not None and time.monotonic() >= self._deadline:
                self._lose_rest()
                return []
            if taken:
                self._backoff.reset()
            again = time.monotonic() + (self._backoff.next(error.wait) if error.again else 0.0)
            while (now := time.monotonic()) < again and not self._reopen:
                if self._deadline is not None:
                    if now >= self._deadline:
                        self._lose_rest()
                        return []
                    again = min(again, max(now + 0.1, self._deadline - 1.0))  # one more try before the end
                self._changed.wait(min(again - now, 1.0))
            reopen, self._reopen = self._reopen, False
        if reopen:
            self._open_anew()
        return rest

    def _open_anew(self) -> None:
        with suppress(Exception):  # what cannot be closed is left alone: the next delivery shows how the sink stands
            self._sink.reopen()

    def _delivered(self, batch: list[Waiting], count: int) -> list[Waiting]:
        """Count the first so many as delivered; the others, unless nobody waits for them any more."""
        if self._abandoned:
            return []
        self._state.delivered += count
        self._state.grouped += sum(item.weight - 1 for item in batch[:count])
        self._flying = batch[count:]
        return self._flying

    def _lose_rest(self) -> None:
        self._lost["shutdown"] += sum(item.weight for item in self._flying) + sum(
            item.weight for item in self._backlog.take(0.0, 1 << 60, all=True)
        )
        self._flying = []

    def _loss_notice(self) -> Waiting | None:
        """What to tell the sink about events that it did not get, if there are new ones."""
        with self._changed:
            lost = sum(self._lost.values()) + sum(self._backlog.lost.values())
        if lost <= self._told_lost:
            return None
        message = f"{lost - self._told_lost:,} events were lost on their way to this sink, {lost:,} in all"
        event = notice("events-lost", message, lost)
        return Waiting(event, 0)
