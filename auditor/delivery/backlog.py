"""What waits for one sink: events in order, or groups of like ones. No threads, and no clock but its caller's."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from auditor.delivery.weight import weight
from auditor.sinks.base import OF_FINDINGS, Event, Grouping

LIKE: Final = ("event", "check", "vendor", "severity", "certainty", "outcome", "direction", "protocol")
"""Findings with the same values here are like each other."""
MAX_KINDS: Final = 1000
"""Groups that are open at once, and kinds whose last telling is remembered. Packs and checks make some hundreds."""
MAX_EXAMPLES: Final = 10
"""Findings that a group names."""
MAX_ENDS: Final = 1000
"""Clients, and servers, that a group tells apart."""
END_BYTES: Final = 150
"""What an address takes in a set, and a bit more."""
UNBOUNDED: Final = 1 << 60
"""More bytes than there are."""
HEALTH_SHARE: Final = 0.5
"""Health is heard as long as no more of the queue than this is taken: findings come first."""


class Waiting(NamedTuple):
    """An event, for how many it stands (0: what the backlog itself has to say), and the memory that it takes."""

    event: Event
    weight: int
    bytes: int = 0


@dataclass(slots=True)
class Group:
    """Like findings."""

    first: Event
    due: float
    bytes: int = 0
    count: int = 0
    flows: int = 0
    ids: list[str] = field(default_factory=list)
    clients: set[str] = field(default_factory=set)
    servers: set[str] = field(default_factory=set)
    first_seen: str = ""
    last_seen: str = ""

    def add(self, event: Event, room: int) -> int:
        """Take a finding; the memory that it took, at most about `room` bytes: without, its ends are not told apart."""
        self.count += 1
        self.flows += event.get("count") or 0
        if len(self.ids) < MAX_EXAMPLES and event.get("id"):
            self.ids.append(event["id"])
        before = len(self.clients) + len(self.servers)
        for ends, key in ((self.clients, "client_ip"), (self.servers, "server_ip")):
            if len(ends) < MAX_ENDS and event.get(key) and room > 0:
                ends.add(event[key])
        new = (len(self.clients) + len(self.servers) - before) * END_BYTES
        self.bytes += new
        first, last = event.get("first_seen") or "", event.get("last_seen") or ""
        self.first_seen = min(self.first_seen or first, first or self.first_seen)
        self.last_seen = max(self.last_seen, last)
        return new

    def waiting(self) -> Waiting:
        """The first finding alone, or with what the others add to it."""
        if self.count == 1:
            return Waiting(self.first, 1, self.bytes)
        told = {
            "findings": self.count,
            "flows": self.flows,
            "clients": len(self.clients),
            "servers": len(self.servers),
            "ids": self.ids,
            "first_seen": self.first_seen or None,
            "last_seen": self.last_seen or None,
        }
        message = f"{self.first.get('message', '')} (and {self.count - 1:,} like it)"
        return Waiting({**self.first, "message": message, "grouped": told}, self.count, self.bytes)


class Backlog:
    """Events that wait. `limit`: how many, at most, in `room` bytes; `rate`: how many may leave in a minute, 0: all."""

    def __init__(
        self,
        limit: int,
        *,
        grouping: Grouping | None = None,
        rate: int = 0,
        wait: float = 0.0,
        room: int | None = None,
    ) -> None:
        self.limit = limit
        self.room = room
        self._taken = 0  # bytes, where there is a limit of them
        self.grouping = grouping
        self.rate = rate
        self.wait = wait
        self.lost: dict[str, int] = {}
        self._single: deque[tuple[Waiting, float]] = deque()
        self._groups: OrderedDict[tuple[Any, ...], Group] = OrderedDict()
        self._told: OrderedDict[tuple[Any, ...], float] = OrderedDict()  # kind → when it was told last
        self._allowance = float(rate)
        self._filled_at: float | None = None

    def __len__(self) -> int:
        """Events that wait, those in groups among them."""
        return len(self._single) + sum(group.count for group in self._groups.values())

    def put(self, event: Event, now: float) -> bool:
        """Take an event; False if it is lost, which is counted."""
        if self.grouping is not None and event["event"] in OF_FINDINGS:
            return self._group(event, now)
        room = self.limit * HEALTH_SHARE if event["event"] == "health" else self.limit
        size = self._size(event)
        if len(self._single) >= room or size > self._left:
            return self._lose("queue-full")
        self._taken += size
        self._single.append((Waiting(event, 1, size), now + self.wait))
        return True

    def take(self, now: float, most: int, *, all: bool = False) -> list[Waiting]:
        """What may leave now, at most `most` events; with `all`, without the waits and the rate."""
        most = most if all else min(most, self._allowed(now))
        taken: list[Waiting] = []
        due = all or len(self._single) >= most or (bool(self._single) and self._single[0][1] <= now)
        singles = len(self._single) if due else 0
        groups = [kind for kind, group in self._groups.items() if all or group.due <= now]
        groups.sort(key=lambda kind: self._groups[kind].due, reverse=True)
        while len(taken) < most and (singles or groups):
            # what is due first goes first: else health alone could take all of the rate, and findings never leave
            if singles and (not groups or self._single[0][1] <= self._groups[groups[-1]].due):
                taken.append(self._single.popleft()[0])
                singles -= 1
            else:
                taken.append(self._close_group(groups.pop(), now))
        self._allowance -= len(taken)
        self._taken -= sum(item.bytes for item in taken)
        return taken

    def _close_group(self, kind: tuple[Any, ...], now: float) -> Waiting:
        """What a group tells. More of its kind waits for the interval."""
        self._told[kind] = now
        self._told.move_to_end(kind)
        if len(self._told) > MAX_KINDS:
            self._told.popitem(last=False)
        return self._groups.pop(kind).waiting()

    def next_due(self, now: float) -> float | None:
        """Seconds until something may leave; None where nothing waits."""
        moments = [group.due for group in self._groups.values()]
        if self._single:
            moments.append(self._single[0][1])
        if not moments:
            return None
        delay = max(0.0, min(moments) - now)
        if self.rate and self._allowed(now) < 1:
            delay = max(delay, (1 - self._allowance) * 60 / self.rate)
        return delay

    def _group(self, event: Event, now: float) -> bool:
        assert self.grouping is not None
        kind = tuple(event.get(key) for key in LIKE)
        group = self._groups.get(kind)
        if group is None:
            if len(self._groups) >= MAX_KINDS:
                return self._lose("too-many-kinds")
            size = self._size(event)
            if size > self._left:
                return self._lose("queue-full")
            self._taken += size
            due = now + self.grouping.wait
            if kind in self._told:
                due = max(due, self._told[kind] + self.grouping.interval)
            group = self._groups[kind] = Group(event, due, size)
        self._taken += group.add(event, self._left)
        return True

    def _size(self, event: Event) -> int:
        """Bytes of an event, where they count."""
        return 0 if self.room is None else weight(event)

    @property
    def _left(self) -> int:
        """Bytes that may still be taken."""
        return UNBOUNDED if self.room is None else self.room - self._taken

    def _allowed(self, now: float) -> int:
        """How many events may leave now: a minute's worth at once, then as they come in by time."""
        if not self.rate:
            return 1 << 30
        if self._filled_at is not None:
            self._allowance = min(self.rate, self._allowance + (now - self._filled_at) * self.rate / 60)
        self._filled_at = now
        return int(self._allowance + 1e-9)

    def _lose(self, cause: str) -> bool:
        self.lost[cause] = self.lost.get(cause, 0) + 1
        return False
