"""Put instances into a database without asking a store: the rows that a creation would write."""

from __future__ import annotations

import asyncio
import base64
import os
from datetime import UTC, datetime
from pathlib import Path

from polyvalent.accounts import sql as accounts_sql
from polyvalent.catalog.load import load_catalog
from polyvalent.db import open_database
from polyvalent.db.key_file import KeyFile
from polyvalent.instances import sql
from polyvalent.instances.configuration import complete
from polyvalent.instances.model import NewInstance
from polyvalent.instances.provision import stored_values

BATCH = 100


def fill(
    url: str,
    key_path: Path,
    *,
    count: int,
    store_url: str,
    credentials: dict[str, str],
    element_key: str = "magento",
) -> tuple[str, ...]:
    """
    Insert instances of the default user and return their element tokens.

    `credentials` go into every configuration: {"oauth.api.key": …, "oauth.user.token": …}. The
    database must have been used by a server before, which made user and key file.
    """
    return asyncio.run(
        _fill(
            url,
            key_path,
            count=count,
            given={"store.url": store_url, **credentials},
            element_key=element_key,
        )
    )


async def _fill(
    url: str, key_path: Path, *, count: int, given: dict[str, str], element_key: str
) -> tuple[str, ...]:
    element = load_catalog().find(element_key)
    configuration = complete(element, given)
    database = await open_database(url)
    keys = KeyFile(key_path)
    tokens: list[str] = []
    try:
        async with database.reading() as connection:
            owner = await accounts_sql.first_member(connection)
        assert owner is not None
        while len(tokens) < count:
            async with database.transaction() as connection:
                for _ in range(min(BATCH, count - len(tokens))):
                    token = base64.b64encode(os.urandom(32)).decode()
                    name = f"Shop {len(tokens) + 1}"
                    await sql.insert_instance(
                        connection,
                        keys.ring(),
                        random=os.urandom,
                        new=NewInstance(
                            organization_id=owner.organization.id,
                            account_id=owner.account.id,
                            user_id=owner.user.id,
                            element_id=element.id,
                            element_key=element.key,
                            name=name,
                            token=token,
                            tags=(name, "filled"),
                            configuration=stored_values(element, configuration),
                            trace_logging_enabled=False,
                            external_authentication="initial",
                            signing_variant="",
                            created_at=datetime.now(UTC),
                        ),
                    )
                    tokens.append(token)
    finally:
        await database.close()
    return tuple(tokens)
