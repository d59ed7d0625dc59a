"""
Keep what must outlive the process: SQLite in a file by default, PostgreSQL by URL.

`engine` opens a database and hands out connections, `schema` and its neighbours draw the tables,
`migrate` leads a database to them, `key_file` keeps the key ring beside the database, `rotate`
seals anew. `lease` and `allowance` are what processes share: turns and budgets.
"""

from polyvalent.db import (  # noqa: F401  # all tables
    schema_bulk,
    schema_calls,
    schema_events,
    schema_jobs,
    schema_notifications,
)
from polyvalent.db.engine import Connection, Database, lock, next_id, next_ids, open_database

__all__ = ["Connection", "Database", "lock", "next_id", "next_ids", "open_database"]
