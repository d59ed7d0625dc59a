"""
Lay the first tables: accounts, instances, authorization requests and traces.

Revision 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "authorization_request",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("element_key", sa.Text(), nullable=False),
        sa.Column("store_url", sa.Text(), nullable=False),
        sa.Column("callback_url", sa.Text(), nullable=True),
        sa.Column("client_key_sealed", sa.Text(), nullable=False),
        sa.Column("token_sealed", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("handle_sealed", sa.Text(), nullable=False),
        sa.Column("handle_digest", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization_request")),
        sa.UniqueConstraint("handle_digest", name=op.f("uq_authorization_request_handle_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_authorization_request_expires_at"), "authorization_request", ["expires_at"]
    )
    op.create_index(
        op.f("ix_authorization_request_token_digest"), "authorization_request", ["token_digest"]
    )
    op.create_table(
        "organization",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("secret_digest", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_organization_secret_digest")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "account",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_account_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint(
            "organization_id", "external_id", name=op.f("uq_account_organization_id_external_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_account_default",
        "account",
        ["organization_id"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "app_user",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("secret_digest", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_app_user_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("account_id", "email", name=op.f("uq_app_user_account_id_email")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_app_user_secret_digest")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "instance",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("element_key", sa.Text(), nullable=False),
        sa.Column("element_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_sealed", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.Text(), nullable=False),
        sa.Column("valid", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("invalid_reason", sa.Text(), nullable=True),
        sa.Column("events_enabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("caching_enabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("trace_logging_enabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("max_cache_size", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cache_time_to_live", sa.Integer(), server_default="0", nullable=False),
        sa.Column("external_authentication", sa.Text(), server_default="none", nullable=False),
        sa.Column("signing_variant", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_instance_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_instance_organization_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_instance_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_instance_token_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_instance_account_id", "instance", ["account_id"])
    op.create_index(
        "ix_instance_organization_id_element_key", "instance", ["organization_id", "element_key"]
    )
    op.create_index("ix_instance_user_id", "instance", ["user_id"])
    op.create_table(
        "configuration_entry",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("value_sealed", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "value IS NULL OR value_sealed IS NULL", name=op.f("ck_configuration_entry_one_value")
        ),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["instance.id"],
            name=op.f("fk_configuration_entry_instance_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_configuration_entry")),
        sa.UniqueConstraint(
            "instance_id", "key", name=op.f("uq_configuration_entry_instance_id_key")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "instance_tag",
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["instance.id"],
            name=op.f("fk_instance_tag_instance_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("instance_id", "position", name=op.f("pk_instance_tag")),
    )
    op.create_index(op.f("ix_instance_tag_tag"), "instance_tag", ["tag"])
    op.create_table(
        "trace",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("element_key", sa.Text(), nullable=False),
        sa.Column("instance_id", ID, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.CheckConstraint("length(id) = 24", name=op.f("ck_trace_id_length")),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["instance.id"], name=op.f("fk_trace_instance_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_trace_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trace")),
    )
    op.create_index(op.f("ix_trace_created_at"), "trace", ["created_at"])
    op.create_index("ix_trace_instance_id", "trace", ["instance_id"])
    op.create_index("ix_trace_organization_id", "trace", ["organization_id"])
