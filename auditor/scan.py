"""A scan that reads beside Python, and its head start.

The engine reads the next batches in a thread while Python judges the one before; a waiting caller can be interrupted
(Ctrl-C) and told how far the reading is.

The head start goes one step further. A command-line audit spends its first tenth of a second on imports, of which
the engine needs none: `begin` starts a scan before them, and `open_scan` takes it over if it is just the scan asked
for. Nothing else knows of it. At most one head start runs in a process.

This module is imported before most others, so it imports little itself: `threading` and what that imports would
take longer than all that happens before the scan begins.
"""

from __future__ import annotations

import os
from _thread import allocate_lock, start_new_thread

from auditor.errors import AuditorError
from auditor.lean import NamedTuple

TYPE_CHECKING = False  # see `auditor`
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from auditor._engine import Batch, Scan
    from auditor.rulepack import EnabledPack
    from auditor.site import Site
    from auditor.sources.url import Transfer
    from auditor.wishes import Listening

    Progress = Callable[[int, int], None]

THREADS_AT_MOST = 1024
VLAN_MODES = ("auto", "ignore", "strict")
# Batches that wait at most. Some take the engine longer, some whoever writes them: with one ahead, each waited for
# the other in turn.
BATCHES_AHEAD = 8
LOOK_INTERVAL = 0.005  # seconds between two looks at what the engine has met
PROGRESS_INTERVAL = 0.1  # seconds between two calls of a progress callback
LOOKS_PER_PROGRESS = round(PROGRESS_INTERVAL / LOOK_INTERVAL)


class ScanOptions(NamedTuple):
    """Everything beside the paths that is said of a scan. Equal options, equal scans."""

    networks: tuple[tuple[int, int], ...] | None = None  # inclusive 128-bit address ranges; None: all flows are wanted
    ports: tuple[int, ...] = ()  # TCP ports, with `networks`
    keep_all: bool = False  # keep the rows of unwanted flows too, for a complete table; columns are of wanted ones only
    validate_checksums: bool = False
    keep_duplicates: bool = False  # packets that a mirror port delivered twice are two
    vlan: str = "auto"  # what VLAN tags mean to flows: "auto", "ignore", "strict"
    listening: Listening | None = None  # what to read of payloads; None: nothing
    heard_early: bool = False  # events are wanted with each batch, and not only at the end
    fingerprints: bool = False  # of the payload, by which another vantage knows a flow again
    threads: int | None = None  # that read, at most; None: AUDITOR_THREADS, or one for each core


class _Ahead(NamedTuple):
    """What one look for a batch came to."""

    batch: Batch | None
    heard: dict[str, Any]
    failure: BaseException | None


class RunningScan:
    """The engine's scan, some batches read ahead. What `captures` and the rest hold is whole after the last batch."""

    def __init__(self, scan: Scan, *, heard_early: bool = False) -> None:
        self._scan = scan
        self._heard_early = heard_early
        self.heard: dict[str, Any] = {}  # with `heard_early`: the events up to the latest batch that has wanted rows
        self._ahead: list[_Ahead] = []
        self._reading = self._ended = False
        self._lock = allocate_lock()
        self._news = allocate_lock()  # held while nothing has come since somebody last waited
        self._news.acquire()
        self._read_ahead()

    def _read_ahead(self) -> None:
        """See to it that a thread reads if there is room for what it reads."""
        with self._lock:
            if self._reading or not self._has_room():
                return
            self._reading = True
        start_new_thread(self._read, ())

    def _has_room(self) -> bool:
        return not self._ended and len(self._ahead) < BATCHES_AHEAD

    def _read(self) -> None:
        """Read until there is no more room. Nobody waits for it here: whoever asked may be gone."""
        goes_on = True
        while goes_on:
            ahead = self._look()
            with self._lock:
                self._ahead.append(ahead)
                self._ended = ahead.batch is None
                goes_on = self._reading = self._has_room()
                if self._news.locked():
                    self._news.release()
            del ahead  # the engine fills the room of a batch again once nobody holds it

    def _look(self) -> _Ahead:
        try:
            batch = self._scan.next_batch()
            heard = self._scan.events if self._heard_early and batch is not None and batch.wanted else {}
            return _Ahead(batch, heard, None)
        except BaseException as failure:  # belongs to the caller's thread, which raises it again
            return _Ahead(None, {}, failure)

    def _wait(self, seconds: float) -> None:
        """Wait until something is ahead, at most so long; a negative number: as long as it takes."""
        if not self._ahead:
            self._news.acquire(timeout=seconds)

    def next_batch(self, progress: Progress | None = None) -> Batch | None:
        """The next batch, None after the last.

        While it waits it calls `progress` with bytes read and bytes in all (0: not known).
        """
        if self._ended and not self._ahead:
            return None
        while not self._ahead:
            self._wait(-1 if progress is None else PROGRESS_INTERVAL)
            if progress is not None:
                progress(*self._scan.progress())
        batch, self.heard, failure = self._ahead.pop(0)
        self._read_ahead()
        if failure is not None:
            raise failure
        return batch

    def wait_for_something(self, progress: Progress | None = None) -> bool:
        """Wait until a flow is met that somebody wants, or a batch is read; whether it was the former.

        `progress` as for `next_batch`.
        """
        looks = 0
        while not self._ahead and not self._scan.is_promising():
            self._wait(LOOK_INTERVAL)
            looks += 1
            if progress is not None and looks % LOOKS_PER_PROGRESS == 0:
                progress(*self._scan.progress())
        return self._scan.is_promising()

    def cancel(self) -> None:
        """End the scan where it is."""
        self._scan.cancel()

    @property
    def captures(self) -> list[dict[str, Any]]:
        return self._scan.captures

    @property
    def totals(self) -> dict[str, Any]:
        return self._scan.totals

    @property
    def port_scans(self) -> list[tuple[int, int]]:
        return self._scan.port_scans

    @property
    def quotes(self) -> dict[str, bytes]:
        return self._scan.quotes

    @property
    def processes(self) -> list[str]:
        return self._scan.processes

    @property
    def events(self) -> dict[str, Any]:
        return self._scan.events

    @property
    def samples(self) -> dict[str, bytes]:
        return self._scan.samples


