"""Use an authorization request up, in the transaction that writes what came of it."""

from __future__ import annotations

from datetime import datetime

from polyvalent.authorizations import sql
from polyvalent.db import Connection
from polyvalent.db.key_file import KeyFile
from polyvalent.errors import BadRequest
from polyvalent.vault import Random


async def use_request(
    connection: Connection, keys: KeyFile, *, random: Random, request_id: int, now: datetime
) -> None:
    """Mark a request as used and forget its secret; raises BadRequest if another was faster."""
    used = await sql.use_request(
        connection, keys.ring(), random=random, request_id=request_id, now=now
    )
    if not used:
        raise BadRequest("This authorization was used already. Start it again.")
