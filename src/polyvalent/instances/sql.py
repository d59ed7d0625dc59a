"""Hold every statement of instances, one function each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, and_, delete, exists, func, insert, or_, select, true, update
from sqlalchemy.engine import Row

from polyvalent.accounts.model import User
from polyvalent.db import Connection, next_id
from polyvalent.db.key_file import KeyFile
from polyvalent.db.schema import (
    app_user,
    configuration_entry,
    element_version,
    instance,
    instance_tag,
    sealed_context,
)
from polyvalent.instances.model import (
    Instance,
    InstanceId,
    NewInstance,
    StoredValue,
)
from polyvalent.vault import KeyRing, Random, digest, digests, seal

TOKEN_PURPOSE = "instance.token"  # a purpose, not a secret
# Read along with an instance, so that its element is found without another question.
_ELEMENTS = (
    select(element_version.c.version)
    .where(element_version.c.organization_id == instance.c.organization_id)
    .scalar_subquery()
    .label("elements_version")
)


async def insert_instance(
    connection: Connection, ring: KeyRing, *, random: Random, new: NewInstance
) -> InstanceId:
    """Insert an instance with its tags and configuration; return its id."""
    instance_id = InstanceId(await next_id(connection, instance))
    await connection.execute(
        insert(instance).values(
            id=instance_id,
            organization_id=new.organization_id,
            account_id=new.account_id,
            user_id=new.user_id,
            element_id=new.element_id,
            element_key=new.element_key,
            name=new.name,
            token_sealed=seal(
                ring,
                new.token,
                context=_bound(instance.c.token_sealed, id=instance_id),
                random=random,
            ),
            token_digest=digest(ring.current, new.token, purpose=TOKEN_PURPOSE),
            trace_logging_enabled=new.trace_logging_enabled,
            caching_enabled=new.caching_enabled,
            max_cache_size=new.max_cache_size,
            cache_time_to_live=new.cache_time_to_live,
            external_authentication=new.external_authentication,
            signing_variant=new.signing_variant,
            created_at=new.created_at,
            updated_at=new.created_at,
        )
    )
    await replace_tags(connection, instance_id, tags=new.tags)
    await put_configuration(
        connection, ring, random=random, instance_id=instance_id, values=new.configuration
    )
    return instance_id


async def replace_tags(
    connection: Connection, instance_id: InstanceId, *, tags: Sequence[str]
) -> None:
    """Make these the tags of an instance, in this order."""
    await connection.execute(delete(instance_tag).where(instance_tag.c.instance_id == instance_id))
    if tags:
        await connection.execute(
            insert(instance_tag),
            [
                {"instance_id": instance_id, "position": position, "tag": tag}
                for position, tag in enumerate(tags)
            ],
        )


async def put_configuration(
    connection: Connection,
    ring: KeyRing,
    *,
    random: Random,
    instance_id: InstanceId,
    values: Mapping[str, StoredValue],
) -> None:
    """Store configuration values, updating those that are there so that their ids remain."""
    entry = configuration_entry
    found = await connection.execute(select(entry.c.key).where(entry.c.instance_id == instance_id))
    present = set(found.scalars())
    added: list[dict[str, Any]] = []
    for key, stored in values.items():
        sealed = stored.secret and stored.value is not None
        columns: dict[str, Any] = {
            "value": None if sealed else stored.value,
            "value_sealed": seal(
                ring,
                stored.value or "",
                context=_bound(entry.c.value_sealed, instance_id=instance_id, key=key),
                random=random,
            )
            if sealed
            else None,
        }
        if key in present:
            where = and_(entry.c.instance_id == instance_id, entry.c.key == key)
            await connection.execute(update(entry).where(where).values(**columns))
        else:
            added.append({"instance_id": instance_id, "key": key, **columns})
    if added:
        await connection.execute(insert(entry), added)


async def find_instance(
    connection: Connection, keys: KeyFile, *, instance_id: int, organization_id: int | None
) -> Instance | None:
    """Find an instance by its id, within an organization or, where that is None, in all."""
    where = instance.c.id == instance_id
    if organization_id is not None:
        where = and_(where, instance.c.organization_id == organization_id)
    return await _one(connection, keys, where)


async def find_instance_by_token(
    connection: Connection, keys: KeyFile, *, token: str
) -> Instance | None:
    """Find an instance by its element token, under every term of the ring."""

    async def look(ring: KeyRing) -> Instance | None:
        wanted = digests(ring, token, purpose=TOKEN_PURPOSE)
        return await _one(connection, keys, instance.c.token_digest.in_(wanted))

    return await keys.find(look)


async def list_instances(
    connection: Connection,
    keys: KeyFile,
    *,
    organization_id: int,
    element_key: str | None,
    tags: Sequence[str],
    search_text: str | None,
    offset: int,
    limit: int,
) -> tuple[Instance, ...]:
    """List instances of an organization by id; every given filter must hold, any tag suffices."""
    query = select(instance, _ELEMENTS).where(instance.c.organization_id == organization_id)
    if element_key is not None:
        query = query.where(instance.c.element_key == element_key)
    if tags:
        tagged = and_(instance_tag.c.instance_id == instance.c.id, instance_tag.c.tag.in_(tags))
        query = query.where(exists().where(tagged))
    if search_text:
        # The database lowers both sides, so that they agree on the letters that have two cases.
        # Its own search for a text knows no wildcards, unlike LIKE.
        text = func.lower(search_text)
        place = func.instr if connection.dialect.name == "sqlite" else func.strpos
        query = query.where(
            or_(
                place(func.lower(instance.c.name), text) > 0,
                place(func.lower(instance.c.element_key), text) > 0,
            )
        )
    rows = await connection.execute(query.order_by(instance.c.id).offset(offset).limit(limit))
    return await _whole(connection, keys, list(rows))


async def list_users(connection: Connection, *, ids: Collection[int]) -> tuple[User, ...]:
    """List users by their ids."""
    columns = [app_user.c[name] for name in User.__struct_fields__]
    rows = await connection.execute(select(*columns).where(app_user.c.id.in_(ids)))
    return tuple(User(**row) for row in rows.mappings())


async def count_instances(connection: Connection, *, organization_id: int) -> int:
    """Count the instances of an organization."""
    query = select(func.count()).where(instance.c.organization_id == organization_id)
    return int((await connection.execute(query)).scalar_one())


async def update_instance(
    connection: Connection,
    instance_id: InstanceId,
    *,
    now: datetime,
    changes: Mapping[str, Any],
    version: int | None = None,
) -> bool:
    """Change columns of an instance, count its version up; False if it is gone or past it."""
    same = instance.c.version == version if version is not None else true()
    result = await connection.execute(
        update(instance)
        .where(instance.c.id == instance_id, same)
        .values(**changes, updated_at=now, version=instance.c.version + 1)
    )
    return result.rowcount == 1


async def delete_instance(connection: Connection, instance_id: InstanceId) -> bool:
    """Delete an instance and all that belongs to it; False if it is gone already."""
    result = await connection.execute(delete(instance).where(instance.c.id == instance_id))
    return result.rowcount == 1


async def configuration_ids(connection: Connection, instance_id: InstanceId) -> Mapping[str, int]:
    """Return the id of every stored configuration entry by key."""
    entry = configuration_entry
    rows = await connection.execute(
        select(entry.c.key, entry.c.id).where(entry.c.instance_id == instance_id)
    )
    return {row.key: row.id for row in rows}


def _bound(column: Column[Any], **row: int | str) -> str:
    """Return what a sealed value is bound to, as the schema says."""
    return sealed_context(column, row)


async def _one(connection: Connection, keys: KeyFile, where: Any) -> Instance | None:
    row = (await connection.execute(select(instance, _ELEMENTS).where(where))).first()
    return None if row is None else (await _whole(connection, keys, [row]))[0]


async def _whole(
    connection: Connection, keys: KeyFile, rows: Sequence[Row[Any]]
) -> tuple[Instance, ...]:
    """Read tags and configuration of instances and open what is sealed."""
    ids = [row.id for row in rows]
    tags: dict[int, list[str]] = {instance_id: [] for instance_id in ids}
    values: dict[int, dict[str, str | None]] = {instance_id: {} for instance_id in ids}
    sealed: dict[int, set[str]] = {instance_id: set() for instance_id in ids}
    if ids:
        tag_rows = await connection.execute(
            select(instance_tag)
            .where(instance_tag.c.instance_id.in_(ids))
            .order_by(instance_tag.c.instance_id, instance_tag.c.position)
        )
        for row in tag_rows:
            tags[row.instance_id].append(row.tag)
        entry = configuration_entry
        entry_rows = await connection.execute(
            select(entry).where(entry.c.instance_id.in_(ids)).order_by(entry.c.id)
        )
        for row in entry_rows:
            if row.value_sealed is not None:
                sealed[row.instance_id].add(row.key)
            values[row.instance_id][row.key] = (
                row.value
                if row.value_sealed is None
                else keys.open(
                    row.value_sealed,
                    context=_bound(entry.c.value_sealed, instance_id=row.instance_id, key=row.key),
                )
            )
    return tuple(
        Instance(
            id=InstanceId(row.id),
            organization_id=row.organization_id,
            account_id=row.account_id,
            user_id=row.user_id,
            element_id=row.element_id,
            element_key=row.element_key,
            name=row.name,
            token=keys.open(row.token_sealed, context=_bound(instance.c.token_sealed, id=row.id)),
            tags=tuple(tags[row.id]),
            configuration=values[row.id],
            valid=row.valid,
            disabled=row.disabled,
            invalid_reason=row.invalid_reason,
            invalid_at=row.invalid_at,
            events_enabled=row.events_enabled,
            caching_enabled=row.caching_enabled,
            trace_logging_enabled=row.trace_logging_enabled,
            max_cache_size=row.max_cache_size,
            cache_time_to_live=row.cache_time_to_live,
            external_authentication=row.external_authentication,
            signing_variant=row.signing_variant or "",
            created_at=row.created_at,
            updated_at=row.updated_at,
            version=row.version,
            elements_version=row.elements_version or 0,
            sealed=frozenset(sealed[row.id]),
        )
        for row in rows
    )
