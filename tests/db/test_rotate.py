"""A rotation brings every secret under the new key while others read and write."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from polyvalent.db import Connection, Database, next_id
from polyvalent.db.key_file import KeyFile, change_ring
from polyvalent.db.rotate import RETIRE_AFTER_S, count_uses, retire, rotate
from polyvalent.db.schema import (
    account,
    app_user,
    authorization_request,
    configuration_entry,
    digest_purpose,
    instance,
    organization,
    sealed_context,
)
from polyvalent.errors import Conflict
from polyvalent.vault import (
    KeyRing,
    Random,
    SealBroken,
    add_term,
    digest,
    digests,
    make_term,
    open_sealed,
    seal,
)

LATER = timedelta(seconds=RETIRE_AFTER_S)
DIGEST_PURPOSE = digest_purpose(instance.c.token_digest)


class Writer:
    """Fill every sealed column of the schema with secrets that can be told again."""

    def __init__(self, random: Random, now: datetime) -> None:
        self.random = random
        self.now = now

    async def fill(self, database: Database, ring: KeyRing, *, instances: int) -> None:
        """Add one organization, account, user, request, and some instances."""
        async with database.transaction() as connection:
            await self._row(connection, ring, organization, {"id": 1, "name": "o"})
            plain = {"id": 1, "organization_id": 1, "name": "a", "external_id": "a"}
            await connection.execute(account.insert().values({**plain, "created_at": self.now}))
            names = {"email": "e", "first_name": "f", "last_name": "l"}
            await self._row(connection, ring, app_user, {"id": 1, "account_id": 1, **names})
            request = {"id": 1, "element_key": "shop", "store_url": "http://s"}
            await self._row(
                connection, ring, authorization_request, {**request, "expires_at": self.now}
            )
            for _ in range(instances):
                await self.add_instance(connection, ring)

    async def add_instance(self, connection: Connection, ring: KeyRing) -> int:
        """Add an instance with one sealed and one plain configuration entry."""
        key = await next_id(connection, instance)
        owners = {"organization_id": 1, "account_id": 1, "user_id": 1}
        texts = {"element_key": "shop", "element_id": 1, "name": "n", "updated_at": self.now}
        await self._row(connection, ring, instance, {"id": key, **owners, **texts})
        entry = {
            "id": await next_id(connection, configuration_entry),
            "instance_id": key,
            "key": "s",
        }
        await self._row(connection, ring, configuration_entry, entry)
        plain = {"instance_id": key, "key": "p", "value": "plain"}
        await connection.execute(configuration_entry.insert().values(plain))
        return key

    async def _row(
        self, connection: Connection, ring: KeyRing, table: Any, values: dict[str, Any]
    ) -> None:
        row = dict(values)
        for column in table.c:
            if "sealed_context" in column.info:
                context = sealed_context(column, row)
                row[column.name] = seal(
                    ring, f"secret of {context}", context=context, random=self.random
                )
            elif "digest_of" in column.info:
                context = sealed_context(table.c[column.info["digest_of"]], row)
                purpose = digest_purpose(column)
                row[column.name] = digest(ring.current, f"secret of {context}", purpose=purpose)
            elif column.name == "created_at":
                row[column.name] = self.now
        await connection.execute(table.insert().values(row))


@pytest.fixture
def writer(random_bytes: Random, now: datetime) -> Writer:
    """Return a writer of secrets."""
    return Writer(random_bytes, now)


async def _check_everything(database: Database, ring: KeyRing) -> int:
    """Open every sealed value, find every digest, and count them."""
    checked = 0
    tables = (organization, app_user, authorization_request, instance, configuration_entry)
    async with database.reading() as connection:
        for table in tables:
            for row in (await connection.execute(select(table))).mappings():
                for column in table.c:
                    value = row[column.name]
                    if "sealed_context" in column.info and value is not None:
                        context = sealed_context(column, dict(row))
                        opened = open_sealed(ring, value, context=context)
                        assert opened == f"secret of {context}"
                        checked += 1
                    if "digest_of" in column.info:
                        context = sealed_context(table.c[column.info["digest_of"]], dict(row))
                        secret = f"secret of {context}"
                        assert value in digests(ring, secret, purpose=digest_purpose(column))
                        checked += 1
    return checked


async def test_rotates_every_secret(
    database: Database, keys: KeyFile, writer: Writer, now: datetime, random_bytes: Random
) -> None:
    old = keys.ring().current_id
    await writer.fill(database, keys.ring(), instances=250)
    before = await count_uses(database)
    done = await rotate(database, keys, now=now, random=random_bytes)
    assert set(before) == {old}
    assert await count_uses(database) == {done.key_id: before[old]}
    assert done.key_id == keys.ring().current_id != old
    assert done.rows == 3 + 2 * 250
    only_new = KeyRing(terms=(keys.ring().current,), current_id=done.key_id)
    assert await _check_everything(database, only_new) == before[old]


async def test_rotates_while_others_read_and_write(
    database: Database, keys: KeyFile, writer: Writer, now: datetime, random_bytes: Random
) -> None:
    await writer.fill(database, keys.ring(), instances=150)
    stale_ring = keys.ring()
    others = KeyFile(keys.path)  # what another process would hold
    done = asyncio.Event()
    counts = {"found": 0, "opened": 0, "written": 0}

    async def find_and_open() -> None:
        number = 0
        while not done.is_set():
            number = number % 150 + 1
            secret = f"secret of instance/{number}/token"
            async with database.reading() as connection:

                async def look(
                    ring: KeyRing, connection: Connection = connection, secret: str = secret
                ) -> Any:
                    wanted = digests(ring, secret, purpose=DIGEST_PURPOSE)
                    query = select(instance).where(instance.c.token_digest.in_(wanted))
                    return (await connection.execute(query)).mappings().one_or_none()

                row = await others.find(look)
            assert row is not None, f"instance {number} was not found"
            counts["found"] += 1
            context = sealed_context(instance.c.token_sealed, dict(row))
            assert others.open(row["token_sealed"], context=context) == secret
            counts["opened"] += 1

    async def write() -> None:
        while not done.is_set():
            async with database.transaction() as connection:
                await writer.add_instance(connection, others.ring())
            counts["written"] += 1
            await asyncio.sleep(0.005)

    async def write_late() -> None:
        # An operation that took its ring before the rotation and commits during it.
        async with database.transaction() as connection:
            await writer.add_instance(connection, stale_ring)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(find_and_open())
        tasks.create_task(find_and_open())
        tasks.create_task(write())
        tasks.create_task(write_late())
        await asyncio.sleep(0.05)
        for turn in range(2):
            await rotate(database, keys, now=now + turn * LATER, random=random_bytes)
        done.set()
    assert min(counts.values()) > 5, counts
    current = keys.ring().current_id
    await retire(database, keys, now=now + 3 * LATER, random=random_bytes)
    assert set(await count_uses(database)) == {current}
    assert len(keys.ring().terms) == 1
    checked = await _check_everything(database, keys.ring())
    assert checked == 2 + 2 + 4 + 2 + 3 * (150 + counts["written"] + 1)


async def test_brings_stragglers_along_before_retiring(
    database: Database, keys: KeyFile, writer: Writer, now: datetime, random_bytes: Random
) -> None:
    before = keys.ring()
    await writer.fill(database, before, instances=1)
    await rotate(database, keys, now=now, random=random_bytes)
    async with database.transaction() as connection:
        await writer.add_instance(connection, before)
    assert len(await count_uses(database)) == 2
    done = await retire(database, keys, now=now + LATER, random=random_bytes)
    assert done.retired == (before.current_id,)
    assert done.rows == 2
    assert [term.id for term in keys.ring().terms] == [done.key_id]
    assert await _check_everything(database, keys.ring()) > 0


async def test_retires_nothing_too_early(
    database: Database, keys: KeyFile, writer: Writer, now: datetime, random_bytes: Random
) -> None:
    await writer.fill(database, keys.ring(), instances=1)
    await rotate(database, keys, now=now, random=random_bytes)
    with pytest.raises(Conflict, match="2026-11-23 12:10:00 UTC"):
        await retire(database, keys, now=now + LATER - timedelta(seconds=1), random=random_bytes)
    assert len(keys.ring().terms) == 2


async def test_retires_nothing_when_there_is_one_term(
    database: Database, keys: KeyFile, now: datetime, random_bytes: Random
) -> None:
    done = await retire(database, keys, now=now, random=random_bytes)
    assert done.retired == ()
    assert len(keys.ring().terms) == 1


async def test_an_interrupted_rotation_is_finished_by_the_next(
    database: Database, keys: KeyFile, writer: Writer, now: datetime, random_bytes: Random
) -> None:
    await writer.fill(database, keys.ring(), instances=3)
    term = make_term(random=random_bytes, created_at=now)
    change_ring(keys.path, lambda ring: add_term(ring, term))  # and killed right after
    assert await _check_everything(database, keys.ring()) > 0
    done = await retire(database, keys, now=now + LATER, random=random_bytes)
    assert done.key_id == term.id
    assert set(await count_uses(database)) == {term.id}


_ROTATE = """
import asyncio, os, sys
from datetime import datetime
from pathlib import Path
from polyvalent.db import open_database
from polyvalent.db.key_file import KeyFile
from polyvalent.db.rotate import rotate

