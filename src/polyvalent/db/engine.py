"""
Open a database and hand out connections: one to write in a transaction, one to read.

SQLite runs in WAL with `synchronous=FULL`: a committed instance survives a kill and a power
loss; WAL with NORMAL would survive only the kill. One connection writes, four read, so writers
of this process queue in order instead of polling for the lock, and `BEGIN IMMEDIATE` takes the
lock that other processes wait for before anything was read.

Source: sqlite.org, "Write-Ahead Logging" and "PRAGMA synchronous", 2026-11.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Table, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool

from polyvalent.db.postgresql import check_parameters, split_parameters, why_silent
from polyvalent.errors import Misconfigured, Unavailable

Connection = AsyncConnection

BUSY_TIMEOUT_MS = 10_000
POOL_TIMEOUT_S = 30
# After the busy timeout, because switching to WAL needs the lock. A cache of 256 kB instead of
# 2 MB for each connection, because the system caches the file as well: 8 MB less, and no slower
# (benchmarks/bench_serve.py).
SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "cache_size=-256")
SQLITE_READERS = 4
POSTGRESQL_CONNECTIONS = 10
# BUSY, LOCKED, IOERR, FULL, CANTOPEN: sqlite.org/rescode.html
SQLITE_PASSING = frozenset({5, 6, 10, 13, 14})
# CORRUPT, NOTADB
SQLITE_DAMAGED = frozenset({11, 26})
# Connection, authorization, no such database, deadlock, resources, shutdown: PostgreSQL 18, A
POSTGRESQL_PASSING = ("08", "28", "3D", "40", "53", "55P03", "57P")


class Database:
    """
    Hand out connections of one open database; belongs to the event loop that first uses it.

    `url` carries a password: it is never printed.
    """

    def __init__(self, url: URL, *, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self.url = url
        self._writer = writer
        self._reader = reader

    @property
    def is_sqlite(self) -> bool:
        """Say whether this is SQLite; the other is PostgreSQL."""
        return self.url.get_backend_name() == "sqlite"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """
        Give a connection inside a transaction: committed at the end, rolled back on an error.

        On SQLite the write lock is held from the start, so keep it short, never wait for the
        network inside, and never begin a second one inside: it would wait for the first.
        Raises Unavailable if the database does not answer or stays locked.
        """
        async with _begun(self._writer) as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """
        Give a connection that the database itself keeps from writing.

        Raises Unavailable if the database does not answer.
        """
        async with _begun(self._reader) as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()

    def __repr__(self) -> str:
        """Name the kind of database, not its URL."""
        return f"Database({self.url.get_backend_name()})"


async def open_database(url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Database:
    """
    Open a database by its URL; `upgrade` must still lead it to the schema.

    "sqlite:///relative/or//absolute/path.db" creates the file (0600) and its directory (0700);
    "postgresql://user:password@host/name", also "postgres://" and "postgresql+asyncpg://",
    with parameters such as `?sslmode=require` behind it. `busy_timeout_ms` is how long SQLite
    waits for the lock that another process holds.

    Raises Misconfigured for any other URL, a file that cannot be made and one that is no
    database, and Unavailable, saying why, if the database does not answer.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        make_file(Path(parsed.database or ""))
        busy = f"busy_timeout={busy_timeout_ms}"
        writing = (busy, *SQLITE_PRAGMAS, "foreign_keys=ON")
        reading = (busy, *SQLITE_PRAGMAS, "query_only=ON")
        database = Database(
            parsed,
            writer=_sqlite_engine(parsed, pool_size=1, pragmas=writing),
            reader=_sqlite_engine(parsed, pool_size=SQLITE_READERS, pragmas=reading),
        )
    else:
        plain, arguments = split_parameters(parsed)
        engine = create_async_engine(
            plain,
            connect_args=arguments,
            pool_size=POSTGRESQL_CONNECTIONS,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        reader = engine.execution_options(postgresql_readonly=True)
        database = Database(parsed, writer=engine, reader=reader)
    try:
        async with database.reading() as connection:
            await connection.execute(text("SELECT 1"))
    except Unavailable as error:
        await database.close()
        reason = "" if database.is_sqlite else why_silent(error, url=parsed)
        if not reason:
            raise
        # Whoever opens a database has its URL before them, so the place may be named.
        raise Unavailable(f"The database does not answer. {reason}") from error
    except BaseException:
        await database.close()
        raise
    return database


def parse_url(url: str) -> URL:
    """
    Read a database URL into the form that the drivers take.

    Raises Misconfigured, without repeating the URL, which may carry a password.
    """
    expected = (
        "The database URL must look like sqlite:///path/to/file.db or "
        "postgresql://user:password@host/name."
    )
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise Misconfigured(expected) from None
    if parsed.drivername in ("sqlite", "sqlite+aiosqlite"):
        if not parsed.database or parsed.database == ":memory:":
            raise Misconfigured(f"{expected} SQLite without a file would forget every instance.")
        return parsed.set(drivername="sqlite+aiosqlite")
    if parsed.drivername in ("postgresql", "postgres", "postgresql+asyncpg"):
        return check_parameters(parsed).set(drivername="postgresql+asyncpg")
    raise Misconfigured(expected)


@asynccontextmanager
async def migration_connection(database: Database) -> AsyncIterator[Connection]:
    """
    Give a connection to change the schema with, in a transaction that one process has at a time.

    On SQLite foreign keys are not enforced here: rebuilding a table drops the old one, and an
    enforced ON DELETE CASCADE would take the rows of other tables along.
    """
    if not database.is_sqlite:
        async with database.transaction() as connection:
            await lock(connection, "migration")
            yield connection
        return
    pragmas = (f"busy_timeout={BUSY_TIMEOUT_MS}", *SQLITE_PRAGMAS, "foreign_keys=OFF")
    engine = _sqlite_engine(database.url, pool_size=0, pragmas=pragmas)
    try:
        async with _begun(engine) as connection:
            yield connection
            if (await connection.execute(text("PRAGMA foreign_key_check"))).first():
                raise Misconfigured("A migration would leave rows whose owner is gone.")
    finally:
        await engine.dispose()


async def lock(connection: Connection, name: str) -> None:
    """
    Keep others that lock the same name out until the transaction ends.

    On SQLite a transaction is alone as it is.
    """
    if connection.dialect.name == "postgresql":
        key = int.from_bytes(sha256(f"polyvalent/{name}".encode()).digest()[:8], signed=True)
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


async def next_id(connection: Connection, table: Table) -> int:
    """
    Take the next id of a table, so that a row can be sealed before it is inserted.

    An id is never given twice, even if the row is never inserted.
    """
    return (await next_ids(connection, table, 1))[0]


async def next_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """Take so many ids of a table, rising; see `next_id`."""
    if connection.dialect.name == "postgresql":
        query = text(
            "SELECT nextval(pg_get_serial_sequence(:name, 'id')) AS id "
            "FROM generate_series(1, :count) ORDER BY id"
        )
        rows = await connection.execute(query, {"name": table.name, "count": count})
        return tuple(map(int, rows.scalars()))
    # sqlite_sequence holds the last id of each AUTOINCREMENT table and may be written to:
    # sqlite.org/autoinc.html, 2026-11.
    values = {"name": table.name, "count": count}
    advance = text("UPDATE sqlite_sequence SET seq = seq + :count WHERE name = :name RETURNING seq")
    last = (await connection.execute(advance, values)).scalar_one_or_none()
    if last is None:
        first = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :count)")
        await connection.execute(first, values)
        last = count
    return range(int(last) - count + 1, int(last) + 1)


