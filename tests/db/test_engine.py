"""The engine gives connections that keep what was committed, and only that."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import ssl
import stat
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from polyvalent.db import Connection, Database, lock, next_id, open_database
from polyvalent.db.engine import parse_url
from polyvalent.db.postgresql import split_parameters
from polyvalent.db.schema import metadata, trace
from polyvalent.db.schema import organization as table
from polyvalent.errors import Misconfigured, Unavailable


async def _insert(connection: Connection, name: str, at: datetime) -> int:
    key = await next_id(connection, table)
    row = {"id": key, "name": name, "secret_sealed": "s", "secret_digest": name, "created_at": at}
    await connection.execute(table.insert().values(row))
    return key


async def _names(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.execute(select(table.c.name).order_by("id"))).scalars())


async def test_commits_what_a_transaction_did(database: Database, now: datetime) -> None:
    async with database.transaction() as connection:
        await _insert(connection, "one", now)
    assert await _names(database) == ["one"]


async def test_rolls_back_when_the_body_raises(database: Database, now: datetime) -> None:
    async def insert_and_fail() -> None:
        async with database.transaction() as connection:
            await _insert(connection, "one", now)
            raise KeyError

    with pytest.raises(KeyError):
        await insert_and_fail()
    assert await _names(database) == []


async def test_rolls_back_when_the_task_is_cancelled(database: Database, now: datetime) -> None:
    inserted = asyncio.Event()

    async def insert_and_hang() -> None:
        async with database.transaction() as connection:
            await _insert(connection, "one", now)
            inserted.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(insert_and_hang())
    await inserted.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _names(database) == []
    async with database.transaction() as connection:
        await _insert(connection, "two", now)
    assert await _names(database) == ["two"]


async def test_refuses_to_write_while_reading(database: Database, now: datetime) -> None:
    row = {"name": "x", "secret_sealed": "s", "secret_digest": "d", "created_at": now}
    with pytest.raises(DBAPIError):
        async with database.reading() as connection:
            await connection.execute(table.insert().values(row))
    assert await _names(database) == []


async def test_writes_from_many_tasks_lose_nothing(database: Database, now: datetime) -> None:
    async def add(number: int) -> None:
        async with database.transaction() as connection:
            await _insert(connection, f"name-{number:02}", now)

    await asyncio.gather(*(add(number) for number in range(40)))
    assert sorted(await _names(database)) == [f"name-{number:02}" for number in range(40)]


async def test_two_engines_on_one_database_take_turns(
    database: Database, database_url: str, now: datetime
) -> None:
    other = await open_database(database_url)

    async def add(opened: Database, number: int) -> None:
        async with opened.transaction() as connection:
            await lock(connection, "count")
            count = len(list((await connection.execute(select(table.c.id))).scalars()))
            await _insert(connection, f"{count:02}/{number}", now)

    await asyncio.gather(*(add((database, other)[n % 2], n) for n in range(20)))
    await other.close()
    counts = sorted(name.partition("/")[0] for name in await _names(database))
    assert counts == [f"{number:02}" for number in range(20)]


async def test_never_gives_an_id_twice(database: Database, now: datetime) -> None:
    async with database.transaction() as connection:
        first = await next_id(connection, table)
        second = await _insert(connection, "kept", now)
    async with database.transaction() as connection:
        await connection.execute(table.delete())
        row = {"name": "by itself", "secret_sealed": "s", "secret_digest": "x", "created_at": now}
        result = await connection.execute(table.insert().values(row))
        third = result.inserted_primary_key
        assert third is not None
    assert first < second < third[0]


async def test_keeps_times_in_utc(database: Database) -> None:
    at = datetime(2026, 3, 1, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    async with database.transaction() as connection:
        await _insert(connection, "one", at)
    async with database.reading() as connection:
        kept = (await connection.execute(select(table.c.created_at))).scalar_one()
        found = await connection.execute(select(table.c.id).where(table.c.created_at == at))
        assert len(found.all()) == 1
    assert kept == at
    assert kept.tzinfo is UTC or kept.utcoffset() == timedelta(0)
    assert kept.hour == 23


async def test_refuses_a_time_without_a_zone(database: Database) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        async with database.transaction() as connection:
            await _insert(connection, "one", datetime(2026, 3, 1))  # noqa: DTZ001


async def test_takes_what_belongs_to_a_deleted_row_along(database: Database, now: datetime) -> None:
    async with database.transaction() as connection:
        owner = await _insert(connection, "one", now)
        row = {
            "id": "0" * 24,
            "organization_id": owner,
            "element_key": "shop",
            "created_at": now,
            "body": "[]",
        }
        await connection.execute(trace.insert().values(row))
    async with database.transaction() as connection:
        await connection.execute(table.delete())
        assert (await connection.execute(select(trace))).all() == []


async def test_refuses_a_row_without_its_owner(database: Database, now: datetime) -> None:
    row = {
        "id": "0" * 24,
        "organization_id": 99,
        "element_key": "shop",
        "created_at": now,
        "body": "[]",
    }
    with pytest.raises(IntegrityError):
        async with database.transaction() as connection:
            await connection.execute(trace.insert().values(row))


async def test_leaves_values_out_of_error_texts(database: Database, now: datetime) -> None:
    async with database.transaction() as connection:
        await _insert(connection, "hidden-name", now)
    row = {"name": "n", "secret_sealed": "hidden-seal", "secret_digest": "hidden-name"}
    with pytest.raises(IntegrityError) as caught:
        async with database.transaction() as connection:
            await connection.execute(table.insert().values({**row, "created_at": now}))
    assert "hidden-seal" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://u:pw-7@h/db",
        "sqlite://",
        "sqlite:///:memory:",
        "postgres//u:pw-7@h",
    ],
)
def test_refuses_other_urls_without_repeating_them(url: str) -> None:
    with pytest.raises(Misconfigured, match="sqlite:///path/to/file") as caught:
        parse_url(url)
    assert "pw-7" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_reads_every_spelling_of_postgresql(scheme: str) -> None:
    parsed = parse_url(f"{scheme}://u:p@h:5433/name?sslmode=require")
    assert parsed.drivername == "postgresql+asyncpg"
    assert (parsed.host, parsed.port, parsed.database) == ("h", 5433, "name")
    assert dict(parsed.query) == {"ssl": "require"}


async def test_closes_the_sqlite_file_to_others(tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "new" / "folder" / "file.db"
    database = await open_database(f"sqlite:///{path}")
    async with database.transaction() as connection:
        await connection.run_sync(metadata.create_all)
        await _insert(connection, "one", now)
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    await database.close()
    assert modes == {"file.db": 0o600, "file.db-wal": 0o600, "file.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_says_what_to_do_about_a_file_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="cannot be written"):
        await open_database(f"sqlite:///{tmp_path}/file/x.db")


@pytest.mark.parametrize(
    "url", ["postgresql://u:pw-7@127.0.0.1:1/db", "postgresql://u:pw-7@/db?host=/nowhere"]
)
async def test_is_unavailable_without_a_server(url: str) -> None:
    with pytest.raises(Unavailable, match="does not answer") as caught:
        await open_database(url)
    assert "pw-7" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://u:pw-7@127.0.0.1:1/db", "Nothing listens at 127.0.0.1 port 1"),
        ("postgresql://u:pw-7@/db?host=/nowhere", "Nothing listens at /nowhere"),
        ("postgresql://u:pw-7@nowhere.invalid/db", "The host nowhere.invalid is unknown"),
    ],
)
async def test_says_why_a_server_does_not_answer(url: str, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        await open_database(url)


async def test_says_who_is_not_let_in(postgresql_server: str) -> None:
    with pytest.raises(Unavailable, match="does not let the user 'nobody' in"):
        await open_database(f"postgresql://nobody@/postgres?host={postgresql_server}")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sslmode=bogus", "sslmode=bogus; it must be one of disable"),
        ("channel_binding=require", "channel_binding=require, which the driver cannot do"),
        ("connect_timeout=soon", "connect_timeout=soon"),
        ("options=-csearch_path%3Dx", "the parameter 'options', which is not understood"),
    ],
)
def test_refuses_parameters_by_name(query: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=words) as caught:
        parse_url(f"postgresql://u:pw-7@h/name?{query}")
    assert "pw-7" not in str(caught.value)


def test_parameters_become_the_drivers_arguments(tmp_path: Path) -> None:
    given = "application_name=a&connect_timeout=7&channel_binding=prefer&sslmode=verify-full"
    url, arguments = split_parameters(parse_url(f"postgresql://u@h/name?{given}"))

    context = arguments.pop("ssl")
    assert dict(url.query) == {}
    settings = {"application_name": "a", "idle_in_transaction_session_timeout": "10s"}
    assert arguments == {"server_settings": settings, "timeout": 7.0}
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    missing = parse_url(f"postgresql://u@h/n?sslmode=verify-ca&sslrootcert={tmp_path}/no.pem")
    with pytest.raises(Misconfigured, match=r"no\.pem of sslrootcert cannot be used: No such file"):
        split_parameters(missing)


async def test_takes_parameters_of_other_drivers(postgresql_server: str) -> None:
    database = await open_database(
        f"postgresql://postgres@/postgres?host={postgresql_server}&application_name=mine"
        "&connect_timeout=9&channel_binding=prefer"
    )
    async with database.reading() as connection:
        name = (await connection.execute(text("SHOW application_name"))).scalar_one()
    await database.close()
    assert name == "mine"


@pytest.mark.parametrize("content", [b"this is no database" * 400, b"SQLite format 3\0" * 500])
async def test_says_what_to_do_about_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.db").write_bytes(content)
    with pytest.raises(Misconfigured, match=r"x\.db is not a database, or is damaged\. Restore"):
        await open_database(f"sqlite:///{tmp_path}/x.db")


async def test_is_unavailable_without_its_database(postgresql_server: str) -> None:
    with pytest.raises(Unavailable, match=r"does not answer\. There is no database 'missing'"):
        await open_database(f"postgresql://postgres@/missing?host={postgresql_server}")


async def test_is_unavailable_while_another_process_keeps_the_lock(tmp_path: Path) -> None:
    database = await open_database(f"sqlite:///{tmp_path}/file.db", busy_timeout_ms=50)
    other = sqlite3.connect(tmp_path / "file.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with database.reading() as connection:  # readers do not wait for a writer
        await connection.execute(text("SELECT 1"))
    with pytest.raises(Unavailable):
        async with database.transaction():
            pytest.fail("took a lock that another holds")
    other.close()
    async with database.transaction() as connection:
        await connection.execute(text("SELECT 1"))
    await database.close()


async def test_a_wrong_statement_is_a_defect(database: Database) -> None:
    with pytest.raises(DBAPIError):
        async with database.transaction() as connection:
            await connection.execute(text("SELECT nothing FROM nowhere"))


async def test_an_error_of_the_body_stays_itself(database: Database) -> None:
    async def run_out_of_time() -> None:
        async with database.transaction(), asyncio.timeout(0.001):
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        await run_out_of_time()


async def test_hides_its_url(database: Database) -> None:
    assert "://" not in repr(database)


async def test_sqlite_survives_power_loss_by_its_settings(tmp_path: Path) -> None:
    database = await open_database(f"sqlite:///{tmp_path}/file.db")
    async with database.transaction() as connection:
        for pragma, wanted in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            found = (await connection.execute(text(f"PRAGMA {pragma}"))).scalar_one()
            assert found == wanted
    await database.close()


_WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from polyvalent.db import open_database
from polyvalent.db.schema import organization

async def main():
    database = await open_database(sys.argv[1])
    for number in range(10_000):
        async with database.transaction() as connection:
            row = {"name": f"{number}", "secret_sealed": "s", "secret_digest": f"{number}"}
            row["created_at"] = datetime.now(UTC)
            await connection.execute(organization.insert().values(row))
        print(number, flush=True)

asyncio.run(main())
"""


async def test_keeps_every_commit_of_a_killed_process(
    database: Database, database_url: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WRITER, database_url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    reported = -1
    while reported < 20:
        reported = int(await process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    rest = await process.stdout.read()
    await process.wait()
    reported = max([reported, *map(int, rest.split())])
    names = await _names(database)
    assert names == [str(number) for number in range(len(names))]
    assert len(names) in (reported + 1, reported + 2)
