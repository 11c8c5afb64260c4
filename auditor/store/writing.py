"""One batch of what is pending, written within one transaction: all of it is in the store, or nothing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, bindparam, delete, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from auditor.sinks.base import Event
from auditor.store.pending import Part, Pending, Round, Standing
from auditor.store.tables import COVERAGE, FINDINGS, HEALTH, NOTICES, PARTS, RUNS, SESSIONS

CHUNK: Final = 500
"""Rows of one statement."""
_encode = json.JSONEncoder(allow_nan=False, default=str, separators=(",", ":")).encode


def write(connection: Connection, run: int, number: int, pending: Pending) -> None:
    """Write the batch `number` of a run, unless it is there already: its commit's answer may have been lost."""
    if connection.execute(select(RUNS.c.batches).where(RUNS.c.id == run)).scalar_one() >= number:
        return
    parts = _Parts(connection, run)
    for one in pending.rounds:
        _write_round(connection, run, parts, one)
    health = [_health(run, event) for _, event in pending.rows if event["event"] == "health"]
    notices = [_notice(run, event) for _, event in pending.rows if event["event"] == "notice"]
    for table, rows in ((HEALTH, health), (NOTICES, notices)):
        if rows:
            connection.execute(table.insert(), rows)
    for standing in pending.standing.values():
        _write_standing(connection, parts[standing.part], standing)
    progress = {"batches": number} | ({"last_tick_ns": pending.tick_ns} if pending.tick_ns else {})
    connection.execute(update(RUNS).where(RUNS.c.id == run).values(**progress))


class _Parts:
    """Rows of parts, made when first needed."""

    def __init__(self, connection: Connection, run: int) -> None:
        self.connection, self.run = connection, run
        self.known: dict[int, int] = {}

    def __getitem__(self, part: Part) -> int:
        if id(part) not in self.known:
            self.known[id(part)] = self._row(part)
        return self.known[id(part)]

    def _row(self, part: Part) -> int:
        values = {"run": self.run, "kind": part.kind, "start_ns": part.start_ns}
        there = select(PARTS.c.id).where(and_(*(PARTS.c[name] == value for name, value in values.items())))
        found = self.connection.execute(there).scalar()
        if found is None:
            found = self.connection.execute(PARTS.insert().values(**values).returning(PARTS.c.id)).scalar_one()
        return int(found)


def _write_round(connection: Connection, run: int, parts: _Parts, one: Round) -> None:
    closed = [_finding(run, parts[part], event) for part, event in one.closed.values()]
    if closed:
        # as open first: a row that is closed already would not meet the one that is open
        _upsert(connection, FINDINGS, [{**row, "closed_ns": None} for row in closed], ("part", "finding"), partial=True)
        still_open = and_(
            FINDINGS.c.part == bindparam("of_part"),
            FINDINGS.c.finding == bindparam("which"),
            FINDINGS.c.closed_ns.is_(None),
        )
        moments = [{"of_part": row["part"], "which": row["finding"], "at": row["told_ns"]} for row in closed]
        connection.execute(update(FINDINGS).where(still_open).values(closed_ns=bindparam("at")), moments)
    opened = [_finding(run, parts[part], event) for part, event in one.open.values()]
    if opened:
        _upsert(connection, FINDINGS, opened, ("part", "finding"), partial=True)


def _write_standing(connection: Connection, part: int, standing: Standing) -> None:
    rows = [_session(part, session) for session in standing.sessions or ()]
    sessions = {_session_key(row): row for row in rows}
    if sessions:
        _upsert(connection, SESSIONS, list(sessions.values()), ("part", "vendor", "client_ip", "start_ns", "kind"))
    statements = {(entry.vendor, entry.statement): {"part": part, **entry.to_dict()} for entry in standing.coverage}
    if statements:
        rows = [_fitting(COVERAGE, row) for row in statements.values()]
        _upsert(connection, COVERAGE, rows, ("part", "vendor", "statement"))
    if standing.end_ns is None:
        return
    if standing.sessions is not None:
        _delete_others(connection, part, set(sessions))
    still_open = and_(FINDINGS.c.part == part, FINDINGS.c.closed_ns.is_(None))
    connection.execute(update(FINDINGS).where(still_open).values(closed_ns=standing.end_ns))
    ended = {"end_ns": standing.end_ns, "verdict": standing.verdict}
    connection.execute(update(PARTS).where(PARTS.c.id == part).values(**ended))


