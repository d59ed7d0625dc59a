"""Make the first organization, account and user at the first start."""

from __future__ import annotations

import base64
from datetime import datetime

from polyvalent.accounts import sql
from polyvalent.db import Database, lock
from polyvalent.db.key_file import KeyFile
from polyvalent.vault import Random, Secret

ORGANIZATION_SECRET_BYTES = 16
USER_SECRET_BYTES = 32
DEFAULT_EMAIL = "admin@localhost"


def make_organization_secret(random: Random) -> Secret:
    """Make an organization secret: 32 hex digits, as the platform's are."""
    return Secret(random(ORGANIZATION_SECRET_BYTES).hex())


def make_user_secret(random: Random) -> Secret:
    """Make a user secret: 44 characters of base64, as the platform's are."""
    return Secret(base64.b64encode(random(USER_SECRET_BYTES)).decode())


async def is_fresh(database: Database) -> bool:
    """Say whether the first organization is still to be made."""
    async with database.reading() as connection:
        return await sql.first_member(connection) is None


async def bootstrap(database: Database, keys: KeyFile, *, now: datetime, random: Random) -> bool:
    """
    Make sure that somebody can call: say whether the default organization had to be made.

    Every process does this at its start; of several at once, one makes it and the others find
    it. Where it exists already, its secret is opened once, so that a start with the wrong key
    file fails here: raises UnknownKey or SealBroken.
    """
    async with database.reading() as connection:
        member = await sql.first_member(connection)
    if member is None:
        async with database.transaction() as connection:
            await lock(connection, "bootstrap")
            member = await sql.first_member(connection)
            if member is None:
                ring = keys.ring()
                organization = await sql.insert_organization(
                    connection,
                    name="Default",
                    secret=make_organization_secret(random),
                    created_at=now,
                    ring=ring,
                    random=random,
                )
                account = await sql.insert_account(
                    connection,
                    organization_id=organization.id,
                    name="Default",
                    external_id="default",
                    is_default=True,
                    created_at=now,
                )
                await sql.insert_user(
                    connection,
                    account_id=account.id,
                    email=DEFAULT_EMAIL,
                    first_name="Default",
                    last_name="User",
                    secret=make_user_secret(random),
                    created_at=now,
                    ring=ring,
                    random=random,
                )
                return True
    keys.open(member.organization_sealed, context=member.organization_context)
    return False
