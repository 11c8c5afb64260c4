"""Backup runs: the flows of one client with one vendor, as long as no silence parts them.

What goes through a proxy is a run with the proxy's target. Where a control session is readable, it says which data
connections carry files: listings are none. In active mode servers open the data connections, which are a run's own all
the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from auditor.addressmap import any_bit
from auditor.checks._select import REORDERING_NS, group, vendor_table
from auditor.flow import TCP, Bools, Codes, Direction, Flows, Role, RoleBasis, Rows, Seen
from auditor.formats import address_text, time_text
from auditor.frozen import frozen, replace
from auditor.negotiation import BY_NAME, Logical, alive_at
from auditor.pairs import NO_PAIR, Owner, assigning, pairs_of
from auditor.secrecy import OPEN, SECURED, UNKNOWN, controls, secrecy
from auditor.transfers import Purpose, purposes

if TYPE_CHECKING:
    from auditor.checks.base import Context

# Silence after which a client's next flow begins another run. Within a run the agents that are known pause for seconds;
# schedules repeat after hours. It is the TCP idle time after which the flow table splits as well.
SESSION_GAP_NS = 300 * 10**9

FTP_DATA_PORT = 20  # from where a server opens data connections in active mode (RFC 959, section 3.2)

COMPLETED = "completed"  # of `_outcome`

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
    files: int  # answered data connections, those aside that are known to be listings
    bytes_up: int  # client → server
    bytes_down: int
    secured: bool | None  # its control sessions and what was sampled of its data were encrypted; None: not known
    outcome: str  # see `_outcome`
    # Of vendors who assign servers in pairs: those of the client, at a registration the servers where it registers, as
    # far as its traffic shows (`auditor.pairs`); None: not known, or no such vendor.
    primary: str | None = None
    alternate: str | None = None

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
            "primary": self.primary,
            "alternate": self.alternate,
        }


def sessions_of(flows: Flows, context: Context) -> list[Session]:
    """The sessions in whole, classified flows, sorted by start, client and vendor."""
    kinds = np.full(max(Role) + 1, -1, np.int64)
    kinds[[int(role) for role in KIND_OF_ROLE]] = list(KIND_OF_ROLE.values())
    kind = kinds[flows.role]
    # A data connection on a port that is not published is one all the same, if its server announced it.
    announced = (flows.role == Role.UNPUBLISHED) & (flows.role_basis == RoleBasis.NEGOTIATED)
    kind[announced] = BACKUP
    kind[flows.direction == Direction.INBOUND] = -1
    called = called_by_servers(flows, context)
    kind[called] = BACKUP
    rows = np.flatnonzero((kind >= 0) & (flows.vendor > 0))
    columns = _Columns.of(flows, context, rows, kind[rows], called)
    columns = columns.at(np.lexsort((columns.start, *reversed(columns.key))))
    found = _sessions(columns, np.flatnonzero(_begins(columns)), context)
    return _with_pairs(sorted(found, key=lambda run: _when(run[0])), context)


def _when(session: Session) -> tuple[int, str, str, str]:
    return session.start_ns, session.client_ip, session.vendor, session.kind


def called_by_servers(flows: Flows, context: Context) -> Bools:
    """Data connections of active mode: a readable control session asked for them; or, since nobody can read PORT under
    TLS, they come from a server's port 20 while a control session of that client was open.
    """
    negotiates = vendor_table(
        context, lambda enabled: any(service.negotiated_by is not None for service in enabled.pack.services)
    )
    inbound = negotiates[flows.vendor] & (flows.protocol == TCP) & (flows.role == Role.INBOUND)
    port = np.where(flows.client_is_initiator, flows.responder_port, flows.initiator_port)
    found = np.zeros(len(flows), np.bool_)
    if len(context.negotiation.called):
        found = inbound & (context.negotiation.called >= 0)
    rows = np.flatnonzero(inbound & (port == FTP_DATA_PORT) & ~found)
    control = np.flatnonzero(controls(flows, context))
    if len(rows) and len(control):
        both, ends = np.concatenate([control, rows]), Logical.of(flows, context.proxied)
        client = group(ends.client_hi[both], ends.client_lo[both], flows.vendor[both])
        opened, closed = flows.start_ns[control] - REORDERING_NS, flows.end_ns[control] + REORDERING_NS
        open_ones = alive_at(client[: len(control)], opened, closed, client[len(control) :], flows.start_ns[rows])
        found[rows[open_ones > 0]] = True
    return found


def _with_pairs(runs: Sequence[tuple[Session, Sequence[str]]], context: Context) -> list[Session]:
    """The sessions with the pairs of their clients. `runs` are in order, with the servers as they were called."""
    vendors = assigning(context.packs)

    def owner(session: Session) -> Owner:
        return session.vendor, session.client_ip, session.kind == "registration"

    pairs = pairs_of((owner(session), servers) for session, servers in runs if session.vendor in vendors)
    if not pairs:
        return [session for session, _ in runs]
    return [replace(session, **pairs.get(owner(session), NO_PAIR)._asdict()) for session, _ in runs]


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
    def of(cls, flows: Flows, context: Context, rows: Rows, kind: NDArray[np.int64], called: Bools) -> _Columns:
        ours = flows.client_is_initiator[rows]
        ends = Logical.of(flows, context.proxied)
        purpose = purposes(len(flows), context.events, context.negotiation)[rows]
        role: Codes = flows.role[rows]
        is_data = (role == Role.DATA) | (role == Role.UNPUBLISHED) | called[rows]

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
            data=is_data & (purpose != Purpose.LISTING) & answered,
            answered=answered,
            refused=reset & ~answered,
            # A client that closes and then resets is done: what is lost is only the rest of the farewell.
            broken=answered & reset & ~any_bit(forward | reverse, Seen.FIN),
            ended=reset | any_bit(forward & reverse, Seen.FIN),
            secrecy=secrecy(flows, context)[rows],
            control=controls(flows, context)[rows],
        )

    def at(self, order: Rows) -> _Columns:
        columns = {name: getattr(self, name)[order] for name in self.__match_args__ if name != "key"}
        return _Columns(key=tuple(column[order] for column in self.key), **columns)


def _sessions(flows: _Columns, starts: Rows, context: Context) -> Iterator[tuple[Session, tuple[str, ...]]]:
    """The sessions that begin at `starts`, and the servers of each in the order of their first calls."""
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
    calls = _first_calls(flows, starts)
    addresses = list(zip(flows.server_hi[calls].tolist(), flows.server_lo[calls].tolist(), strict=True))
    bounds = pairwise([*np.searchsorted(calls, starts).tolist(), len(calls)])
    keys = zip(*(column[starts].tolist() for column in (*flows.key, flows.start)), strict=True)
    for at, ((client_hi, client_lo, vendor, kind, start), (first, last)) in enumerate(zip(keys, bounds, strict=True)):
        servers = {
            (hi, lo): context.proxied.names[lo] if hi == BY_NAME else address_text(hi, lo)
            for hi, lo in addresses[first:last]
        }
        backup = "restore" if data_down[at] > data_up[at] else "backup"
        session = Session(
            vendor=context.labels.vendors[vendor],
            client_ip=address_text(client_hi, client_lo),
            servers=tuple(servers[address] for address in sorted(servers)),
            start_ns=start,
            end_ns=end[at],
            kind={BACKUP: backup, REGISTRATION: "registration", SUPPORT: "support"}[kind],
            files=files[at],
            bytes_up=up[at],
            bytes_down=down[at],
            secured=secured[at],
            outcome=_outcome(answered[at], refused[at], broken[at], open_ended[at]),
        )
        yield session, tuple(servers.values())


def _first_calls(flows: _Columns, starts: Rows) -> Rows:
    """The first flow of each session with each of its servers, in order."""
    session = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(flows.start)))
    number = group(session, flows.server_hi, flows.server_lo)
    first = np.empty(int(number.max()) + 1, np.intp)
    first[number[::-1]] = np.arange(len(number))[::-1]  # backwards, so that the first one stays
    return np.sort(first)


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
    return "unfinished" if open_ended else COMPLETED
