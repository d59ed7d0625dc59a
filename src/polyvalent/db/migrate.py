"""
Lead a database to the current schema, at every start and by one process at a time.

An empty database gets the schema as it is drawn, at once; one of an older version is led there
step by step. A test shows that both ways end in the same tables.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import inspect, text

from polyvalent.db.engine import Connection, Database, migration_connection
from polyvalent.db.schema import metadata
from polyvalent.errors import Misconfigured

# The newest step in migrations/versions; a test keeps the two equal.
HEAD = "0010"


async def upgrade(database: Database) -> bool:
    """
    Bring a database to the current schema; say whether there was anything to do.

    All of it happens in one transaction that only one process holds at a time: others wait
    and then find nothing to do. Raises Misconfigured if a newer polyvalent made the database.
    """
    async with database.reading() as connection:
        if await _version(connection) == HEAD:
            return False
    async with migration_connection(database) as connection:
        # Whoever waited for the lock finds the work done.
        if await _version(connection) == HEAD:
            return False
        is_empty = await connection.run_sync(_is_empty)
        await connection.run_sync(_draw if is_empty else _run)
    return True


async def _version(connection: Connection) -> str | None:
    def has_versions(sync: SyncConnection) -> bool:
        return inspect(sync).has_table("alembic_version")

    if not await connection.run_sync(has_versions):
        return None
    query = text("SELECT version_num FROM alembic_version")
    version: str | None = (await connection.execute(query)).scalar_one_or_none()
    return version


def _is_empty(connection: SyncConnection) -> bool:
    return not inspect(connection).get_table_names()


def _draw(connection: SyncConnection) -> None:
    # Not by Alembic, so that a first start takes neither its time nor its memory; the table
    # is the one that Alembic itself makes and will look for at the next step.
    metadata.create_all(connection, checkfirst=False)
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(
        text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD}
    )


def _run(connection: SyncConnection) -> None:
    # Alembic takes 0.3 s and 9 MB to import, which most starts need not spend.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Misconfigured(
            "The database was made by a newer polyvalent. Run that version, or restore a backup "
            "from before its first start."
        ) from error
