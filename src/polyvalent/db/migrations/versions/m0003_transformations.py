"""
Add object definitions and transformations.

Revision 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "object_definition",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        *_owners(),
        sa.Column("name", sa.Text(), nullable=False),
        *_content(),
        *_references("object_definition"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_object_definition")),
        sa.UniqueConstraint("scope", "name", name=op.f("uq_object_definition_scope_name")),
        sqlite_autoincrement=True,
    )
    _index("object_definition", "name")
    op.create_table(
        "transformation",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        *_owners(),
        sa.Column("element_key", sa.Text(), nullable=False),
        sa.Column("object_name", sa.Text(), nullable=False),
        *_content(),
        *_references("transformation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transformation")),
        sa.UniqueConstraint(
            "scope",
            "element_key",
            "object_name",
            name=op.f("uq_transformation_scope_element_key_object_name"),
        ),
        sqlite_autoincrement=True,
    )
    _index("transformation", "object_name")
    op.create_table(
        "transformation_version",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _reference("transformation_version", "organization"),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_transformation_version")),
    )


def _owners() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("instance_id", ID, nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
    )


def _content() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    )


def _references(table: str) -> tuple[sa.ForeignKeyConstraint, ...]:
    return tuple(_reference(table, target) for target in ("organization", "account", "instance"))


def _reference(table: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [f"{target}_id"],
        [f"{target}.id"],
        name=op.f(f"fk_{table}_{target}_id"),
        ondelete="CASCADE",
    )


def _index(table: str, name: str) -> None:
    op.create_index(f"ix_{table}_organization_id_{name}", table, ["organization_id", name])
    op.create_index(f"ix_{table}_account_id", table, ["account_id"])
    op.create_index(f"ix_{table}_instance_id", table, ["instance_id"])
