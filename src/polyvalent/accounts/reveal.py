"""Open secrets again: the default ones for the operator, a user's for work that it asked for."""

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
    return _open(keys, member)


async def reveal_secrets_of(database: Database, keys: KeyFile, *, user_id: int) -> dict[str, str]:
    """
    Return the secrets of a user, to act in its name; see `reveal_secrets`.

    Raises NotFound if the user is gone, or it or its account is not active any more.
    """
    async with database.reading() as connection:
        member = await sql.find_member_by_id(connection, user_id)
    if member is None:
        raise NotFound("The user who asked for this is gone or not active any more.")
    return _open(keys, member)


def _open(keys: KeyFile, member: sql.Member) -> dict[str, str]:
    return {
        "user": keys.open(member.user_sealed, context=member.user_context),
        "organization": keys.open(member.organization_sealed, context=member.organization_context),
    }
