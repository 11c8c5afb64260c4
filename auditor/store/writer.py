"""Keeps a store up to date from a thread of its own, whatever becomes of the store.

What a tick brings is written within one transaction. A process that is killed loses at most what it had not written:
the current tick, as long as the store keeps up. The next run sees that this one never ended, and says so.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, and_, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from auditor.delivery.backoff import Backoff
from auditor.errors import AuditorError, StoreError
from auditor.formats import now_text, time_text
from auditor.sinks.base import Event, notice
from auditor.store import retention
from auditor.store.lock import Lock
from auditor.store.opening import reason, shown
from auditor.store.pending import Part, Pending, Standing
from auditor.store.tables import FINDINGS, RUNS
from auditor.store.writing import write

if TYPE_CHECKING:
    from auditor.coverage import Coverage
    from auditor.sessions import Session

STANDING_SECONDS: Final = 10.0
"""Sessions and coverage are written as often: each tick changes most of them by a few bytes."""
RETENTION_SECONDS: Final = 60.0
CLOSE_SECONDS: Final = 5.0

Say = Callable[[Event], None]


@dataclass(slots=True)
class StoreState:
    """How the store stands."""

    written: int = 0
    """Events that are in the store."""
    waiting: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    """By kind, of what found no room to wait: finding, health, notice, session. By cause, of what was not written:
    disk-cap, refused, shutdown."""
    failures: int = 0
    failing_since: str | None = None
    last_error: str | None = None
    used: int = 0
    """Bytes."""
    pruned: int = 0
    """Rows that retention took."""

    def to_dict(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self.__slots__}


class StoreWriter:
    """Takes what a watch tells, at once, and writes it when it can. One process at a time writes for a sensor."""

    def __init__(
        self,
        open: Callable[[], Engine],
        *,
        sensor: str,
        version: str,
        keep: int = 0,
        size: int = 0,
        room: int | None = None,
        say: Say = lambda _: None,
    ) -> None:
        """`keep`: seconds, `size`: bytes, 0: for ever, any. `room`: bytes of memory that what waits may take, and
        as many what is being written. `say` hears of an interrupted run and of losses."""
        self._open = open
        self.sensor, self.version, self.keep, self.size = sensor, version, keep, size
        self._say = say
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._lock: Lock | None = None
        self._file: tuple[int, int] | None = None
        self._run: int | None = None
        self._started_ns = time.time_ns()
        self._batch = 0
        self._room = room
        self._pending = Pending(room=room)
        self._flying: Pending | None = None
        self._lost: Counter[str] = Counter()
        self._told_lost = 0
        self._state = StoreState()
        self._last_standing: dict[int, float] = {}
        self._next_retention = 0.0
        self._changed = threading.Condition()
        self._deadline: float | None = None
        self._abandoned = False
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)

    def start(self) -> None:
        """Open the store and begin. Raises: StoreError; for a server that may come back it is tried again instead."""
        try:
            self._connect()
        except StoreError as error:
            if not error.again:
                raise
            self._failed(str(error))
        self._thread.start()

    def publish(self, part: Part, event: Event) -> None:
        """Take an event of a part. Written with the next tick."""
        with self._changed:
            self._pending.put(part, event)

    def tick(self, part: Part, time_ns: int, sessions: Sequence[Session], coverage: Sequence[Coverage]) -> None:
        """A tick is over: what came until now belongs together, and is to be written."""
        now = time.monotonic()
        with self._changed:
            self._pending.tick_ns = time_ns
            if now - self._last_standing.get(id(part), -STANDING_SECONDS) >= STANDING_SECONDS:
                self._last_standing[id(part)] = now
                self._pending.stand(Standing(part, sessions, coverage))
            self._changed.notify()

    def end_part(
        self, part: Part, end_ns: int, verdict: str, sessions: Sequence[Session], coverage: Sequence[Coverage]
    ) -> None:
        """The last word on a part."""
        with self._changed:
            self._last_standing.pop(id(part), None)
            self._pending.tick_ns = max(self._pending.tick_ns, end_ns)
            self._pending.stand(Standing(part, sessions, coverage, end_ns, verdict))
            self._changed.notify()

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Write what waits, for so long at most, and end the run; what is left then is lost, and counted."""
        with self._changed:
            self._deadline = time.monotonic() + seconds
            self._changed.notify()
        self._thread.join(seconds + 1.0)
        with self._changed:
            self._abandoned = True
            for pending in (self._flying, self._pending):
                if pending is not None:
                    self._lost["shutdown"] += len(pending)
            self._flying, self._pending = None, Pending(lost=self._pending.lost)

    def state(self) -> StoreState:
        """How it stands now."""
        with self._changed:
            lost = self._lost + self._pending.lost
            state = StoreState(**self._state.to_dict())
            state.lost = dict(lost)
            state.waiting = len(self._pending) + (len(self._flying) if self._flying is not None else 0)
            return state

    def _work(self) -> None:
        backoff = Backoff()
        while True:
            with self._changed:
                while not (self._flying or self._pending.tick_ns) and self._deadline is None:
                    self._changed.wait(RETENTION_SECONDS)
                if self._flying is None and self._pending:
                    self._flying, self._pending = self._pending, Pending(room=self._room)
                    self._lost += self._flying.lost
                    self._batch += 1
                flying, deadline = self._flying, self._deadline
            if flying is None and deadline is not None:
                self._end()
                return
            try:
                if self._connection is not None and _identity(self._engine) != self._file:
                    self._begin_anew()
                if self._connection is None:
                    self._connect()
                if flying is not None:
                    self._write(flying)
                self._tell_losses()
                self._retain()
                backoff.reset()
            except (SQLAlchemyError, OSError, AuditorError) as error:
                self._disconnect()
                self._failed(_said(error))
                if not self._wait(backoff.next()):
                    return
            except Exception as bug:  # what cannot be written must not keep what comes after it from being written
                self._disconnect()
                self._refused(f"bug of ours: {type(bug).__name__}: {bug}")
                if not self._wait(backoff.next()):
                    return

    def _wait(self, seconds: float) -> bool:
        """Wait before the next try; False where time is up."""
        until = time.monotonic() + seconds
        with self._changed:
            while (now := time.monotonic()) < until:
                if self._deadline is not None:
                    if now >= self._deadline:
                        return False
                    until = min(until, now + 0.1)
                self._changed.wait(min(until - now, 1.0))
        return True

    def _write(self, flying: Pending) -> None:
        assert self._connection is not None
        assert self._run is not None
        while True:
            try:
                with self._connection.begin():
                    write(self._connection, self._run, self._batch, flying)
                break
            except (DataError, IntegrityError) as error:  # it will not be taken the next time either
                self._refused(reason(error))
                return
            except DBAPIError as error:
                if not self._at_cap(error):
                    raise
                if not self._make_room(now=True):
                    with self._changed:  # nothing is left that could go: what comes now has no place
                        self._lost["disk-cap"] += len(flying)
                        self._flying = None
                    return
        with self._changed:
            if self._abandoned:
                return
            self._state.written += len(flying)
            self._flying = None
            self._state.failing_since = None

    def _connect(self) -> None:
        """Open the store, take the sensor's lock, and begin the run if it has not begun. Raises: StoreError."""
        if self._engine is None:
            self._engine = self._open()
        try:
            self._connection = self._engine.connect()
            self._file = _identity(self._engine)
            self._lock = self._lock or Lock(self._engine.url, self.sensor)
            self._lock.take(self._connection)
            self._cap()
            if self._run is None:
                with self._connection.begin():
                    self._run = self._begin_run(self._connection)
        except (SQLAlchemyError, OSError) as error:
            self._disconnect()
            again = self._engine.dialect.name == "postgresql"
            raise StoreError(f"the store cannot be used: {reason(error)}", again=again) from None
        except StoreError:
            self._disconnect()
            raise

    def _begin_anew(self) -> None:
        """Somebody took the file away: what is written there now is seen by nobody, and goes with the connection."""
        self._disconnect()
        if self._engine is not None:
            self._say(notice("store-gone", f"{shown(self._engine.url)}: was moved or deleted, and is begun anew"))
            self._engine.dispose()
        self._engine, self._run = None, None

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                self._connection.close()
            self._connection = None

    def _begin_run(self, connection: Connection) -> int:
        """A row for this run. Those of the sensor that never ended are ended at their last tick, and told."""
        there = select(RUNS.c.id).where(RUNS.c.sensor == self.sensor, RUNS.c.started_ns == self._started_ns)
        run = connection.execute(there).scalar()
        if run is not None:
            return int(run)
        unended = select(RUNS).where(RUNS.c.sensor == self.sensor, RUNS.c.ended_ns.is_(None)).order_by(RUNS.c.id)
        for row in connection.execute(unended).all():
            ended = {"ended_ns": row.last_tick_ns, "ending": "interrupted"}
            connection.execute(update(RUNS).where(RUNS.c.id == row.id).values(**ended))
            still_open = and_(FINDINGS.c.run == row.id, FINDINGS.c.closed_ns.is_(None))
            connection.execute(update(FINDINGS).where(still_open).values(closed_ns=row.last_tick_ns))
            self._say(
                notice(
                    "run-interrupted",
                    f"the run that began at {time_text(row.started_ns)} was interrupted: the store holds what it saw "
                    f"until {time_text(row.last_tick_ns)}; of the tick after that, nothing",
                )
            )
        values = {
            "sensor": self.sensor,
            "version": self.version,
            "started_ns": self._started_ns,
            "last_tick_ns": self._started_ns,
            "batches": 0,
        }
        return int(connection.execute(RUNS.insert().values(**values).returning(RUNS.c.id)).scalar_one())

    def _end(self) -> None:
        """Nothing waits any more: the run is over."""
        try:
            if self._connection is None:
                self._connect()
            assert self._connection is not None
            self._tell_losses()
            with self._connection.begin():
                if self._pending.rows:
                    write(self._connection, self._run or 0, self._batch + 1, self._pending)
                ended = {"ended_ns": time.time_ns(), "ending": "stopped"}
                self._connection.execute(update(RUNS).where(RUNS.c.id == self._run).values(**ended))
            with self._changed:
                self._state.written += len(self._pending)
                self._pending = Pending(room=self._room, lost=self._pending.lost)
        except Exception as error:  # nothing comes after this: whatever it is, it is told by the status
            self._failed(_said(error))
        self._disconnect()
        if self._lock is not None:
            self._lock.release()
        if self._engine is not None:
            self._engine.dispose()

    def _retain(self) -> None:
        """Let go what is old, or too much, now and then."""
        now = time.monotonic()
        if now < self._next_retention or self._connection is None:
            return
        self._next_retention = now + RETENTION_SECONDS
        if self.keep:
            before = time.time_ns() - self.keep * 10**9
            sensor = self._alone
            while (
                gone := self._in_transaction(lambda c: retention.prune_by_age(c, before, sensor))
            ) >= retention.CHUNK:
                self._count_pruned(gone)
            self._count_pruned(gone)
        used = self._used()
        if self.size and used > self.size * retention.SHARE:
            self._make_room()
            used = self._used()
        self._in_transaction(retention.give_back)
        with self._changed:
            self._state.used = used

    def _make_room(self, *, now: bool = False) -> bool:
        """Let the oldest go until the store is small enough, with `now` some at any rate; whether anything went."""
        any_gone = False
        while (now and not any_gone) or self._used() > self.size * retention.SHARE:
            gone = self._in_transaction(lambda connection: retention.prune_by_size(connection, self._alone))
            self._count_pruned(gone)
            if not gone:
                break
            any_gone = True
        return any_gone

    def _used(self) -> int:
        return self._in_transaction(lambda connection: retention.used_bytes(connection, self._alone))

    @property
    def _alone(self) -> str | None:
        """The sensor whose rows alone are ours to delete, where watches of several share a server. SQLite's file is
        this watch's, with what one of another name may have left in it."""
        assert self._connection is not None
        return self.sensor if self._connection.dialect.name == "postgresql" else None

    def _in_transaction(self, do: Callable[[Connection], int]) -> int:
        assert self._connection is not None
        with self._connection.begin():
            return do(self._connection)

    def _cap(self) -> None:
        """SQLite itself refuses what would make its file larger than it may be."""
        assert self._connection is not None
        if self.size and self._connection.dialect.name == "sqlite":
            with self._connection.begin():
                page = self._connection.exec_driver_sql("PRAGMA page_size").scalar_one()
                self._connection.exec_driver_sql(f"PRAGMA max_page_count = {max(1, self.size // page)}")

    def _at_cap(self, error: DBAPIError) -> bool:
        """Whether a write failed because the file may not grow further, and not because the disk is full."""
        assert self._connection is not None
        if not self.size or "database or disk is full" not in str(error.orig):
            return False
        disk = os.statvfs(str(self._connection.engine.url.database))
        with self._connection.begin():
            names = ("page_count", "max_page_count", "page_size")
            pages, most, page = (self._connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names)
        return bool(disk.f_bavail * disk.f_frsize > (most - pages) * page)

    def _count_pruned(self, gone: int) -> None:
        with self._changed:
            self._state.pruned += gone

    def _failed(self, why: str) -> None:
        with self._changed:
            self._state.failures += 1
            self._state.last_error = why[:300]
            self._state.failing_since = self._state.failing_since or now_text()

    def _refused(self, why: str) -> None:
        """What was to be written is lost, for a reason that time does not heal."""
        self._failed(why)
        with self._changed:
            if self._flying is not None:
                self._lost["refused"] += len(self._flying) or 1
            self._flying = None

    def _tell_losses(self) -> None:
        with self._changed:
            lost = sum(self._lost.values()) + sum(self._pending.lost.values())
            new, self._told_lost = lost - self._told_lost, lost
        if new > 0:
            told = notice("store-losses", f"{new:,} events found no room in the store, {lost:,} in all", lost)
            self._say(told)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, AuditorError) else reason(error)


def _identity(engine: Engine | None) -> tuple[int, int] | None:
    """Which file SQLite's path leads to; None where there is none, or no file is needed."""
    if engine is None or engine.dialect.name != "sqlite":
        return None
    try:
        status = os.stat(str(engine.url.database))
    except OSError:
        return None
    return status.st_dev, status.st_ino
