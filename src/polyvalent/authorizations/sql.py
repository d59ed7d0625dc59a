"""Hold every statement of authorization requests, one function each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, delete, func, insert, select, update
from sqlalchemy.engine import Row

from polyvalent.authorizations.model import AuthorizationRequest, NewAuthorizationRequest
from polyvalent.db import Connection, next_id
from polyvalent.db.key_file import KeyFile
from polyvalent.db.schema import authorization_request, sealed_context
from polyvalent.vault import KeyRing, Random, digest, digests, seal

TOKEN_PURPOSE = "authorization_request.token"  # a purpose, not a secret
HANDLE_PURPOSE = "authorization_request.handle"


async def insert_request(
    connection: Connection, ring: KeyRing, *, random: Random, request: NewAuthorizationRequest
) -> None:
    """Keep temporary credentials, sealed, until they are used or expire."""
    table = authorization_request
    request_id = await next_id(connection, table)

    def sealed(text: str, name: str) -> str:
        context = _bound(table.c[f"{name}_sealed"], id=request_id)
        return seal(ring, text, context=context, random=random)

    await connection.execute(
        insert(table).values(
            id=request_id,
            element_key=request.element_key,
            store_url=request.store_url,
            callback_url=request.callback_url,
            client_key_sealed=sealed(request.client_key, "client_key"),
            token_sealed=sealed(request.token, "token"),
            token_digest=digest(ring.current, request.token, purpose=TOKEN_PURPOSE),
            secret_sealed=sealed(request.secret, "secret"),
            handle_sealed=sealed(request.handle, "handle"),
            handle_digest=digest(ring.current, request.handle, purpose=HANDLE_PURPOSE),
            created_at=request.created_at,
            expires_at=request.expires_at,
        )
    )


async def find_request_by_token(
    connection: Connection, keys: KeyFile, *, token: str
) -> AuthorizationRequest | None:
    """Find the youngest authorization request of a request token."""
    table = authorization_request

    async def look(ring: KeyRing) -> Row[Any] | None:
        wanted = digests(ring, token, purpose=TOKEN_PURPOSE)
        query = select(table).where(table.c.token_digest.in_(wanted)).order_by(table.c.id.desc())
        return (await connection.execute(query.limit(1))).first()

    row = await keys.find(look)
    if row is None:
        return None

    def opened(sealed: str, name: str) -> str:
        return keys.open(sealed, context=_bound(table.c[f"{name}_sealed"], id=row.id))

    return AuthorizationRequest(
        id=row.id,
        element_key=row.element_key,
        store_url=row.store_url,
        client_key=opened(row.client_key_sealed, "client_key"),
        secret=opened(row.secret_sealed, "secret"),
        handle=opened(row.handle_sealed, "handle"),
        expires_at=row.expires_at,
        used_at=row.used_at,
    )


async def is_handle(connection: Connection, keys: KeyFile, *, text: str) -> bool:
    """Say whether a text is the handle of any authorization request that is still kept."""
    table = authorization_request

    async def look(ring: KeyRing) -> Row[Any] | None:
        wanted = digests(ring, text, purpose=HANDLE_PURPOSE)
        query = select(table.c.id).where(table.c.handle_digest.in_(wanted))
        return (await connection.execute(query)).first()

    return await keys.find(look) is not None


async def use_request(
    connection: Connection, ring: KeyRing, *, random: Random, request_id: int, now: datetime
) -> bool:
    """Mark an authorization request as used and forget its secret; False if it was used before."""
    table = authorization_request
    emptied = seal(ring, "", context=_bound(table.c.secret_sealed, id=request_id), random=random)
    result = await connection.execute(
        update(table)
        .where(table.c.id == request_id, table.c.used_at.is_(None))
        .values(used_at=now, secret_sealed=emptied)
    )
    return result.rowcount == 1


async def delete_expired_requests(connection: Connection, *, before: datetime) -> None:
    """Delete the authorization requests that expired before a moment."""
    table = authorization_request
    await connection.execute(delete(table).where(table.c.expires_at < before))


async def delete_surplus_requests(connection: Connection, *, most: int) -> None:
    """Delete all but about so many of the youngest authorization requests."""
    table = authorization_request
    youngest = select(func.max(table.c.id)).scalar_subquery()
    await connection.execute(delete(table).where(table.c.id <= youngest - most))


def _bound(column: Column[Any], **row: int | str) -> str:
    """Return what a sealed value is bound to, as the schema says."""
    return sealed_context(column, row)
