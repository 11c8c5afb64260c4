"""The tables. Changing one takes a migration in `migrations/versions/`; a test compares both.

Moments are nanoseconds since 1970 (`…_ns`). `document` is what a report has of the row, as JSON text; the columns
beside it are for queries.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, text

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
"""A row's number: SQLite counts up by itself only what is declared INTEGER."""

RUNS: Final = Table(
    "runs",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("sensor", String(64), nullable=False),
    Column("version", String(32), nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("last_tick_ns", BigInteger, nullable=False),  # all until then is in the store
    Column(
        "batches", BigInteger, nullable=False
    ),  # written so far: tells whether a commit whose answer was lost came through
    Column("ended_ns", BigInteger),  # null: it runs, or was killed
    Column("ending", String(16)),  # stopped, interrupted (killed; the next run says so)
)
PARTS: Final = Table(
    "parts",  # of a run: its windows, and the times between them
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("run", NUMBER, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(8), nullable=False),  # window, between
    Column("start_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger),  # null: not ended
    Column("verdict", String(16)),
)
FINDINGS: Final = Table(
    "findings",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("run", NUMBER, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("part", NUMBER, nullable=False),
    Column("finding", String(32), nullable=False),  # the report's id; closed and opened again, it is another row
    Column("check_id", String(64), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("vendor", String(255)),
    Column("client_ip", String(255)),
    Column("server_ip", String(255)),
    Column("service_port", Integer),
    Column("protocol", String(32)),
    Column("outcome", String(16)),
    Column("count", BigInteger, nullable=False),
    Column("waived", Boolean, nullable=False),
    Column("told_ns", BigInteger, nullable=False, index=True),  # last news of it
    Column("closed_ns", BigInteger),
    Column("document", Text, nullable=False),
    Index("ux_findings_open", "part", "finding", unique=True, sqlite_where=text("closed_ns IS NULL"),
          postgresql_where=text("closed_ns IS NULL")),
)  # fmt: skip
SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("part", NUMBER, ForeignKey("parts.id", ondelete="CASCADE"), primary_key=True),
    Column("vendor", String(255), primary_key=True),
    Column("client_ip", String(64), primary_key=True),
    Column("start_ns", BigInteger, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("end_ns", BigInteger, nullable=False, index=True),
    Column("outcome", String(64)),
    Column("bytes_up", BigInteger, nullable=False),
    Column("bytes_down", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
)
COVERAGE: Final = Table(
    "coverage",
    METADATA,
    Column("part", NUMBER, ForeignKey("parts.id", ondelete="CASCADE"), primary_key=True),
    Column("vendor", String(64), primary_key=True),
    Column("statement", String(64), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("evidence", Text, nullable=False),
)
HEALTH: Final = Table(
    "health",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("run", NUMBER, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("time_ns", BigInteger, nullable=False, index=True),
    Column("packets", BigInteger, nullable=False),
    Column("drops", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
)
NOTICES: Final = Table(
    "notices",  # what the watch had to say about itself, losses among it
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("run", NUMBER, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("time_ns", BigInteger, nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("count", BigInteger),
    Column("message", Text, nullable=False),
)
