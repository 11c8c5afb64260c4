"""Stores to test with: SQLite in a folder of the test, and a PostgreSQL that the tests start themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import postgresql
import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.Postgres]:
    with postgresql.server() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each kind of store, empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'auditor.db'}"
    server: postgresql.Postgres = request.getfixturevalue("postgres")
    return server.database("t" + os.urandom(6).hex())
