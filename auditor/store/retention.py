"""What goes when it is old, and what goes first when there is too much."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select

from auditor.store.tables import COVERAGE, FINDINGS, HEALTH, NOTICES, PARTS, RUNS, SESSIONS

CHUNK: Final = 2000
"""Rows of one table that go at once: writing goes on in between."""
SHARE: Final = 0.9
"""A store that is too large is brought down to this share of what it may be, so that it is not so again at once."""
FREE_PAGES: Final = 2000
"""Pages of SQLite's that are given back to the disk at a time."""
ROW_BYTES: Final = 300
"""What a row of PostgreSQL takes beside its document, with its indexes, roughly."""
OLD: Final = ((HEALTH, HEALTH.c.time_ns), (NOTICES, NOTICES.c.time_ns), (SESSIONS, SESSIONS.c.end_ns),
              (FINDINGS, FINDINGS.c.told_ns))  # fmt: skip


def prune_by_age(connection: Connection, before_ns: int, sensor: str | None = None) -> int:
    """Delete what is older, a chunk of each table; how many rows went. Open findings stay.

    `sensor`: the one of which rows may go; None: all.
    """
    gone = sum(_delete_oldest(connection, table, CHUNK, [time < before_ns, *_of(table, sensor)]) for table, time in OLD)
    for table, end in ((PARTS, PARTS.c.end_ns), (RUNS, RUNS.c.ended_ns)):  # coverage goes with its part
        over = and_(end.is_not(None), end < before_ns, *_of(table, sensor))
        gone += connection.execute(delete(table).where(over)).rowcount
    return gone


def prune_by_size(connection: Connection, sensor: str | None = None) -> int:
    """Delete the oldest tenth of each table, at most a chunk of it; how many rows went. `sensor`: as above."""
    gone = 0
    for table, _ in OLD:
        mine = _of(table, sensor)
        count = connection.execute(select(func.count()).select_from(table).where(*mine)).scalar_one()
        gone += _delete_oldest(connection, table, min(CHUNK, max(100, count // 10)), mine)
    return gone


def used_bytes(connection: Connection, sensor: str | None = None) -> int:
    """What the rows take: for SQLite exactly, pages that are free aside; for PostgreSQL by their documents' lengths,
    since its files shrink by no deletion. `sensor`: as above, where it is PostgreSQL."""
    if connection.dialect.name == "sqlite":
        pages, free, size = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)
    total = 0
    for table, text in ((FINDINGS, "document"), (SESSIONS, "document"), (HEALTH, "document"), (NOTICES, "message"),
                        (COVERAGE, "evidence")):  # fmt: skip
        length = func.coalesce(func.sum(func.octet_length(table.c[text])), 0)
        mine = select(func.count(), length).select_from(table).where(*_of(table, sensor))
        rows, used = connection.execute(mine).one()
        total += rows * ROW_BYTES + int(used)
    return total


def give_back(connection: Connection) -> int:
    """Give free pages back to the disk, some at a time; how many at most."""
    if connection.dialect.name != "sqlite":
        return 0
    cursor = connection.connection.cursor()  # gives back a page with each step, and rows only where there are some
    cursor.execute(f"PRAGMA incremental_vacuum({FREE_PAGES})")
    cursor.fetchall()
    cursor.close()
    return FREE_PAGES


def _delete_oldest(connection: Connection, table: Table, most: int, where: list[ColumnElement[bool]]) -> int:
    time = next(column for one, column in OLD if one is table)
    if table is SESSIONS:
        # no number tells its rows apart: up to the moment of the last one that goes
        last = connection.execute(select(time).where(*where).order_by(time).offset(most - 1).limit(1)).scalar()
        last = connection.execute(select(func.max(time)).where(*where)).scalar() if last is None else last
        if last is None:
            return 0
        return connection.execute(delete(table).where(time <= last, *where)).rowcount
    oldest = select(table.c.id).where(*where).order_by(time).limit(most)
    if table is FINDINGS:
        oldest = oldest.where(FINDINGS.c.closed_ns.is_not(None))
    return connection.execute(delete(table).where(table.c.id.in_(oldest))).rowcount


def _of(table: Table, sensor: str | None) -> list[ColumnElement[bool]]:
    """That a row is the sensor's."""
    if sensor is None:
        return []
    if table is RUNS:
        return [RUNS.c.sensor == sensor]
    runs = select(RUNS.c.id).where(RUNS.c.sensor == sensor)
    if "run" in table.c:
        return [table.c.run.in_(runs)]
    return [table.c.part.in_(select(PARTS.c.id).where(PARTS.c.run.in_(runs)))]
