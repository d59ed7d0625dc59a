"""Show the default secrets to the operator of this machine."""

from __future__ import annotations

from polyvalent.accounts import sql
from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.errors import NotFound


async def reveal_secrets(database: Database, keys: KeyFile) -> dict[str, str]:
    """
    Return the secrets of the default user: `{"user": "<44 characters>", "organization": "<32>"}`.

    Raises NotFound before the first start, UnknownKey if the key file is another database's.
    """
    async with database.reading() as connection:
        member = await sql.first_member(connection)
    if member is None:
        raise NotFound("There is no user yet. Start the platform once: polyvalent serve")
    return {
        "user": keys.open(member.user_sealed, context=member.user_context),
        "organization": keys.open(member.organization_sealed, context=member.organization_context),
    }
