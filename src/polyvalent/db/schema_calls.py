"""
Draw the tables behind calls to stores: turns, budgets, kept answers, intents to write, traces.

They belong to `schema`, whose forms they have; this is a module of its own for its length. None
of them holds anything that is needed longer than a few days.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint

from polyvalent.db.columns import of_instance
from polyvalent.db.schema import Id, Timestamp, digest_column, metadata, sealed_column

# What one holder has for itself until it gives it back or `expires_at` passes: see db/lease.py.
lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text),
    Column("expires_at", Timestamp, nullable=False, index=True),
    # Who is next: the holder of now may not take it again before.
    Column("wanted_by", Text),
    Column("wanted_until", Timestamp),
)

# From when on an instance may make further calls: see db/allowance.py.
allowance = Table(
    "allowance",
    metadata,
    of_instance(primary_key=True),
    Column("next_at", Timestamp, nullable=False),
)

# A call that carries an Idempotency-Key. The content is what was asked, and once it was answered,
# the answer.
kept_call = Table(
    "kept_call",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_instance(),
    sealed_column("key_sealed", context="kept_call/{id}/key"),
    digest_column("key_digest", of="key_sealed", purpose="kept_call.key"),
    sealed_column("content_sealed", context="kept_call/{id}/content"),
    Column("created_at", Timestamp, nullable=False, index=True),
    Index("ix_kept_call_instance_id", "instance_id"),
    sqlite_autoincrement=True,
)

# A row that is about to be created, until it is known what became of it.
write_intent = Table(
    "write_intent",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_instance(),
    # What tells the row from others: resource and natural key.
    sealed_column("identity_sealed", context="write_intent/{id}/identity"),
    digest_column("identity_digest", of="identity_sealed", purpose="write_intent.identity"),
    Column("created_at", Timestamp, nullable=False, index=True),
    Index("ix_write_intent_instance_id", "instance_id"),
    sqlite_autoincrement=True,
)

# What was said in one call to an instance that logs its calls: the row tells which call it was, the
# body has the messages. They are the merchant's data, so the body is sealed.
call_trace = Table(
    "call_trace",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_instance(),
    Column("trace_id", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("elapsed_ms", Integer, nullable=False),
    Column("vendor_calls", Integer, nullable=False),
    Column("size_bytes", Integer, nullable=False),  # of the body as it is stored
    sealed_column("body_sealed", context="call_trace/{id}/body"),
    Column("created_at", Timestamp, nullable=False, index=True),
    UniqueConstraint("trace_id"),
    Index("ix_call_trace_instance_id_id", "instance_id", "id"),
    sqlite_autoincrement=True,
)
