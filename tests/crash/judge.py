"""
Look at what a dead server left in its database, and say everything that must not be there.

Reads with the platform's own statements and key file, as the next life of the server will.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from polyvalent.db import Database, open_database
from polyvalent.db.key_file import KeyFile
from polyvalent.db.rotate import sealed_tables
from polyvalent.db.schema import (
    authorization_request,
    configuration_entry,
    digest_purpose,
    instance,
    instance_tag,
    sealed_context,
    trace,
)
from polyvalent.errors import Misconfigured
from polyvalent.instances import sql
from polyvalent.instances.model import Instance
from polyvalent.vault import digest, open_sealed

# Found by a recorded run of a whole flow, see `kill.record`.
Keys = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """
    Hold what a database keeps: instances by id, authorization requests by token.

    `requests` says of each request token whether it is used. `wrong` must be empty.
    """

    instances: Mapping[int, Instance]
    requests: Mapping[str, bool]
    wrong: tuple[str, ...]


def look(url: str, key_path: Path, *, complete: Keys = frozenset()) -> Kept:
    """Read a database; `complete` are the configuration keys that every instance must have."""
    return asyncio.run(_look(url, key_path, complete))


async def _look(url: str, key_path: Path, complete: Keys) -> Kept:
    database = await open_database(url)
    keys = KeyFile(key_path)
    try:
        wrong = [
            *await _broken_secrets(database, keys),
            *await _orphans(database),
            *await _damage(database),
        ]
        if wrong:  # what does not open cannot be read further
            return Kept(instances={}, requests={}, wrong=tuple(wrong))
        requests = await _requests(database, keys, wrong)
        async with database.reading() as connection:
            listed = await sql.list_instances(
                connection,
                keys,
                organization_id=1,
                element_key=None,
                tags=(),
                search_text=None,
                offset=0,
                limit=1_000_000,
            )
    finally:
        await database.close()
    for found in listed:
        wrong += [
            f"instance {found.id} lacks configuration {key}"
            for key in sorted(complete - set(found.configuration))
        ]
        if not found.tags or len(found.token) != 44:
            wrong.append(f"instance {found.id} lacks tags or token")
        for key in ("oauth.user.token", "oauth.user.token.secret"):
            if not found.configuration.get(key):
                wrong.append(f"instance {found.id} has an empty {key}")
    return Kept(
        instances={found.id: found for found in listed}, requests=requests, wrong=tuple(wrong)
    )


async def _broken_secrets(database: Database, keys: KeyFile) -> list[str]:
    wrong = []
    ring = keys.ring()
    async with database.reading() as connection:
        for table in sealed_tables():
            for row in (await connection.execute(select(table))).mappings():
                wrong += _broken(table, dict(row), ring)
    return wrong


def _broken(table: Any, row: dict[str, Any], ring: Any) -> list[str]:
    wrong = []
    opened = {}
    for column in table.c:
        if "sealed_context" not in column.info or row[column.name] is None:
            continue
        try:
            opened[column.name] = open_sealed(
                ring, row[column.name], context=sealed_context(column, row)
            )
        except Misconfigured as error:
            wrong.append(f"{table.name} {row['id']} {column.name}: {error}")
    for column in table.c:
        sealed = column.info.get("digest_of")
        # The digest of a secret that was emptied stays, so that a second use is recognized.
        if sealed in opened and not any(
            digest(term, opened[sealed], purpose=digest_purpose(column)) == row[column.name]
            for term in ring.terms
        ):
            wrong.append(f"{table.name} {row['id']} {column.name} is of another secret")
    return wrong


async def _orphans(database: Database) -> list[str]:
    wrong = []
    owned = select(instance.c.id)
    async with database.reading() as connection:
        for table in (configuration_entry, instance_tag, trace):
            orphan = table.c.instance_id.is_not(None) & table.c.instance_id.not_in(owned)
            found = (await connection.execute(select(table.c.instance_id).where(orphan))).all()
            wrong += [f"{table.name} of instance {row.instance_id}, which is gone" for row in found]
    return wrong


async def _damage(database: Database) -> list[str]:
    if not database.is_sqlite:
        return []
    async with database.reading() as connection:
        found = (await connection.execute(text("PRAGMA integrity_check"))).scalars().all()
        broken = (await connection.execute(text("PRAGMA foreign_key_check"))).all()
    wrong = [] if list(found) == ["ok"] else [f"the file is damaged: {found[0]}"]
    return [*wrong, *(f"a reference of {row[0]} leads nowhere" for row in broken)]


async def _requests(database: Database, keys: KeyFile, wrong: list[str]) -> dict[str, bool]:
    requests = {}
    table = authorization_request
    async with database.reading() as connection:
        for row in await connection.execute(select(table)):
            context = f"authorization_request/{row.id}"
            token = keys.open(row.token_sealed, context=f"{context}/token")
            secret = keys.open(row.secret_sealed, context=f"{context}/secret")
            requests[token] = row.used_at is not None
            if row.used_at is not None and secret:
                wrong.append(f"authorization request {row.id} is used and keeps its secret")
            if row.used_at is None and not secret:
                wrong.append(f"authorization request {row.id} is unused and has lost its secret")
    return requests
