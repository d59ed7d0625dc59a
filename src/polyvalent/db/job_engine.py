"""
Give the engine of durable work a place of its own for its books: synchronous connections.

On SQLite that is a second file beside the first, so that its many small writes do not wait for
ours nor ours for them; on PostgreSQL a schema of the same database. What it keeps can be lost:
jobs that it does not know any more are handed to it again.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

from polyvalent.db.engine import BUSY_TIMEOUT_MS, Database, make_file
from polyvalent.db.postgresql import ABANDONED_AFTER_S
from polyvalent.errors import Misconfigured

SCHEMA = "polyvalent_jobs"  # on PostgreSQL
CONNECTIONS = 8
# NORMAL: a power loss may take the last moments of its books, but never damages the file.
_PRAGMAS = (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=NORMAL")
# libpq's word for each parameter of ours that has another name there.
_LIBPQ = {"ssl": "sslmode"}


def open_job_engine(database: Database) -> Engine:
    """
    Open the place where the engine of durable work keeps its books.

    Raises Misconfigured where Python and SQLite are of versions that do not go together.
    Effects: makes the file (0600) on SQLite.
    """
    check_versions(database)
    if database.is_sqlite:
        path = job_file(database.url)
        make_file(Path(path))
        engine = create_engine(
            f"sqlite:///{path}", hide_parameters=True, pool_size=CONNECTIONS, max_overflow=0
        )
        event.listen(engine, "connect", _prepare)
        return engine
    query = {_LIBPQ.get(name, name): value for name, value in database.url.query.items()}
    url = database.url.set(drivername="postgresql+psycopg", query=query)
    return create_engine(
        url,
        connect_args={"options": f"-c idle_in_transaction_session_timeout={ABANDONED_AFTER_S}s"},
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_pre_ping=True,
    )


def job_file(url: URL) -> str:
    """Return the path of the second file: "/srv/polyvalent.db" → "/srv/polyvalent.db-jobs"."""
    return f"{url.database}-jobs"


def _prepare(raw: Any, _record: Any) -> None:
    # Writers take the lock before they have read anything, so that they never wait for each other
    # with half a transaction behind them.
    raw.isolation_level = "IMMEDIATE"
    cursor = raw.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def check_versions(database: Database) -> None:
    """Raise Misconfigured where Python and SQLite are of versions that do not go together."""
    # The engine asks SQLite for fractions of seconds where Python is 3.12 or newer.
    if database.is_sqlite and sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42):
        raise Misconfigured(
            f"Bulk jobs, events and schedules on SQLite with Python {sys.version_info[0]}."
            f"{sys.version_info[1]} need SQLite 3.42, and this Python has "
            f"{sqlite3.sqlite_version}. Run polyvalent with Python 3.11 (POLYVALENT_PYTHON), or "
            "use PostgreSQL."
        )
