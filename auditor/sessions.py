"""Backup runs: the flows of one client with one vendor, as long as no silence parts them.

What goes through a proxy is a run with the proxy's target. Where a control session is readable, it says which data
connections carry files: listings are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from auditor.addressmap import any_bit
from auditor.flow import TCP, Codes, Direction, Flows, Role, RoleBasis, Rows, Seen
from auditor.formats import address_text, time_text
from auditor.frozen import frozen
from auditor.negotiation import BY_NAME, Logical
from auditor.secrecy import OPEN, SECURED, UNKNOWN, controls, secrecy
from auditor.transfers import Purpose, purposes

if TYPE_CHECKING:
    from auditor.checks.base import Context

# Silence after which a client's next flow begins another run. Within a run the agents that are known pause for seconds;
# schedules repeat after hours. It is the TCP idle time after which the flow table splits as well.
SESSION_GAP_NS = 300 * 10**9

BACKUP, REGISTRATION, SUPPORT = range(3)
KIND_OF_ROLE = {
    Role.CONTROL: BACKUP,
    Role.DATA: BACKUP,
    Role.REGISTRATION: REGISTRATION,
    Role.SUPPORT: SUPPORT,
}


@frozen
class Session:
    """One run. Bytes are payload, retransmissions counted once."""

    vendor: str
    client_ip: str
    servers: tuple[str, ...]  # sorted by address; of a proxy's target that is known by name only, the name
    start_ns: int
    end_ns: int
    kind: str  # backup | restore | registration | support
    files: int  # data connections, those aside that are known to be listings
    bytes_up: int  # client → server
    bytes_down: int
    secured: bool | None  # its control sessions and what was sampled of its data were encrypted; None: not known
    outcome: str  # see `_outcome`

    def to_dict(self) -> dict[str, Any]:
        return {
            "vendor": self.vendor,
            "client_ip": self.client_ip,
            "servers": list(self.servers),
            "start": time_text(self.start_ns),
            "end": time_text(self.end_ns),
            "kind": self.kind,
            "files": self.files,
            "bytes_up": self.bytes_up,
            "bytes_down": self.bytes_down,
            "secured": self.secured,
            "outcome": self.outcome,
        }


def sessions_of(flows: Flows, context: Context) -> list[Session]:
    """The sessions in whole, classified flows, sorted by start, client and vendor."""
    kinds = np.full(max(Role) + 1, -1, np.int64)
    kinds[[int(role) for role in KIND_OF_ROLE]] = list(KIND_OF_ROLE.values())
    kind = kinds[flows.role]
    # A data connection on a port that is not published is one all the same, if its server announced it.
    announced = (flows.role == Role.UNPUBLISHED) & (flows.role_basis == RoleBasis.NEGOTIATED)
    kind[announced] = BACKUP
    rows = np.flatnonzero((kind >= 0) & (flows.vendor > 0) & (flows.direction != Direction.INBOUND))
    columns = _Columns.of(flows, context, rows, kind[rows])
    columns = columns.at(np.lexsort((columns.start, *reversed(columns.key))))
    found = _sessions(columns, np.flatnonzero(_begins(columns)), context)
    return sorted(found, key=lambda session: (session.start_ns, session.client_ip, session.vendor, session.kind))


@frozen
class _Columns:
    """What sessions are made from, one element for each of their flows."""

    key: tuple[NDArray[Any], ...]  # client's address, vendor, kind
    server_hi: NDArray[np.uint64]
    server_lo: NDArray[np.uint64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    up: NDArray[np.uint64]
    down: NDArray[np.uint64]
    data: NDArray[np.bool_]  # carries a file, as far as is known
    answered: NDArray[np.bool_]
    refused: NDArray[np.bool_]
    broken: NDArray[np.bool_]
    ended: NDArray[np.bool_]
    secrecy: NDArray[np.int8]  # see `auditor.secrecy`
    control: NDArray[np.bool_]  # see `auditor.secrecy.controls`

    @classmethod
    def of(cls, flows: Flows, context: Context, rows: Rows, kind: NDArray[np.int64]) -> _Columns:
        ours = flows.client_is_initiator[rows]
        ends = Logical.of(flows, context.proxied)
        purpose = purposes(len(flows), context.events, context.negotiation)[rows]
        role: Codes = flows.role[rows]
        is_data = (role == Role.DATA) | (role == Role.UNPUBLISHED)

        def pick(first: str, second: str) -> NDArray[Any]:
            column: NDArray[Any] = np.where(ours, getattr(flows, first)[rows], getattr(flows, second)[rows])
            return column

        forward, reverse = flows.seen_forward[rows], flows.seen_reverse[rows]
        tcp = flows.protocol[rows] == TCP
        answered = tcp & any_bit(forward | reverse, Seen.SYN_ACK | Seen.DATA)
        reset = tcp & any_bit(forward | reverse, Seen.RST)
        return cls(
            key=(
                ends.client_hi[rows],
                ends.client_lo[rows],
                flows.vendor[rows],
                kind,
            ),
            server_hi=ends.server_hi[rows],
            server_lo=ends.server_lo[rows],
            start=flows.start_ns[rows],
            end=flows.end_ns[rows],
            up=pick("payload_forward", "payload_reverse"),
            down=pick("payload_reverse", "payload_forward"),
            data=is_data & (purpose != Purpose.LISTING),
            answered=answered,
            refused=reset & ~answered,
            # A client that closes and then resets is done: what is lost is only the rest of the farewell.
            broken=answered & reset & ~any_bit(forward | reverse, Seen.FIN),
            ended=reset | any_bit(forward & reverse, Seen.FIN),
            secrecy=secrecy(flows, context)[rows],
            control=controls(flows, context)[rows],
        )

    def at(self, order: Rows) -> _Columns:
        columns = {one.name: getattr(self, one.name)[order] for one in fields(self) if one.name != "key"}
        return _Columns(key=tuple(column[order] for column in self.key), **columns)


def _sessions(flows: _Columns, starts: Rows, context: Context) -> Iterator[Session]:
    """The sessions that begin at `starts`."""
    if not len(starts):
        return
    data, zero = flows.data, np.uint64(0)

    def total(column: NDArray[Any]) -> list[int]:
        return np.add.reduceat(column, starts).tolist()  # type: ignore[no-any-return]

    end = np.maximum.reduceat(flows.end, starts).tolist()
    up, down = total(flows.up), total(flows.down)
    data_up, data_down = total(np.where(data, flows.up, zero)), total(np.where(data, flows.down, zero))
    files = total(data.astype(np.int64))
    broken, refused = total(flows.broken.astype(np.int64)), total(flows.refused.astype(np.int64))
    answered = total(flows.answered.astype(np.int64))
    secured = _secured(flows, starts)
    open_ended = total((flows.answered & ~flows.ended).astype(np.int64))
    bounds = [*starts.tolist(), len(data)]
    for at, (first, last) in enumerate(pairwise(bounds)):
        client_hi, client_lo, vendor, kind = (int(column[first]) for column in flows.key)
        servers = set(zip(flows.server_hi[first:last].tolist(), flows.server_lo[first:last].tolist(), strict=True))
        backup = "restore" if data_down[at] > data_up[at] else "backup"
        yield Session(
            vendor=context.labels.vendors[vendor],
            client_ip=address_text(client_hi, client_lo),
            servers=tuple(
                context.proxied.names[lo] if hi == BY_NAME else address_text(hi, lo) for hi, lo in sorted(servers)
            ),
            start_ns=int(flows.start[first]),
            end_ns=end[at],
            kind={BACKUP: backup, REGISTRATION: "registration", SUPPORT: "support"}[kind],
            files=files[at],
            bytes_up=up[at],
            bytes_down=down[at],
            secured=secured[at],
            outcome=_outcome(answered[at], refused[at], broken[at], open_ended[at]),
        )


def _secured(flows: _Columns, starts: Rows) -> list[bool | None]:
    """Of each session: not secured as soon as one flow is open; secured where that is known of all control sessions.

    Sessions without control connections of their own are secured where some of what they carry is known to be.
    """

    def some(which: NDArray[np.bool_]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = np.logical_or.reduceat(which, starts)
        return found

    is_open = some(flows.secrecy == OPEN)
    unknown_control = some(flows.control & (flows.secrecy == UNKNOWN))
    known = some(flows.secrecy == SECURED) & ~unknown_control
    return [
        False if bare else True if safe else None for bare, safe in zip(is_open.tolist(), known.tolist(), strict=True)
    ]


def _begins(flows: _Columns) -> NDArray[np.bool_]:
    """Which flows, sorted by key and start, begin a session: another key, or silence before them."""
    begins = np.zeros(len(flows.start), np.bool_)
    begins[:1] = True
    for column in flows.key:
        begins[1:] |= column[1:] != column[:-1]
    bounds = [*np.flatnonzero(begins).tolist(), len(begins)]
    for first, last in pairwise(bounds):
        latest = np.maximum.accumulate(flows.end[first:last])
        begins[first + 1 : last] |= flows.start[first + 1 : last] - latest[:-1] > SESSION_GAP_NS
    return begins


def _outcome(answered: int, refused: int, broken: int, open_ended: int) -> str:
    """How the run went, from the numbers of its flows.

    unanswered: no server answered · refused: servers answered with RST alone · interrupted: an answered flow ended by
    RST without FIN · unfinished: of some answered flow no end was captured · completed: every answered flow was closed.
    """
    if not answered:
        return "refused" if refused else "unanswered"
    if broken:
        return "interrupted"
    return "unfinished" if open_ended else "completed"