def thread_count(asked: int | None = None) -> int:
    """Threads to read with: those asked for, else AUDITOR_THREADS, else one for each core that we may use."""
    if asked is not None:
        return asked
    said = os.environ.get("AUDITOR_THREADS", "")
    if not said:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if said.isascii() and said.isdecimal() and 0 < int(said) <= THREADS_AT_MOST:
        return int(said)
    raise AuditorError(f"AUDITOR_THREADS is {said!r}; expected a number from 1 to {THREADS_AT_MOST}")


def audit_options(
    packs: Sequence[EnabledPack], site: Site, *, all_flows: bool = False, reading: ScanOptions | None = None
) -> ScanOptions:
    """How an audit reads, with what `reading` says of packets.

    Only what some check can concern, or with `all_flows` everything.
    """
    from auditor.wishes import listening

    heard = listening(packs, site)
    if all_flows:
        return (reading or ScanOptions())._replace(listening=heard)
    from auditor.interest import interesting_networks, interesting_ports

    networks, ports = interesting_networks(packs, site), interesting_ports(packs, site)
    return (reading or ScanOptions())._replace(networks=networks, ports=ports, listening=heard)


def table_options(packs: Sequence[EnabledPack], site: Site, *, reading: ScanOptions | None = None) -> ScanOptions:
    """How a flow table is read that the engine writes: all rows, and the columns of those that could be a vendor's."""
    options = audit_options(packs, site, reading=reading)
    heard = options.listening._replace(samples=()) if options.listening is not None else None
    return options._replace(keep_all=True, listening=heard, heard_early=True)


_running: tuple[tuple[str, ...], ScanOptions, RunningScan] | None = None


def _readers(paths: Sequence[str]) -> dict[str, Transfer]:
    """How to read those of the paths that the engine cannot open."""
    if not any("://" in path for path in paths):
        return {}
    from auditor.sources import url

    return {path: url.Transfer(path) for path in paths if url.accepts(path)}


def _start(paths: Sequence[str], options: ScanOptions) -> RunningScan:
    from auditor import _engine

    interest = None
    if options.networks is not None:
        interest = _engine.Interest(networks=options.networks, ports=options.ports)
    wishes = None if options.listening is None else _engine.Wishes(**options.listening._asdict())
    scan = _engine.scan(
        paths,
        readers=_readers(paths),
        interest=interest,
        wishes=wishes,
        keep_all=options.keep_all,
        port_scans=not options.keep_all,  # a complete table lists everything, and no check looks at it
        validate_checksums=options.validate_checksums,
        keep_duplicates=options.keep_duplicates,
        vlan=options.vlan,
        fingerprints=options.fingerprints,
        threads=thread_count(options.threads),
    )
    return RunningScan(scan, heard_early=options.heard_early)


def begin(paths: Sequence[str], options: ScanOptions) -> None:
    """Give the scan of `paths` a head start."""
    global _running
    _running = (tuple(paths), options, _start(paths, options))


def take_headstart(paths: Sequence[str], options: ScanOptions) -> RunningScan | None:
    """The head start if it is just this scan, else None. It can be taken once."""
    global _running
    running, _running = _running, None
    if running is None:
        return None
    if running[0] == tuple(paths) and running[1] == options:
        return running[2]
    running[2].cancel()
    return None


def open_scan(paths: Sequence[str], options: ScanOptions) -> RunningScan:
    """The one way to a scan: the head start if it fits, else a new one.

    `paths` are files in order of reading, "-" is standard input; `auditor.sources` makes them from what the user wrote.
    """
    return take_headstart(paths, options) or _start(paths, options)
