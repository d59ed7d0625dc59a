"""Hold what a bulk job is: what was asked, where it stands, the files it wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct

Direction = Literal["DOWNLOAD", "UPLOAD"]
# How rows are written for whoever fetches them; "digests" and "given", the rows of an upload,
# are kept for ourselves.
Format = Literal["jsonl", "text", "array", "csv", "parquet", "digests", "given"]
# What an upload does with each row.
Action = Literal["create", "update", "upsert", "delete"]

RETENTION_DAYS = 3


class BulkStatus(StrEnum):
    """Name where a bulk job stands; the last three are ends."""

    CREATED = "CREATED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"

    @property
    def is_end(self) -> bool:
        """Say whether nothing will happen any more."""
        return self in (BulkStatus.COMPLETED, BulkStatus.CANCELLED, BulkStatus.FAILED)


class Asked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    Hold what a bulk job was asked for, as it is stored; of an upload only the last members.

    `where`, `order` and `fields` are in the caller's names; `begin` and `end` bound the object's
    query date. `place` is where the job that this one continues came to.
    """

    object: str
    where: str = ""
    order: str = ""
    fields: tuple[str, ...] = ()
    limit: int | None = None
    offset: int = 0
    begin: datetime | None = None
    end: datetime | None = None
    # Read on from here, or from what is proven if that is less; `since_proven`: from that alone.
    last_run: datetime | None = None
    since_proven: bool = False
    reconcile: bool = False  # every row is compared with the run before, to find deletions
    callback: str = ""
    place: dict[str, Any] | None = None
    continues: int | None = None
    action: Action | None = None
    identifier: str = ""  # the member that says which row of the store is meant
    rows: int = 0  # in the file
    rows_per_call: int = 0  # at most, as was asked for
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class NewBulkJob:
    """Hold what a new bulk job's row is made of."""

    organization_id: int
    instance_id: int
    element_key: str
    direction: Direction
    object_name: str
    file_format: Format
    asked: Asked = field(repr=False)
    created_at: datetime
    expires_at: datetime
    key: bytes | None = field(default=None, repr=False)  # of files there are already


@dataclass(frozen=True, kw_only=True)
class BulkJob:
    """Hold one bulk job as it was read; `key` opens its files."""

    id: int
    job_id: int | None
    organization_id: int
    instance_id: int
    element_key: str
    direction: Direction
    object_name: str
    file_format: Format
    status: BulkStatus
    message: str | None
    asked: Asked = field(repr=False)
    key: bytes = field(repr=False)
    records: int
    failed: int
    place: dict[str, Any] | None = field(repr=False)
    receipt: dict[str, Any] | None = field(repr=False)
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime
    swept_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Name one file of a job and say what is in it; `number` counts from 0 within the file."""

    file: str
    format: Format
    number: int
    name: str
    rows: int
    size_bytes: int  # of the content, not of the sealed file
    pages: tuple[str, ...] = field(default=(), repr=False)  # fingerprints
    row_marks: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watermark:
    """Say up to when the rows of a query are proven to be read, and which job has their digests."""

    proven_until: datetime
    snapshot_id: int | None
