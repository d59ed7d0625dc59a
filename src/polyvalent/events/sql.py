"""Hold every statement of events, one function each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Integer,
    Label,
    Row,
    case,
    cast,
    delete,
    func,
    insert,
    select,
    update,
)

from polyvalent.db import Connection, lock, next_ids
from polyvalent.db.key_file import KeyFile
from polyvalent.db.owner import instance_there
from polyvalent.db.schema import instance, sealed_context
from polyvalent.db.schema_events import change, event, poll_state, row_digest
from polyvalent.events.model import Change, EventType, Record, Source
from polyvalent.vault import Random, seal

_CONTENT = event.c.content_sealed


async def lock_feed(connection: Connection, instance_id: int) -> None:
    """
    Keep others from adding changes to an instance's feed until the transaction ends.

    So their ids rise in the order of the commits, and whoever reads behind one misses none.
    """
    await lock(connection, f"changes/{instance_id}")


async def insert_records(
    connection: Connection,
    keys: KeyFile,
    instance_id: int,
    records: Sequence[Record],
    *,
    random: Random,
) -> None:
    """Insert records and their changes, in order; raises NotFound if the instance is gone."""
    ring = keys.ring()
    ids = await next_ids(connection, event, len(records))
    rows, changes = [], []
    for row_id, record in zip(ids, records, strict=True):
        content = {"raw": record.raw, "events": [_plain(item) for item in record.changes]}
        context = sealed_context(_CONTENT, {"id": row_id})
        rows.append(
            {
                "id": row_id,
                "event_id": record.id,
                "instance_id": instance_id,
                "source": record.source,
                "object_type": record.object_type,
                "content_sealed": seal(
                    ring, orjson.dumps(content).decode(), context=context, random=random
                ),
                "created_at": record.noted_at,
            }
        )
        changes += [
            {
                "instance_id": instance_id,
                "event_id": record.id,
                "change_type": item.type,
                "object_type": item.object_type,
                "object_id": item.object_id,
                "changed_at": item.changed_at,
                "created_at": record.noted_at,
            }
            for item in record.changes
        ]
    with instance_there(instance_id):
        await connection.execute(insert(event), rows)
        if changes:
            await connection.execute(insert(change), changes)


async def find_record(
    connection: Connection, keys: KeyFile, *, instance_ids: Any, event_id: str
) -> tuple[int, Record] | None:
    """Find a record of some instances, with the instance that it is of."""
    query = select(event).where(event.c.event_id == event_id, event.c.instance_id.in_(instance_ids))
    row = (await connection.execute(query)).first()
    return None if row is None else (row.instance_id, _record(keys, row))


async def list_records(
    connection: Connection,
    keys: KeyFile,
    *,
    instance_ids: Any,
    begin: datetime | None,
    end: datetime | None,
    before: int | None,
    limit: int,
) -> tuple[tuple[int, int, Record], ...]:
    """List records of some instances, the newest first: row id, instance id, record."""
    query = select(event).where(event.c.instance_id.in_(instance_ids))
    if begin is not None:
        query = query.where(event.c.created_at >= begin)
    if end is not None:
        query = query.where(event.c.created_at <= end)
    if before is not None:
        query = query.where(event.c.id < before)
    rows = await connection.execute(query.order_by(event.c.id.desc()).limit(limit))
    return tuple((row.id, row.instance_id, _record(keys, row)) for row in rows)


async def list_changes(
    connection: Connection, *, instance_id: int, after: int, limit: int
) -> tuple[tuple[int, str, datetime, Change], ...]:
    """List changes behind a cursor in their order: cursor, event id, when noted, change."""
    query = (
        select(change)
        .where(change.c.instance_id == instance_id, change.c.id > after)
        .order_by(change.c.id)
        .limit(limit)
    )
    return tuple(
        (
            row.id,
            row.event_id,
            row.created_at,
            Change(
                type=EventType(row.change_type),
                object_type=row.object_type,
                object_id=row.object_id,
                changed_at=row.changed_at,
            ),
        )
        for row in await connection.execute(query)
    )


def instances_of(organization_id: int, instance_id: int | None) -> Any:
    """Return the query for the ids of an organization's instances, or of one of them."""
    query = select(instance.c.id).where(instance.c.organization_id == organization_id)
    return query if instance_id is None else query.where(instance.c.id == instance_id)


async def count_records(
    connection: Connection, *, instance_ids: Any, begin: datetime, end: datetime, step_s: int
) -> tuple[tuple[int, int], ...]:
    """Count records by time: how many steps behind the begin, how many."""
    query = (
        select(_place(connection, begin, step_s), func.count().label("number"))
        .where(*_within(instance_ids, begin, end))
        .group_by("place")
        .order_by("place")
    )
    return tuple((row.place, row.number) for row in await connection.execute(query))


async def count_records_by_instance(
    connection: Connection,
    *,
    instance_ids: Any,
    fails: Callable[[ColumnElement[str]], ColumnElement[bool]],
    begin: datetime,
    end: datetime,
    step_s: int,
) -> tuple[tuple[int, int, int, int, int], ...]:
    """
    Count records by time and instance: (steps behind the begin, instance, account, all, failing).

    `fails` says of an event id, within the query, that its delivery fails.
    """
    failing = case((fails(event.c.event_id), 1))
    query = (
        select(
            _place(connection, begin, step_s),
            event.c.instance_id,
            instance.c.account_id,
            func.count().label("number"),
            func.count(failing).label("failing"),
        )
        .select_from(event.join(instance, instance.c.id == event.c.instance_id))
        .where(*_within(instance_ids, begin, end))
        .group_by("place", event.c.instance_id, instance.c.account_id)
        .order_by("place", event.c.instance_id)
    )
    return tuple(
        (row.place, row.instance_id, row.account_id, row.number, row.failing)
        for row in await connection.execute(query)
    )


