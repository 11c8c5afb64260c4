"""What a watch remembers: findings, sessions, capture health and coverage, in SQLite or PostgreSQL.

    url = "sqlite:///auditor.db"            # or postgresql://auditor@db/auditor
    with open_store(url).connect() as connection: ...

SQLAlchemy and alembic, the extra `store`, are imported here and nowhere else. An audit of files imports none of it.
"""

from auditor.store.opening import open_store
from auditor.store.writer import StoreWriter

__all__ = ["StoreWriter", "open_store"]
