"""Opening a store: its URL, its settings, and its tables brought up to this version."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from auditor.errors import StoreError

try:
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import Connection, Engine, create_engine, event, text
    from sqlalchemy.engine import URL, make_url
    from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
    from sqlalchemy.pool import NullPool
except ImportError as missing:
    raise StoreError(
        f"a store needs {missing.name}, which is not installed", help="pip install 'auditor[store]'"
    ) from None

MIGRATIONS: Final = Path(__file__).parent / "migrations"
VERSION_TABLE: Final = "auditor_version"
BUSY_SECONDS: Final = 10
"""How long SQLite waits for another process that writes, a reader's checkpoint or a backup."""
CONNECT_SECONDS: Final = 10
TIMEOUT_SECONDS: Final = 60
"""Longest statement of PostgreSQL, and longest silence of its host; then the connection is made anew."""
WAL_BYTES: Final = 64 << 20
"""What SQLite keeps of its write-ahead log after a checkpoint."""
MIGRATION_LOCK: Final = 0x6175_6469_746F_7200
"""PostgreSQL's advisory lock while tables are made or changed: `auditor` in ASCII. A sensor's lock is beside it."""


def open_store(url: str, password: str | None = None) -> Engine:
    """An engine for the store, whose tables are made or brought up to date.

    Each connection is one of its own: the writer keeps its only one. Raises: StoreError, without the password.
    """
    engine = engine_of(url, password)
    try:
        with engine.begin() as connection:
            migrate(connection)
    except StoreError:
        engine.dispose()
        raise
    except (SQLAlchemyError, OSError) as error:
        engine.dispose()
        again = engine.dialect.name == "postgresql" and isinstance(error, OperationalError)
        raise StoreError(f"{shown(engine.url)}: cannot be opened: {reason(error)}", again=again) from None
    return engine


def examine(url: str, password: str | None = None) -> str:
    """Whether a store could be opened, in a sentence: nothing is made, and nothing brought up to date.

    Raises: StoreError.
    """
    engine = engine_of(url, password)
    where, file = shown(engine.url), engine.url.database or ""
    if engine.dialect.name == "sqlite":
        folder = os.path.dirname(os.path.abspath(file))
        for needed in (folder, file) if os.path.exists(file) else (folder,):
            if not os.access(needed, os.W_OK):
                raise StoreError(f"{needed}: may not be written by this user; expected a store that can be")
        if not os.path.exists(file):
            return f"{where}: is not there yet, and can be made"
    try:
        with engine.connect() as connection:
            current = _version(connection)
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"{where}: cannot be opened: {reason(error)}") from None
    finally:
        engine.dispose()
    if current is None:
        return f"{where}: opens; its tables are made at the start"
    last = ScriptDirectory.from_config(_alembic()).get_current_head()
    return f"{where}: opens; its tables are of {'this' if current == last else 'an earlier'} version"


def engine_of(url: str, password: str | None = None) -> Engine:
    """An engine that has connected to nothing yet. Raises: StoreError for a URL that is none."""
    try:
        made = make_url(url)
    except ArgumentError:
        raise StoreError(
            "the store's URL is none", help="expected sqlite:///PATH or postgresql://USER@HOST/DATABASE"
        ) from None
    backend = made.get_backend_name()
    if backend == "sqlite":
        return _sqlite(made)
    if backend != "postgresql":
        raise StoreError(f"{backend} is no store", help="expected sqlite:///PATH or postgresql://USER@HOST/DATABASE")
    made = made.set(drivername="postgresql+psycopg")
    if password is not None:
        made = made.set(password=password)
    try:
        return create_engine(
            made,
            poolclass=NullPool,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "application_name": "auditor",
                "tcp_user_timeout": TIMEOUT_SECONDS * 1000,
                "options": f"-c statement_timeout={TIMEOUT_SECONDS}s",
            },
        )
    except ImportError:
        raise StoreError(
            "PostgreSQL needs psycopg, which is not installed", help="pip install 'auditor[store]'"
        ) from None


def _sqlite(url: URL) -> Engine:
    path = url.database or ""
    folder = os.path.dirname(os.path.abspath(path))
    if not path or path == ":memory:":
        raise StoreError("a store in memory remembers nothing", help="expected sqlite:///PATH")
    if not os.path.isdir(folder):
        raise StoreError(f"{path}: there is no folder {folder}")
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin where `begin` says, tables' changes among them
        for pragma in (
            "auto_vacuum = incremental",  # pages that retention frees can be given back; heard before the first table
            "journal_mode = wal",
            "synchronous = full",  # a committed tick survives a power cut too; one sync a second is cheap
            f"journal_size_limit = {WAL_BYTES}",
            "foreign_keys = on",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def migrate(connection: Connection, target: str = "head") -> None:
    """Bring the tables up to date, within the connection's transaction. Raises: StoreError for a newer store."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    _version(connection)
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _version(connection: Connection) -> str | None:
    """The version of the store's tables; None: there are none. Raises: StoreError for a newer one."""
    current = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"{shown(connection.engine.url)}: is a store of version {current}, newer than this program",
            help="update auditor, or give it another store",
        )
    return current


def shown(url: URL) -> str:
    """The URL for messages: a path for SQLite, never a password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def reason(error: BaseException) -> str:
    """What went wrong, in one line."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return " ".join(str(cause).split())[:300] or type(cause).__name__
