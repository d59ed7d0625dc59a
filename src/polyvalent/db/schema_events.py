"""Draw the tables behind events: records, the ordered feed of changes, and how far polls are."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint

from polyvalent.db.columns import of_instance
from polyvalent.db.schema import Id, Timestamp, metadata, sealed_column

# What is handed on together: what the vendor said, and the changes in it.
event = Table(
    "event",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    # What callers know it by, and receivers recognize a repeated delivery by.
    Column("event_id", Text, nullable=False),
    of_instance(),
    Column("source", Text, nullable=False),
    Column("object_type", Text, nullable=False),
    # JSON: {"raw": …, "events": […]}, the merchant's data.
    sealed_column("content_sealed", context="event/{id}/content"),
    Column("created_at", Timestamp, nullable=False, index=True),
    UniqueConstraint("event_id"),
    Index("ix_event_instance_id_id", "instance_id", "id"),
    sqlite_autoincrement=True,
)

# One change of one object; the ids of an instance's changes rise in the order of their commits.
change = Table(
    "change",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_instance(),
    Column("event_id", Text, nullable=False),
    Column("change_type", Text, nullable=False),
    Column("object_type", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("changed_at", Timestamp, nullable=False),
    Column("created_at", Timestamp, nullable=False, index=True),
    Index("ix_change_instance_id_id", "instance_id", "id"),
    sqlite_autoincrement=True,
)

# Up to which moment one resource of an instance was polled, and when all of it was last read.
poll_state = Table(
    "poll_state",
    metadata,
    of_instance(primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("polled_at", Timestamp, nullable=False),
    Column("reconciled_at", Timestamp),
    # The number of the last read of all.
    Column("generation", Integer, nullable=False),
)

# What a row was when it was last seen, and in which read of all.
row_digest = Table(
    "row_digest",
    metadata,
    of_instance(primary_key=True),
    Column("resource", Text, primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("generation", Integer, nullable=False),
)