def _delete_others(connection: Connection, part: int, sessions: set[tuple[Any, ...]]) -> None:
    """Let go the part's sessions that are not among these: earlier ticks saw them otherwise."""
    key = tuple_(SESSIONS.c.vendor, SESSIONS.c.client_ip, SESSIONS.c.start_ns, SESSIONS.c.kind)
    there = connection.execute(select(*key.clauses).where(SESSIONS.c.part == part))
    for gone in {tuple(row) for row in there} - sessions:
        columns = (SESSIONS.c.vendor, SESSIONS.c.client_ip, SESSIONS.c.start_ns, SESSIONS.c.kind)
        same = and_(SESSIONS.c.part == part, *(c == value for c, value in zip(columns, gone, strict=True)))
        connection.execute(delete(SESSIONS).where(same))


def _upsert(
    connection: Connection, table: Table, rows: list[dict[str, Any]], key: tuple[str, ...], *, partial: bool = False
) -> None:
    """Insert the rows, or change those that have the same key."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    columns = [name for name in rows[0] if name not in key]
    for chunk in _chunks(rows):
        statement = insert(table)
        statement = statement.on_conflict_do_update(
            index_elements=[table.c[name] for name in key],
            index_where=FINDINGS.c.closed_ns.is_(None) if partial else None,
            set_={name: statement.excluded[name] for name in columns},
        )
        connection.execute(statement, chunk)


def _chunks(rows: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    return (rows[at : at + CHUNK] for at in range(0, len(rows), CHUNK))


def _finding(run: int, part: int, event: Event) -> dict[str, Any]:
    waiver = event.get("waiver") or {}
    row = {
        "run": run,
        "part": part,
        "finding": event["id"],
        "check_id": event["check"],
        "severity": event["severity"],
        "vendor": event.get("vendor"),
        "client_ip": event.get("client_ip"),
        "server_ip": event.get("server_ip"),
        "service_port": event.get("service_port"),
        "protocol": event.get("protocol"),
        "outcome": event.get("outcome"),
        "count": event.get("count") or 0,
        "waived": waiver.get("expired") is False,
        "told_ns": moment(event.get("time")),
        "closed_ns": None,
        "document": _document({key: value for key, value in event.items() if key not in ("event", "time")}),
    }
    return _fitting(FINDINGS, row)


def _health(run: int, event: Event) -> dict[str, Any]:
    return {
        "run": run,
        "time_ns": moment(event.get("time")),
        "packets": _number(event.get("packets")),
        "drops": _number(event.get("drops")),
        "document": _document({key: value for key, value in event.items() if key not in ("event", "time")}),
    }


def _notice(run: int, event: Event) -> dict[str, Any]:
    row = {
        "run": run,
        "time_ns": moment(event.get("time")),
        "name": str(event.get("name") or "notice"),
        "count": event.get("count"),
        "message": str(event.get("message") or ""),
    }
    return _fitting(NOTICES, row)


def _session(part: int, session: Any) -> dict[str, Any]:
    row = {
        "part": part,
        "vendor": session.vendor,
        "client_ip": session.client_ip,
        "start_ns": session.start_ns,
        "kind": session.kind,
        "end_ns": session.end_ns,
        "outcome": session.outcome,
        "bytes_up": session.bytes_up,
        "bytes_down": session.bytes_down,
        "document": _document(session.to_dict()),
    }
    return _fitting(SESSIONS, row)


def _session_key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["vendor"], row["client_ip"], row["start_ns"], row["kind"]


def _fitting(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """The row with texts that the columns can hold. PostgreSQL refuses longer ones, and NULs, which names in traffic
    may have; both refuse what is no UTF-8. The document has all of it."""
    return {name: _text(value, table.c[name].type) if isinstance(value, str) else value for name, value in row.items()}


def _text(value: str, kind: object) -> str:
    if not value.isascii():
        value = value.encode(errors="backslashreplace").decode()
    return value.replace("\0", "")[: getattr(kind, "length", None)]


def _document(value: Mapping[str, Any]) -> str:
    """JSON text. A NUL, which PostgreSQL's text cannot hold, is escaped in it already."""
    return _encode(value)


def _number(value: object) -> int:
    if isinstance(value, Mapping):
        return sum(_number(item) for item in value.values())
    return value if isinstance(value, int) else 0


def moment(text: object) -> int:
    """Nanoseconds since 1970 of ISO 8601 in UTC; now, where an event has no time."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", str(text))
    if match is None:
        return time.time_ns()
    second = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    return int(second.timestamp()) * 10**9 + int((match[2] or "0").ljust(9, "0"))
