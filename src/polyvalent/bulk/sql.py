"""Hold every statement of bulk jobs, one function each."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import orjson
from sqlalchemy import Row, delete, func, insert, select, update

from polyvalent.bulk.model import Asked, BulkJob, BulkStatus, Format, NewBulkJob, Part, Watermark
from polyvalent.db import Connection, lock, next_id
from polyvalent.db.key_file import KeyFile
from polyvalent.db.owner import instance_there
from polyvalent.db.schema import sealed_context
from polyvalent.db.schema_bulk import bulk_error, bulk_job, bulk_part, bulk_watermark
from polyvalent.vault import Random, seal

KEY_BYTES = 32


async def insert_bulk_job(
    connection: Connection, keys: KeyFile, new: NewBulkJob, *, random: Random
) -> int:
    """Insert a bulk job, with a fresh key unless it has one; NotFound if its instance is gone."""
    bulk_id = await next_id(connection, bulk_job)
    ring = keys.ring()
    texts = {
        "request_sealed": msgspec.json.encode(new.asked).decode(),
        "key_sealed": base64.b64encode(new.key or random(KEY_BYTES)).decode(),
    }
    sealed = {
        name: seal(
            ring,
            text,
            context=sealed_context(bulk_job.c[name], {"id": bulk_id}),
            random=random,
        )
        for name, text in texts.items()
    }
    with instance_there(new.instance_id):
        await connection.execute(
            insert(bulk_job).values(
                id=bulk_id,
                organization_id=new.organization_id,
                instance_id=new.instance_id,
                element_key=new.element_key,
                direction=new.direction,
                object_name=new.object_name,
                file_format=new.file_format,
                status=BulkStatus.CREATED,
                records=0,
                failed=0,
                created_at=new.created_at,
                expires_at=new.expires_at,
                **sealed,
            )
        )
    return bulk_id


async def find_bulk_job(
    connection: Connection,
    keys: KeyFile,
    *,
    bulk_id: int,
    organization_id: int | None = None,
    instance_id: int | None = None,
) -> BulkJob | None:
    """Find a bulk job, of one organization and one instance where they are given."""
    query = select(bulk_job).where(bulk_job.c.id == bulk_id)
    if organization_id is not None:
        query = query.where(bulk_job.c.organization_id == organization_id)
    if instance_id is not None:
        query = query.where(bulk_job.c.instance_id == instance_id)
    row = (await connection.execute(query)).first()
    return None if row is None else _read(keys, row)


async def list_bulk_jobs(
    connection: Connection,
    keys: KeyFile,
    *,
    organization_id: int,
    instance_id: int,
    before: int | None,
    limit: int,
) -> tuple[BulkJob, ...]:
    """List the bulk jobs of an instance, the newest first, those before an id if it is given."""
    query = (
        select(bulk_job)
        .where(bulk_job.c.organization_id == organization_id, bulk_job.c.instance_id == instance_id)
        .order_by(bulk_job.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(bulk_job.c.id < before)
    return tuple(_read(keys, row) for row in await connection.execute(query))


async def change_bulk_job(
    connection: Connection, bulk_id: int, values: Mapping[str, Any], *, unless_ended: bool = False
) -> bool:
    """Change columns of a bulk job; with `unless_ended` only of one that still goes on."""
    statement = update(bulk_job).where(bulk_job.c.id == bulk_id).values(**values)
    if unless_ended:
        going = (BulkStatus.CREATED, BulkStatus.RUNNING)
        statement = statement.where(bulk_job.c.status.in_(going))
    return bool((await connection.execute(statement)).rowcount)


async def lock_bulk_job(connection: Connection, bulk_id: int) -> None:
    """Keep others that lock the same bulk job out until the transaction ends."""
    await lock(connection, f"bulk/{bulk_id}")


async def insert_parts(connection: Connection, bulk_id: int, parts: Iterable[Part]) -> None:
    """Insert the rows that make files real."""
    values = [
        {
            "bulk_job_id": bulk_id,
            "file": part.file,
            "format": part.format,
            "number": part.number,
            "name": part.name,
            "rows": part.rows,
            "size_bytes": part.size_bytes,
            "pages": orjson.dumps(part.pages).decode() if part.pages else None,
            "row_marks": part.row_marks,
        }
        for part in parts
    ]
    if values:
        await connection.execute(insert(bulk_part), values)


async def list_parts(
    connection: Connection, bulk_id: int, *, file: str, format_: Format, marks: bool = False
) -> tuple[Part, ...]:
    """List the parts of one file in one format, in their order; row marks only if asked for."""
    columns = [bulk_part.c[name] for name in _PART]
    if marks:
        columns.append(bulk_part.c.row_marks)
    query = (
        select(*columns)
        .where(
            bulk_part.c.bulk_job_id == bulk_id,
            bulk_part.c.file == file,
            bulk_part.c.format == format_,
        )
        .order_by(bulk_part.c.number)
    )
    return tuple(
        Part(
            file=row.file,
            format=row.format,
            number=row.number,
            name=row.name,
            rows=row.rows,
            size_bytes=row.size_bytes,
            pages=tuple(orjson.loads(row.pages)) if row.pages else (),
            row_marks=row.row_marks if marks else None,
        )
        for row in await connection.execute(query)
    )


async def list_files(connection: Connection, bulk_id: int) -> dict[str, int]:
    """List the files of a job that callers may fetch, with their rows."""
    query = (
        select(bulk_part.c.file, func.sum(bulk_part.c.rows).label("rows"))
        .where(bulk_part.c.bulk_job_id == bulk_id, bulk_part.c.format == "jsonl")
        .group_by(bulk_part.c.file)
        .order_by(bulk_part.c.file)
    )
    return {row.file: int(row.rows) for row in await connection.execute(query)}


async def list_part_names(connection: Connection) -> frozenset[str]:
    """List the names of all files that are real."""
    return frozenset((await connection.execute(select(bulk_part.c.name))).scalars())


async def insert_errors(
    connection: Connection,
    keys: KeyFile,
    bulk_id: int,
    contents: Iterable[Mapping[str, Any]],
    *,
    random: Random,
) -> None:
    """Insert what failed, sealed: it has rows of the store in it."""
    ring = keys.ring()
    for content in contents:
        error_id = await next_id(connection, bulk_error)
        context = sealed_context(bulk_error.c.content_sealed, {"id": error_id})
        text = orjson.dumps(content).decode()
        await connection.execute(
            insert(bulk_error).values(
                id=error_id,
                bulk_job_id=bulk_id,
                content_sealed=seal(ring, text, context=context, random=random),
            )
        )


async def list_errors(
    connection: Connection, keys: KeyFile, bulk_id: int, *, after: int, limit: int
) -> tuple[tuple[int, dict[str, Any]], ...]:
    """List what failed in the order it did, behind an id, each with its id."""
    query = (
        select(bulk_error.c.id, bulk_error.c.content_sealed)
        .where(bulk_error.c.bulk_job_id == bulk_id, bulk_error.c.id > after)
        .order_by(bulk_error.c.id)
        .limit(limit)
    )
    found = []
    for row in await connection.execute(query):
        context = sealed_context(bulk_error.c.content_sealed, {"id": row.id})
        found.append((row.id, orjson.loads(keys.open(row.content_sealed, context=context))))
    return tuple(found)


async def find_watermark(
    connection: Connection, *, instance_id: int, query: str
) -> Watermark | None:
    """Find up to when the rows of a query are proven to be read."""
    statement = select(bulk_watermark.c.proven_until, bulk_watermark.c.snapshot_id).where(
        bulk_watermark.c.instance_id == instance_id, bulk_watermark.c.query == query
    )
    row = (await connection.execute(statement)).first()
    if row is None:
        return None
    return Watermark(proven_until=row.proven_until, snapshot_id=row.snapshot_id)


async def put_watermark(
    connection: Connection, *, instance_id: int, query: str, watermark: Watermark
) -> None:
    """Set up to when the rows of a query are proven to be read."""
    values = {
        "proven_until": watermark.proven_until,
        "snapshot_id": watermark.snapshot_id,
    }
    where = (bulk_watermark.c.instance_id == instance_id, bulk_watermark.c.query == query)
    changed = await connection.execute(update(bulk_watermark).where(*where).values(**values))
    if not changed.rowcount:
        await connection.execute(
            insert(bulk_watermark).values(instance_id=instance_id, query=query, **values)
        )


async def forget_files(
    connection: Connection, *, now: datetime, again_at: datetime, limit: int
) -> int:
    """
    Forget the files of jobs that are kept no longer, and what failed in them; say of how many.

    Of a job that a watermark needs the digests stay, and it is looked at again later.
    """
    query = (
        select(bulk_job.c.id)
        .where(
            bulk_job.c.expires_at <= now,
            bulk_job.c.swept_at.is_(None),
            bulk_job.c.status.not_in((BulkStatus.CREATED, BulkStatus.RUNNING)),
        )
        .order_by(bulk_job.c.id)
        .limit(limit)
    )
    found = tuple((await connection.execute(query)).scalars())
    needing = select(bulk_watermark.c.snapshot_id).where(bulk_watermark.c.snapshot_id.in_(found))
    needed = frozenset((await connection.execute(needing)).scalars())
    for bulk_id in found:
        gone = delete(bulk_part).where(bulk_part.c.bulk_job_id == bulk_id)
        if bulk_id in needed:
            gone = gone.where(bulk_part.c.format != "digests")
        await connection.execute(gone)
        await connection.execute(delete(bulk_error).where(bulk_error.c.bulk_job_id == bulk_id))
        values = {"expires_at": again_at} if bulk_id in needed else {"swept_at": now}
        await connection.execute(update(bulk_job).where(bulk_job.c.id == bulk_id).values(**values))
    return len(found)


async def fail_abandoned(connection: Connection, *, message: str, now: datetime) -> None:
    """Let bulk jobs fail that nobody works on any more: their job went with its user."""
    await connection.execute(
        update(bulk_job)
        .where(
            bulk_job.c.job_id.is_(None),
            bulk_job.c.status.in_((BulkStatus.CREATED, BulkStatus.RUNNING)),
        )
        .values(status=BulkStatus.FAILED, message=message, completed_at=now)
    )


async def delete_old(connection: Connection, *, before: datetime) -> int:
    """Delete the jobs, and their receipts, whose files were swept before a moment."""
    gone = await connection.execute(delete(bulk_job).where(bulk_job.c.swept_at < before))
    return gone.rowcount


_PART = ("file", "format", "number", "name", "rows", "size_bytes", "pages")


def _read(keys: KeyFile, row: Row[Any]) -> BulkJob:
    def opened(name: str) -> str:
        context = sealed_context(bulk_job.c[name], {"id": row.id})
        return keys.open(getattr(row, name), context=context)

    return BulkJob(
        id=row.id,
        job_id=row.job_id,
        organization_id=row.organization_id,
        instance_id=row.instance_id,
        element_key=row.element_key,
        direction=row.direction,
        object_name=row.object_name,
        file_format=row.file_format,
        status=BulkStatus(row.status),
        message=row.message,
        asked=msgspec.json.decode(opened("request_sealed"), type=Asked),
        key=base64.b64decode(opened("key_sealed")),
        records=row.records,
        failed=row.failed,
        place=orjson.loads(row.place) if row.place else None,
        receipt=orjson.loads(row.receipt) if row.receipt else None,
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
        expires_at=row.expires_at,
        swept_at=row.swept_at,
    )
