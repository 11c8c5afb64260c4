"""Run by alembic: migrates within the caller's transaction, so that a store is of one version or the next."""

from __future__ import annotations

from alembic import context

from auditor.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    version_table="auditor_version",
)
context.run_migrations()
