"""Find the authorization request that a callback speaks of."""

from __future__ import annotations

from polyvalent.authorizations import sql
from polyvalent.authorizations.model import AuthorizationRequest
from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile


async def find_request(
    database: Database, keys: KeyFile, *, token: str
) -> AuthorizationRequest | None:
    """Return the youngest authorization request of a request token, opened; None without one."""
    async with database.reading() as connection:
        return await sql.find_request_by_token(connection, keys, token=token)


async def knows_handle(database: Database, keys: KeyFile, *, text: str) -> bool:
    """Say whether a text is the handle of any authorization request that is still kept."""
    async with database.reading() as connection:
        return await sql.is_handle(connection, keys, text=text)
