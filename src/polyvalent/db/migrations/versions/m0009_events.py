"""
Add events, the feed of changes, and how far polls are.

Revision 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def _of_instance(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_instance_id")
    return sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "event",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        _of_instance("event"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_created_at", "event", ["created_at"])
    op.create_index("ix_event_instance_id_id", "event", ["instance_id", "id"])
    op.create_table(
        "change",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("change_type", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        _of_instance("change"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_change_created_at", "change", ["created_at"])
    op.create_index("ix_change_instance_id_id", "change", ["instance_id", "id"])
    op.create_table(
        "poll_state",
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("polled_at", TIME, nullable=False),
        sa.Column("reconciled_at", TIME, nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        _of_instance("poll_state"),
        sa.PrimaryKeyConstraint("instance_id", "resource", name=op.f("pk_poll_state")),
    )
    op.create_table(
        "row_digest",
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        _of_instance("row_digest"),
        sa.PrimaryKeyConstraint("instance_id", "resource", "object_id", name=op.f("pk_row_digest")),
    )
