"""Stores of each earlier version become this one's, or are left as they were."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from auditor.errors import StoreError
from auditor.store import open_store
from auditor.store.opening import VERSION_TABLE, engine_of, migrate
from auditor.store.tables import METADATA


@pytest.mark.parametrize("version", ["0001", "0002"])
def test_from_each_version_on_the_tables_become_those_of_the_program(url: str, version: str) -> None:
    engine = engine_of(url)
    with engine.begin() as connection:
        migrate(connection, version)
        connection.execute(
            text("INSERT INTO runs VALUES (1, 'span0', '1', 10, 20, 0, NULL, NULL)")
        )  # fmt: skip
    engine.dispose()
    engine = open_store(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
        assert connection.execute(text("SELECT sensor FROM runs")).scalars().all() == ["span0"]
    engine.dispose()


def test_a_store_of_a_newer_program_is_refused_and_left_alone(url: str) -> None:
    engine = open_store(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match=r"is a store of version 9999, newer than this program"):
        open_store(url)


def test_what_is_no_store_is_told() -> None:
    with pytest.raises(StoreError, match=r"mysql is no store"):
        open_store("mysql://u@h/d")
    with pytest.raises(StoreError, match=r"there is no folder /nowhere"):
        open_store("sqlite:////nowhere/auditor.db")
    with pytest.raises(StoreError, match=r"remembers nothing"):
        open_store("sqlite://")


def test_no_password_is_shown_where_the_server_cannot_be_reached() -> None:
    with pytest.raises(StoreError, match=r"cannot be opened") as raised:
        open_store("postgresql://auditor@127.0.0.1:1/x", password="hunter2")
    assert raised.value.again
    assert "hunter2" not in str(raised.value)


def test_a_file_that_is_no_database_is_told(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "auditor.db"
    path.write_bytes(b"not a database, but long enough to be looked at as one" * 100)
    with pytest.raises(StoreError, match=r"auditor\.db: cannot be opened: file is not a database"):
        open_store(f"sqlite:///{path}")
