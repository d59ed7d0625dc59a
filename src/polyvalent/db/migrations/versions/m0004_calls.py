"""
Add turns, budgets, kept answers and intents to write, and the time an instance became invalid.

Revision 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables and add the column."""
    op.add_column("instance", sa.Column("invalid_at", TIME, nullable=True))
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("wanted_by", sa.Text(), nullable=True),
        sa.Column("wanted_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_index(op.f("ix_lease_expires_at"), "lease", ["expires_at"])
    op.create_table(
        "allowance",
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        _reference("allowance"),
        sa.PrimaryKeyConstraint("instance_id", name=op.f("pk_allowance")),
    )
    op.create_table(
        "kept_call",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("key_sealed", sa.Text(), nullable=False),
        sa.Column("key_digest", sa.Text(), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        _reference("kept_call"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_call")),
        sqlite_autoincrement=True,
    )
    _index("kept_call", "key_digest")
    op.create_table(
        "write_intent",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("identity_sealed", sa.Text(), nullable=False),
        sa.Column("identity_digest", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        _reference("write_intent"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_intent")),
        sqlite_autoincrement=True,
    )
    _index("write_intent", "identity_digest")


def _reference(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["instance_id"],
        ["instance.id"],
        name=op.f(f"fk_{table}_instance_id"),
        ondelete="CASCADE",
    )


def _index(table: str, digest: str) -> None:
    op.create_index(f"ix_{table}_created_at", table, ["created_at"])
    op.create_index(f"ix_{table}_{digest}", table, [digest])
    op.create_index(f"ix_{table}_instance_id", table, ["instance_id"])
