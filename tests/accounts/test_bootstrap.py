"""The first start makes one organization, account and user, whoever starts at once."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import sys
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text

from polyvalent.accounts.bootstrap import bootstrap
from polyvalent.accounts.reveal import reveal_secrets
from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile, open_key_file
from polyvalent.db.schema import account, app_user, organization
from polyvalent.errors import NotFound
from polyvalent.vault import Random, UnknownKey


async def _counts(database: Database) -> list[int]:
    async with database.reading() as connection:
        return [
            len((await connection.execute(select(table.c.id))).all())
            for table in (organization, account, app_user)
        ]


async def test_makes_secrets_of_the_platforms_form(secrets: dict[str, str]) -> None:
    assert set(secrets) == {"user", "organization"}
    assert re.fullmatch("[0-9a-f]{32}", secrets["organization"])
    assert len(secrets["user"]) == 44
    assert len(base64.b64decode(secrets["user"], validate=True)) == 32


async def test_is_done_once(
    database: Database, keys: KeyFile, secrets: dict[str, str], now: datetime
) -> None:
    assert await bootstrap(database, keys, now=now, random=os.urandom) is False
    assert await reveal_secrets(database, keys) == secrets
    assert await _counts(database) == [1, 1, 1]


async def test_makes_a_default_account(database: Database, secrets: dict[str, str]) -> None:
    assert secrets
    async with database.reading() as connection:
        row = (await connection.execute(select(account))).mappings().one()
    assert (row["name"], row["is_default"], row["active"]) == ("Default", True, True)


_START = """
import asyncio, os, sys
from datetime import UTC, datetime
from pathlib import Path
from polyvalent.accounts.bootstrap import bootstrap
from polyvalent.accounts.reveal import reveal_secrets
from polyvalent.db import open_database
from polyvalent.db.key_file import open_key_file
from polyvalent.db.migrate import upgrade

async def main():
    now = datetime.now(UTC)
    keys = open_key_file(Path(sys.argv[2]), now=now, random=os.urandom)
    database = await open_database(sys.argv[1])
    await upgrade(database)
    await bootstrap(database, keys, now=now, random=os.urandom)
    secrets = await reveal_secrets(database, keys)
    print(secrets["user"], secrets["organization"])
    await database.close()

asyncio.run(main())
"""


async def test_processes_that_start_at_once_agree(empty_database_url: str, tmp_path: Path) -> None:
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _START,
            empty_database_url,
            str(tmp_path / "shared" / "keys.json"),
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(3)
    ]
    said = [(await process.communicate())[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(set(said)) == 1
    assert len(said[0].split()) == 2


async def test_refuses_to_start_with_another_key_file(
    database: Database, secrets: dict[str, str], tmp_path: Path, now: datetime
) -> None:
    assert secrets
    other = open_key_file(tmp_path / "other.json", now=now, random=os.urandom)
    with pytest.raises(UnknownKey, match="Restore the key file"):
        await bootstrap(database, other, now=now, random=os.urandom)
    with pytest.raises(UnknownKey):
        await reveal_secrets(database, other)


async def test_reveals_nothing_before_the_first_start(database: Database, keys: KeyFile) -> None:
    with pytest.raises(NotFound, match="polyvalent serve"):
        await reveal_secrets(database, keys)


async def test_keeps_no_secret_in_the_open(
    database: Database, secrets: dict[str, str], random_bytes: Random
) -> None:
    assert random_bytes(1)
    stored = []
    async with database.reading() as connection:
        for table in ("organization", "account", "app_user"):
            rows = (await connection.execute(text(f"SELECT * FROM {table}"))).all()
            stored.append(repr(rows))
    for secret in secrets.values():
        assert secret not in "".join(stored)
