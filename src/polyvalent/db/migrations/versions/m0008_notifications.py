"""
Add notifications, subscriptions and deliveries, and settings of accounts.

Revision 0008.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def _owner(table: str) -> list[Any]:
    return [
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("instance_id", ID, nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [f"{target}_id"],
                [f"{target}.id"],
                name=op.f(f"fk_{table}_{target}_id"),
                ondelete="CASCADE",
            )
            for target in ("organization", "account", "instance")
        ),
    ]


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "notification",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        *_owner("notification"),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("message_sealed", sa.Text(), nullable=False),
        sa.Column("acknowledged", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notification_created_at", "notification", ["created_at"])
    op.create_index("ix_notification_event_id", "notification", ["event_id"])
    op.create_index(
        "ix_notification_account_id_topic_id", "notification", ["account_id", "topic", "id"]
    )
    op.create_table(
        "subscription",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        *_owner("subscription"),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("topics", sa.Text(), nullable=False),
        sa.Column("config_sealed", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_subscription_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("instance_id", name=op.f("uq_subscription_instance_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscription_account_id", "subscription", ["account_id"])
    op.create_table(
        "delivery",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("notification_id", ID, nullable=False),
        sa.Column("subscription_id", ID, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("order_key", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("answered", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [f"{target}_id"],
                [f"{target}.id"],
                name=op.f(f"fk_delivery_{target}_id"),
                ondelete="CASCADE",
            )
            for target in ("notification", "subscription")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "notification_id",
            "subscription_id",
            name=op.f("uq_delivery_notification_id_subscription_id"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_delivery_subscription_id_status_due_at",
        "delivery",
        ["subscription_id", "status", "due_at"],
    )
    op.create_index(
        "ix_delivery_subscription_id_order_key_status",
        "delivery",
        ["subscription_id", "order_key", "status"],
    )
    op.create_table(
        "account_setting",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_account_setting_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_account_setting")),
    )