def make_file(path: Path) -> None:
    """
    Make a file that only this user may read and write, with its directory, unless there is one.

    Raises Misconfigured.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its -wal and -shm files the mode of the database file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise Misconfigured(
            f"The database file {path} cannot be written: {error.strerror}. "
            "Give another data directory or its right to this user."
        ) from error


def _sqlite_engine(url: URL, *, pool_size: int, pragmas: tuple[str, ...]) -> AsyncEngine:
    pool: dict[str, Any] = {"poolclass": NullPool}
    if pool_size:
        pool = {
            "poolclass": AsyncAdaptedQueuePool,
            "pool_size": pool_size,
            "max_overflow": 0,
            "pool_timeout": POOL_TIMEOUT_S,
        }
    engine = create_async_engine(url, hide_parameters=True, **pool)
    begin = "BEGIN" if "query_only=ON" in pragmas else "BEGIN IMMEDIATE"

    def prepare(raw: Any, _record: Any) -> None:
        # The driver would begin transactions by its own rules; ours begin in `start`.
        raw.isolation_level = None
        cursor = raw.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", prepare)
    event.listen(engine.sync_engine, "begin", start)
    return engine


@asynccontextmanager
async def _begun(engine: AsyncEngine) -> AsyncIterator[Connection]:
    connected = False
    try:
        async with engine.connect() as connection:
            connected = True
            async with connection.begin():
                yield connection
    except PoolTimeout as error:
        raise Unavailable("Every database connection is busy; try again.") from error
    except DBAPIError as error:
        if _is_passing(error):
            raise _silent() from error
        if _is_damaged(error):
            raise Misconfigured(
                f"The file {engine.url.database} is not a database, or is damaged. Restore it "
                "from a backup."
            ) from error
        raise
    except OSError as error:
        if connected:  # the body's own: a file, a deadline
            raise
        raise _silent() from error


def _is_passing(error: DBAPIError) -> bool:
    # A wrong statement is a defect and stays one; these are the database's state or its absence.
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in SQLITE_PASSING
    state = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or state.startswith(POSTGRESQL_PASSING)


def _is_damaged(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in SQLITE_DAMAGED


def _silent() -> Unavailable:
    # The driver's words may name host and user: they stay in the chain.
    return Unavailable(
        "The database does not answer. Check that it runs and that the database URL is right."
    )
