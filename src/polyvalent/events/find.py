"""Look at event records, at the feed of changes, and at how many there were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.errors import NotFound
from polyvalent.events import sql
from polyvalent.events.bucket import Buckets
from polyvalent.events.model import Change, Record
from polyvalent.notifications.find import fails, states_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Say whose events are looked at: an organization's, or those of one of its instances."""

    organization_id: int
    instance_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Hold a record with its place in the list, its instance and the state of its deliveries."""

    place: int
    instance_id: int
    record: Record
    delivery: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """Hold a change with its cursor in the feed."""

    cursor: int
    event_id: str
    noted_at: datetime
    change: Change


async def find_record(database: Database, keys: KeyFile, scope: Scope, event_id: str) -> Found:
    """Find a record by its event id; raises NotFound."""
    async with database.reading() as connection:
        found = await sql.find_record(
            connection, keys, instance_ids=_instances(scope), event_id=event_id
        )
        states = await states_of(connection, [event_id])
    if found is None:
        raise NotFound(f"There is no event {event_id[:60]!r}.")
    return Found(place=0, instance_id=found[0], record=found[1], delivery=states.get(found[1].id))


async def list_records(
    database: Database,
    keys: KeyFile,
    scope: Scope,
    *,
    begin: datetime | None,
    end: datetime | None,
    before: int | None,
    limit: int,
) -> tuple[Found, ...]:
    """List records, the newest first; `before` continues behind the place of one."""
    async with database.reading() as connection:
        found = await sql.list_records(
            connection,
            keys,
            instance_ids=_instances(scope),
            begin=begin,
            end=end,
            before=before,
            limit=limit,
        )
        states = await states_of(connection, [record.id for _, _, record in found])
    return tuple(
        Found(place=place, instance_id=of, record=record, delivery=states.get(record.id))
        for place, of, record in found
    )


async def list_changes(
    database: Database, *, instance_id: int, after: int, limit: int
) -> tuple[Noted, ...]:
    """
    List the changes of an instance behind a cursor, in the order in which they were noted.

    Nothing is ever added before a cursor that was given, so whoever goes on from the last one
    misses no change; one cursor may be read from again.
    """
    async with database.reading() as connection:
        found = await sql.list_changes(
            connection, instance_id=instance_id, after=after, limit=limit
        )
    return tuple(
        Noted(cursor=cursor, event_id=event_id, noted_at=at, change=change)
        for cursor, event_id, at, change in found
    )


async def count_events(database: Database, scope: Scope, buckets: Buckets) -> Mapping[int, int]:
    """Count records by bucket: {3: 12}; buckets without any are left out."""
    async with database.reading() as connection:
        found = await sql.count_records(
            connection,
            instance_ids=_instances(scope),
            begin=buckets.begin,
            end=buckets.end,
            step_s=int(buckets.step.total_seconds()),
        )
    return dict(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """Hold how many records of one instance are in one bucket, and of how many delivery fails."""

    place: int
    instance_id: int
    account_id: int
    count: int
    failed: int


async def count_by_instance(
    database: Database, scope: Scope, buckets: Buckets
) -> tuple[Counted, ...]:
    """Count records by bucket and instance."""
    async with database.reading() as connection:
        found = await sql.count_records_by_instance(
            connection,
            instance_ids=_instances(scope),
            fails=fails,
            begin=buckets.begin,
            end=buckets.end,
            step_s=int(buckets.step.total_seconds()),
        )
    return tuple(
        Counted(
            place=place, instance_id=instance_id, account_id=account_id, count=number, failed=failed
        )
        for place, instance_id, account_id, number, failed in found
    )


def _instances(scope: Scope) -> object:
    return sql.instances_of(scope.organization_id, scope.instance_id)
