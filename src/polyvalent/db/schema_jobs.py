"""Draw the table behind durable work: a row for each job, from its wish until it is forgotten."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint

from polyvalent.db.columns import of_account, of_instance, of_organization, of_user
from polyvalent.db.schema import Id, Timestamp, metadata, sealed_column

job = Table(
    "job",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_organization(),
    of_account(),
    # Whose rights it uses. A job dies with its user, and with its instance if it has one.
    of_user(),
    of_instance(nullable=True),
    Column("kind", Text, nullable=False),
    # What there may be only one of: "poll/7".
    Column("key", Text),
    Column("queue", Text, nullable=False),
    # Jobs of one partition are not at work at the same time.
    Column("partition", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", Timestamp, nullable=False),
    # Somebody wanted it at this moment while it was at work: it may have looked already.
    Column("woken_at", Timestamp),
    # How often it was handed to the engine, and how often a turn of it began. Only the turn that
    # began last may save anything.
    Column("run", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    # What is to be done may hold the words of a query or the address of a callback.
    sealed_column("spec_sealed", context="job/{id}/spec"),
    sealed_column("checkpoint_sealed", context="job/{id}/checkpoint", nullable=True),
    # Numbers for people to watch: {"rows": 1200, "total": 5000}. JSON, nothing secret.
    Column("progress", Text, nullable=False),
    Column("error", Text),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    Column("started_at", Timestamp),
    Column("finished_at", Timestamp),
    UniqueConstraint("key"),
    Index("ix_job_state_due_at", "state", "due_at"),
    Index("ix_job_instance_id", "instance_id"),
    Index("ix_job_organization_id_kind", "organization_id", "kind"),
    sqlite_autoincrement=True,
)
