"""What the watch says about itself, losses among it, stands in the store too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("run", NUMBER, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("time_ns", sa.BigInteger, nullable=False, index=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("count", sa.BigInteger),
        sa.Column("message", sa.Text, nullable=False),
    )
