"""Migrations lead an empty database to exactly the tables that the schema draws."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, bindparam, inspect, text

from polyvalent.db import Database, migrate, open_database
from polyvalent.db.engine import migration_connection
from polyvalent.db.migrate import HEAD, upgrade
from polyvalent.db.schema import Timestamp, metadata, organization, trace
from polyvalent.errors import Misconfigured, Unavailable


def _differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def _drawing(connection: Connection) -> dict[str, Any]:
    """Read every table as the database itself describes it."""
    if connection.dialect.name == "sqlite":
        query = text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {
            name: _canonical(sql)
            for name, sql in connection.execute(query)
            if name != "sqlite_sequence"
        }
    found = inspect(connection)
    return {
        name: (
            sorted(map(str, found.get_columns(name))),
            str(found.get_pk_constraint(name)),
            sorted(map(str, found.get_foreign_keys(name))),
            sorted(map(str, found.get_unique_constraints(name))),
            sorted(map(str, found.get_check_constraints(name))),
            sorted(map(str, found.get_indexes(name))),
        )
        for name in found.get_table_names()
    }


def _canonical(sql: str) -> list[str]:
    # The order of constraints in CREATE TABLE says nothing, nor does which one comes last.
    spaced = re.sub(r"\s+", " ", sql).replace("( ", "(")
    return sorted(part.strip(" )") for part in spaced.split(","))


@pytest.fixture
async def empty(empty_database_url: str) -> Any:
    """Return an open database without tables."""
    database = await open_database(empty_database_url)
    yield database
    await database.close()


async def test_migrations_equal_the_schema(empty: Database) -> None:
    async with migration_connection(empty) as connection:
        await connection.run_sync(migrate._run)
        assert await connection.run_sync(_differences) == []
        migrated = await connection.run_sync(_drawing)
        await connection.run_sync(metadata.drop_all)
        await connection.execute(text("DROP TABLE alembic_version"))
    assert await upgrade(empty) is True
    async with empty.reading() as connection:
        drawn = await connection.run_sync(_drawing)
    assert migrated == drawn
    assert {"instance", "alembic_version"} <= set(drawn)


async def test_the_steps_know_a_drawn_database_as_done(empty: Database) -> None:
    await upgrade(empty)

    async with migration_connection(empty) as connection:
        await connection.run_sync(migrate._run)  # would fail at a table that is there already

        assert await migrate._version(connection) == HEAD


async def test_the_comparison_sees_a_difference(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("DROP INDEX ix_instance_user_id"))
        await connection.execute(text("ALTER TABLE trace ADD COLUMN surplus INTEGER"))
    async with database.reading() as connection:
        found = {entry[0] for entry in await connection.run_sync(_differences)}
    assert found == {"add_index", "remove_column"}


async def test_does_nothing_the_second_time(empty: Database) -> None:
    assert [await upgrade(empty), await upgrade(empty)] == [True, False]


async def test_starts_at_once_migrate_once(empty: Database, empty_database_url: str) -> None:
    others = [await open_database(empty_database_url) for _ in range(3)]
    ran = await asyncio.gather(*(upgrade(database) for database in (empty, *others)))
    for database in others:
        await database.close()
    assert sorted(ran) == [False, False, False, True]


async def test_refuses_a_database_of_a_newer_version(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="newer"):
        await upgrade(database)


async def test_a_failed_migration_leaves_nothing(empty: Database) -> None:
    async def fail() -> None:
        async with migration_connection(empty) as connection:
            await connection.run_sync(metadata.create_all)
            raise Unavailable("stopped half way")

    with pytest.raises(Unavailable):
        await fail()
    assert await upgrade(empty) is True


async def test_a_migration_may_rebuild_a_table_without_losing_its_children(
    database: Database, now: datetime
) -> None:
    owner = {"id": 1, "name": "o", "secret_sealed": "s", "secret_digest": "d", "created_at": now}
    child = {
        "id": "0" * 24,
        "organization_id": 1,
        "element_key": "shop",
        "created_at": now,
        "body": "[]",
    }
    async with database.transaction() as connection:
        await connection.execute(organization.insert().values(owner))
        await connection.execute(trace.insert().values(child))
    if database.is_sqlite:
        async with migration_connection(database) as connection:
            await connection.execute(text("CREATE TABLE copy AS SELECT * FROM organization"))
            await connection.execute(text("DROP TABLE organization"))
            await connection.run_sync(metadata.tables["organization"].create)
            await connection.execute(text("INSERT INTO organization SELECT * FROM copy"))
            await connection.execute(text("DROP TABLE copy"))
    async with database.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM trace"))).scalar_one() == 1


async def test_a_migration_may_not_leave_orphans(tmp_path: Path) -> None:
    database = await open_database(f"sqlite:///{tmp_path}/x.db")
    await upgrade(database)

    async def leave_orphan() -> None:
        async with migration_connection(database) as connection:
            await connection.execute(
                text("INSERT INTO instance_tag (instance_id, position, tag) VALUES (7, 0, 't')")
            )

    with pytest.raises(Misconfigured, match="owner is gone"):
        await leave_orphan()
    async with database.reading() as connection:
        assert (await connection.execute(text("SELECT * FROM instance_tag"))).all() == []
    await database.close()


async def test_deliveries_under_way_keep_their_order_through_step_0010(
    empty: Database, now: datetime
) -> None:
    async with migration_connection(empty) as connection:
        await connection.run_sync(_run_to, "0009")
        for table, values in _deliveries_of_0009(now):
            columns = ", ".join(values)
            places = ", ".join(f":{name}" for name in values)
            insert = text(f"INSERT INTO {table} ({columns}) VALUES ({places})")
            kinds = [bindparam(name, type_=Timestamp) for name in values if name.endswith("_at")]
            await connection.execute(insert.bindparams(*kinds), values)

    assert await upgrade(empty) is True

    async with empty.reading() as connection:
        query = text("SELECT delivery_id, object_key, subscription_id FROM delivery_object")
        assert [tuple(row) for row in await connection.execute(query)] == [(2, "orders", 1)]
        kept = text("SELECT id, status FROM delivery ORDER BY id")
        assert [tuple(row) for row in await connection.execute(kept)] == [
            (1, "delivered"),
            (2, "retry"),
            (3, "created"),
        ]


def _deliveries_of_0009(now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    secret = {"secret_sealed": "s", "secret_digest": "d", "created_at": now}
    owner = {"organization_id": 1, "account_id": 1}
    yield "organization", {"id": 1, "name": "o", **secret}
    account = {"organization_id": 1, "name": "a", "external_id": "x", "created_at": now}
    yield "account", {"id": 1, **account}
    names = {"email": "e", "first_name": "f", "last_name": "l"}
    yield "app_user", {"id": 1, "account_id": 1, **names, **secret}
    yield (
        "subscription",
        {
            **owner,
            "id": 1,
            "user_id": 1,
            "channel": "webhook",
            "topics": "[]",
            "config_sealed": "s",
            "created_at": now,
        },
    )
    moments = {"due_at": now, "created_at": now, "updated_at": now}
    for number, status, key in (
        (1, "delivered", "orders"),
        (2, "retry", "orders"),
        (3, "created", None),
    ):
        told = {"topic": "t", "severity": "low", "message_sealed": "s", "created_at": now}
        yield "notification", {"id": number, **owner, **told}
        sent = {"notification_id": number, "subscription_id": 1, "attempts": 0, **moments}
        yield "delivery", {"id": number, "status": status, "order_key": key, **sent}


def _run_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def test_head_is_the_newest_step() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]
