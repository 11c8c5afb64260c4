"""Runs with their parts, findings, sessions, coverage and health."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("sensor", sa.String(64), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("started_ns", sa.BigInteger, nullable=False),
        sa.Column("last_tick_ns", sa.BigInteger, nullable=False),
        sa.Column("batches", sa.BigInteger, nullable=False),
        sa.Column("ended_ns", sa.BigInteger),
        sa.Column("ending", sa.String(16)),
    )
    op.create_table(
        "parts",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("run", NUMBER, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("start_ns", sa.BigInteger, nullable=False),
        sa.Column("end_ns", sa.BigInteger),
        sa.Column("verdict", sa.String(16)),
    )
    op.create_table(
        "findings",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("run", NUMBER, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("part", NUMBER, nullable=False),
        sa.Column("finding", sa.String(32), nullable=False),
        sa.Column("check_id", sa.String(64), nullable=False),
        sa.Column("severity", sa.String(8), nullable=False),
        sa.Column("vendor", sa.String(255)),
        sa.Column("client_ip", sa.String(255)),
        sa.Column("server_ip", sa.String(255)),
        sa.Column("service_port", sa.Integer),
        sa.Column("protocol", sa.String(32)),
        sa.Column("outcome", sa.String(16)),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("waived", sa.Boolean, nullable=False),
        sa.Column("told_ns", sa.BigInteger, nullable=False, index=True),
        sa.Column("closed_ns", sa.BigInteger),
        sa.Column("document", sa.Text, nullable=False),
    )
    is_open = sa.text("closed_ns IS NULL")
    op.create_index(
        "ux_findings_open", "findings", ["part", "finding"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_table(
        "sessions",
        sa.Column("part", NUMBER, sa.ForeignKey("parts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("vendor", sa.String(255), primary_key=True),
        sa.Column("client_ip", sa.String(64), primary_key=True),
        sa.Column("start_ns", sa.BigInteger, primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("end_ns", sa.BigInteger, nullable=False, index=True),
        sa.Column("outcome", sa.String(64)),
        sa.Column("bytes_up", sa.BigInteger, nullable=False),
        sa.Column("bytes_down", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "coverage",
        sa.Column("part", NUMBER, sa.ForeignKey("parts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("vendor", sa.String(64), primary_key=True),
        sa.Column("statement", sa.String(64), primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
    )
    op.create_table(
        "health",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("run", NUMBER, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("time_ns", sa.BigInteger, nullable=False, index=True),
        sa.Column("packets", sa.BigInteger, nullable=False),
        sa.Column("drops", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
