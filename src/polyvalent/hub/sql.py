"""Hold every statement of calls, one function each: kept calls and intents to write."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Row

from polyvalent.db import Connection, lock, next_id
from polyvalent.db.key_file import KeyFile
from polyvalent.db.owner import instance_there
from polyvalent.db.schema import digest_purpose, sealed_context
from polyvalent.db.schema_calls import kept_call, write_intent
from polyvalent.vault import KeyRing, Random, digest, digests, seal

KEY_PURPOSE = digest_purpose(kept_call.c.key_digest)
IDENTITY_PURPOSE = digest_purpose(write_intent.c.identity_digest)
CALLS_KEPT = timedelta(hours=24)
# An intent that nobody asked after for so long will not be asked after any more.
INTENTS_KEPT = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class KeptCall:
    """Hold one kept call; its content is what `keep_content` was given last."""

    id: int
    content: str = field(repr=False)


async def find_kept_call(
    connection: Connection, keys: KeyFile, *, instance_id: int, key: str, now: datetime
) -> KeptCall | None:
    """Find the call of an instance that carried a key in the last day; keeps others out."""
    await lock(connection, f"kept_call/{instance_id}/{key}")

    async def look(ring: KeyRing) -> Any:
        query = select(kept_call.c.id, kept_call.c.content_sealed).where(
            kept_call.c.instance_id == instance_id,
            kept_call.c.key_digest.in_(digests(ring, key, purpose=KEY_PURPOSE)),
            kept_call.c.created_at > now - CALLS_KEPT,
        )
        return (await connection.execute(query)).first()

    row = await keys.find(look)
    if row is None:
        return None
    context = sealed_context(kept_call.c.content_sealed, {"id": row.id})
    return KeptCall(id=row.id, content=keys.open(row.content_sealed, context=context))


async def insert_kept_call(
    connection: Connection,
    ring: KeyRing,
    *,
    random: Random,
    instance_id: int,
    key: str,
    content: str,
    now: datetime,
) -> int:
    """Keep a call, and forget those of days past; return its id."""
    await connection.execute(delete(kept_call).where(kept_call.c.created_at <= now - CALLS_KEPT))
    call_id = await next_id(connection, kept_call)
    context = sealed_context(kept_call.c.key_sealed, {"id": call_id})
    row = {
        "id": call_id,
        "instance_id": instance_id,
        "key_sealed": seal(ring, key, context=context, random=random),
        "key_digest": digest(ring.current, key, purpose=KEY_PURPOSE),
        "content_sealed": _seal_content(ring, call_id, content, random=random),
        "created_at": now,
    }
    with instance_there(instance_id):
        await connection.execute(insert(kept_call).values(row))
    return call_id


async def keep_content(
    connection: Connection, ring: KeyRing, *, random: Random, call_id: int, content: str
) -> None:
    """Put other content in the place of a kept call's."""
    sealed = _seal_content(ring, call_id, content, random=random)
    await connection.execute(
        update(kept_call).where(kept_call.c.id == call_id).values(content_sealed=sealed)
    )


async def delete_kept_call(connection: Connection, call_id: int) -> None:
    """Forget a call, so that its key may be used anew."""
    await connection.execute(delete(kept_call).where(kept_call.c.id == call_id))


async def open_intent(
    connection: Connection,
    keys: KeyFile,
    *,
    random: Random,
    instance_id: int,
    identity: str,
    now: datetime,
) -> bool:
    """Note that a row is about to be created; True if that was noted before and had no end."""
    table = write_intent
    await connection.execute(delete(table).where(table.c.created_at <= now - INTENTS_KEPT))

    async def look(ring: KeyRing) -> Row[Any] | None:
        wanted = digests(ring, identity, purpose=IDENTITY_PURPOSE)
        query = select(table.c.id).where(
            table.c.instance_id == instance_id, table.c.identity_digest.in_(wanted)
        )
        return (await connection.execute(query)).first()

    if await keys.find(look) is not None:
        return True
    ring = keys.ring()
    intent_id = await next_id(connection, table)
    context = sealed_context(table.c.identity_sealed, {"id": intent_id})
    row = {
        "id": intent_id,
        "instance_id": instance_id,
        "identity_sealed": seal(ring, identity, context=context, random=random),
        "identity_digest": digest(ring.current, identity, purpose=IDENTITY_PURPOSE),
        "created_at": now,
    }
    with instance_there(instance_id):
        await connection.execute(insert(table).values(row))
    return False


async def close_intent(
    connection: Connection, keys: KeyFile, *, instance_id: int, identity: str
) -> None:
    """Forget that a row was about to be created, since it is known what became of it."""
    wanted = digests(keys.ring(), identity, purpose=IDENTITY_PURPOSE)
    table = write_intent
    await connection.execute(
        delete(table).where(table.c.instance_id == instance_id, table.c.identity_digest.in_(wanted))
    )


def _seal_content(ring: KeyRing, call_id: int, content: str, *, random: Random) -> str:
    context = sealed_context(kept_call.c.content_sealed, {"id": call_id})
    return seal(ring, content, context=context, random=random)
