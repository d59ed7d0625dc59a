"""
Add the elements that accounts bring along.

Revision 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "element",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("extends_id", ID, nullable=True),
        sa.Column("origin_id", ID, nullable=True),
        sa.Column("body_sealed", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_element_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_element_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_element")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_element_organization_id", "element", ["organization_id"])
    op.create_index(
        "uq_element_account_id_key",
        "element",
        ["account_id", "key"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "element_account",
        sa.Column("element_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_element_account_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["element_id"],
            ["element.id"],
            name=op.f("fk_element_account_element_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("element_id", "account_id", name=op.f("pk_element_account")),
    )
    op.create_index("ix_element_account_account_id", "element_account", ["account_id"])
    op.create_table(
        "element_version",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_element_version_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_element_version")),
    )