def _place(connection: Connection, begin: datetime, step_s: int) -> Label[int]:
    if connection.dialect.name == "sqlite":
        seconds = cast(func.strftime("%s", event.c.created_at), Integer)
    else:
        seconds = cast(func.floor(func.extract("epoch", event.c.created_at)), Integer)
    passed = seconds - int(begin.timestamp())
    return cast((passed - passed % step_s) / step_s, Integer).label("place")


def _within(instance_ids: Any, begin: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        event.c.instance_id.in_(instance_ids),
        event.c.created_at >= begin,
        event.c.created_at < end,
    )


async def forget_before(connection: Connection, moment: datetime, *, limit: int) -> int:
    """Delete some records and changes from before a moment; return how many at most of one kind."""
    most = 0
    for table in (event, change):
        old = select(table.c.id).where(table.c.created_at < moment).limit(limit)
        result = await connection.execute(delete(table).where(table.c.id.in_(old)))
        most = max(most, result.rowcount)
    return most


async def find_poll_state(connection: Connection, instance_id: int) -> Mapping[str, Row[Any]]:
    """Return how far the resources of an instance are polled."""
    query = select(poll_state).where(poll_state.c.instance_id == instance_id)
    return {row.resource: row for row in await connection.execute(query)}


async def put_poll_state(
    connection: Connection, instance_id: int, resource: str, values: Mapping[str, Any]
) -> None:
    """Store how far a resource is polled; `generation` is kept where it is left out."""
    mine = (poll_state.c.instance_id == instance_id, poll_state.c.resource == resource)
    changed = await connection.execute(update(poll_state).where(*mine).values(**values))
    if not changed.rowcount:
        await connection.execute(
            insert(poll_state).values(
                instance_id=instance_id, resource=resource, **{"generation": 0, **values}
            )
        )


async def forget_polls(connection: Connection, instance_id: int) -> None:
    """Forget how far an instance is polled and what its rows were."""
    for table in (poll_state, row_digest):
        await connection.execute(delete(table).where(table.c.instance_id == instance_id))


async def find_digests(
    connection: Connection, instance_id: int, resource: str, ids: Collection[str]
) -> dict[str, str]:
    """Return the digests of some rows by their ids."""
    query = select(row_digest.c.object_id, row_digest.c.digest).where(
        *_rows(instance_id, resource), row_digest.c.object_id.in_(ids)
    )
    return {row.object_id: row.digest for row in await connection.execute(query)}


async def put_digests(
    connection: Connection,
    instance_id: int,
    resource: str,
    digests: Mapping[str, str],
    *,
    generation: int,
) -> None:
    """Store the digests of rows that are new or differ."""
    if not digests:
        return
    await delete_digests(connection, instance_id, resource, digests)
    await connection.execute(
        insert(row_digest),
        [
            {
                "instance_id": instance_id,
                "resource": resource,
                "object_id": object_id,
                "digest": digest,
                "generation": generation,
            }
            for object_id, digest in digests.items()
        ],
    )


async def mark_seen(
    connection: Connection,
    instance_id: int,
    resource: str,
    ids: Collection[str],
    *,
    generation: int,
) -> None:
    """Note that rows were there in a read of all."""
    await connection.execute(
        update(row_digest)
        .where(*_rows(instance_id, resource), row_digest.c.object_id.in_(ids))
        .values(generation=generation)
    )


async def find_missing(
    connection: Connection, instance_id: int, resource: str, *, generation: int, limit: int
) -> tuple[str, ...]:
    """Return the ids of some rows that a read of all did not see."""
    query = (
        select(row_digest.c.object_id)
        .where(*_rows(instance_id, resource), row_digest.c.generation < generation)
        .order_by(row_digest.c.object_id)
        .limit(limit)
    )
    return tuple((await connection.execute(query)).scalars())


async def delete_digests(
    connection: Connection, instance_id: int, resource: str, ids: Collection[str]
) -> None:
    """Forget what rows were."""
    await connection.execute(
        delete(row_digest).where(
            *_rows(instance_id, resource), row_digest.c.object_id.in_(list(ids))
        )
    )


def _rows(instance_id: int, resource: str) -> tuple[Any, ...]:
    return (row_digest.c.instance_id == instance_id, row_digest.c.resource == resource)


def _plain(item: Change) -> dict[str, str]:
    return {
        "type": item.type,
        "objectType": item.object_type,
        "objectId": item.object_id,
        "changedAt": item.changed_at.isoformat(),
    }


def _record(keys: KeyFile, row: Any) -> Record:
    opened = keys.open(row.content_sealed, context=sealed_context(_CONTENT, {"id": row.id}))
    content = orjson.loads(opened)
    source: Source = row.source
    changes: Sequence[Mapping[str, str]] = content["events"]
    return Record(
        id=row.event_id,
        source=source,
        object_type=row.object_type,
        raw=content["raw"],
        changes=tuple(
            Change(
                type=EventType(item["type"]),
                object_type=item["objectType"],
                object_id=item["objectId"],
                changed_at=datetime.fromisoformat(item["changedAt"]),
            )
            for item in changes
        ),
        noted_at=row.created_at,
    )
