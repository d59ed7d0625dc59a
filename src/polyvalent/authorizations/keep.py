"""Keep temporary credentials until their merchant has consented, or has not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from polyvalent.authorizations import sql
from polyvalent.authorizations.model import NewAuthorizationRequest
from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.vault import Random

LIFETIME = timedelta(hours=1)
# Longer than they live, so that a late merchant is told what happened.
KEPT_AFTER = timedelta(days=1)
# Anybody may start an authorization; this many of the youngest are kept, some 100 MB.
MOST_KEPT = 50_000


async def keep_request(
    database: Database,
    keys: KeyFile,
    request: NewAuthorizationRequest,
    *,
    random: Random,
    mark: Callable[[str], None],
) -> None:
    """
    Keep an authorization request, sealed; `mark` names the points where a crash is tried.

    Effects: one row; requests that expired a day ago and those past 50 000 are deleted.
    """
    async with database.transaction() as connection:
        await sql.delete_expired_requests(connection, before=request.created_at - KEPT_AFTER)
        await sql.delete_surplus_requests(connection, most=MOST_KEPT - 1)
        mark("token.before_insert")
        await sql.insert_request(connection, keys.ring(), random=random, request=request)
        mark("token.before_commit")