async def main():
    database = await open_database(sys.argv[1])
    now = datetime.fromisoformat(sys.argv[3])
    await rotate(database, KeyFile(Path(sys.argv[2])), now=now, random=os.urandom)

asyncio.run(main())
"""


async def test_a_killed_rotation_closes_no_secret(
    database: Database,
    database_url: str,
    keys: KeyFile,
    writer: Writer,
    now: datetime,
    random_bytes: Random,
) -> None:
    uses: dict[str, int] = {}
    tries = 0
    # On a busy machine the kill may come when all is done: then once more, with more rows.
    while len(uses) != 2 and tries < 3:
        tries += 1
        old = keys.ring().current_id
        await writer.fill(database, keys.ring(), instances=600)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _ROTATE, database_url, str(keys.path), now.isoformat()
        )
        while (await count_uses(database)).keys() <= {old}:
            assert process.returncode is None
            await asyncio.sleep(0.005)
        process.kill()
        await process.wait()
        uses = dict(await count_uses(database))
    assert len(uses) == 2, "killed too late to be half way"
    checked = await _check_everything(database, keys.ring())
    done = await retire(database, keys, now=now + LATER, random=random_bytes)
    assert await _check_everything(database, keys.ring()) == checked
    assert await count_uses(database) == {done.key_id: checked}


async def test_stops_at_a_secret_that_does_not_open_and_loses_no_other(
    database: Database, keys: KeyFile, writer: Writer, now: datetime, random_bytes: Random
) -> None:
    await writer.fill(database, keys.ring(), instances=2)
    async with database.transaction() as connection:
        swap = "UPDATE instance SET token_sealed = (SELECT secret_sealed FROM organization)"
        await connection.execute(text(f"{swap} WHERE id = 2"))
    with pytest.raises(SealBroken):
        await rotate(database, keys, now=now, random=random_bytes)
    with pytest.raises(SealBroken):
        await retire(database, keys, now=now + LATER, random=random_bytes)
    assert len(keys.ring().terms) == 2
    async with database.transaction() as connection:
        await connection.execute(instance.delete().where(instance.c.id == 2))
    assert await _check_everything(database, keys.ring()) > 0
