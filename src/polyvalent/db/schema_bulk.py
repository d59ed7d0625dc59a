"""
Draw the tables behind bulk jobs: the jobs, the files they wrote, what failed, how far is proven.

The rows of a store lie in files, each named by a row of `bulk_part`; a file without its row is
nobody's and is swept away.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from polyvalent.db.columns import of_instance, of_organization
from polyvalent.db.schema import Id, Timestamp, metadata, sealed_column

bulk_job = Table(
    "bulk_job",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    # What does the work; it may be forgotten before the result is.
    Column("job_id", Id, ForeignKey("job.id", ondelete="SET NULL")),
    of_organization(),
    of_instance(),
    Column("element_key", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("object_name", Text, nullable=False),
    Column("file_format", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("message", Text),
    # What was asked for may hold the words of a query, and the address of a callback its key.
    sealed_column("request_sealed", context="bulk_job/{id}/request"),
    # Opens the job's files.
    sealed_column("key_sealed", context="bulk_job/{id}/key"),
    Column("records", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    # JSON: where a job that continues this one begins, and what this one proved.
    Column("place", Text),
    Column("receipt", Text),
    Column("created_at", Timestamp, nullable=False),
    Column("started_at", Timestamp),
    Column("completed_at", Timestamp),
    # From when on its files are deleted, and when they were.
    Column("expires_at", Timestamp, nullable=False),
    Column("swept_at", Timestamp),
    Index("ix_bulk_job_organization_id_id", "organization_id", "id"),
    Index("ix_bulk_job_instance_id", "instance_id"),
    Index("ix_bulk_job_expires_at", "expires_at"),
    Index("ix_bulk_job_job_id", "job_id"),
    sqlite_autoincrement=True,
)

# One file, written once and never changed. `file` is whose rows they are, `format` how they are
# written; the parts of both, in the order of their numbers, are one download.
bulk_part = Table(
    "bulk_part",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("bulk_job_id", Id, ForeignKey("bulk_job.id", ondelete="CASCADE"), nullable=False),
    Column("file", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("size_bytes", Id, nullable=False),
    # JSON: the fingerprints of the vendor's pages that the rows came from.
    Column("pages", Text),
    # Eight bytes for each row, where only these tell that no row came twice.
    Column("row_marks", LargeBinary),
    UniqueConstraint("bulk_job_id", "file", "format", "number"),
    UniqueConstraint("name"),
    sqlite_autoincrement=True,
)

# A row that could not be read or written; the content has the row or the vendor's words.
bulk_error = Table(
    "bulk_error",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("bulk_job_id", Id, ForeignKey("bulk_job.id", ondelete="CASCADE"), nullable=False),
    sealed_column("content_sealed", context="bulk_error/{id}/content"),
    Index("ix_bulk_error_bulk_job_id_id", "bulk_job_id", "id"),
    sqlite_autoincrement=True,
)

# Up to which moment the rows of one query are known to be read, and the job that holds a digest
# of each, where the store cannot tell what has changed.
bulk_watermark = Table(
    "bulk_watermark",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_instance(),
    Column("query", Text, nullable=False),
    Column("proven_until", Timestamp, nullable=False),
    Column("snapshot_id", Id, ForeignKey("bulk_job.id", ondelete="SET NULL")),
    UniqueConstraint("instance_id", "query"),
    Index("ix_bulk_watermark_snapshot_id", "snapshot_id"),
    sqlite_autoincrement=True,
)
