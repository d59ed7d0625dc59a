"""Draw the tables behind notifications: what happened, who wants to know, what was delivered."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from polyvalent.db.columns import of_account, of_instance, of_organization, of_user
from polyvalent.db.schema import Id, Timestamp, metadata, sealed_column


def _owner() -> tuple[Column[int], Column[int], Column[int]]:
    return of_organization(), of_account(), of_instance(nullable=True)


notification = Table(
    "notification",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    *_owner(),
    Column("topic", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("sender", Text),
    # Of an event: its id, the same in all deliveries of it.
    Column("event_id", Text),
    # JSON: a text, or what happened to a merchant's data.
    sealed_column("message_sealed", context="notification/{id}/message"),
    Column("acknowledged", Boolean, nullable=False, server_default=false()),
    Column("created_at", Timestamp, nullable=False, index=True),
    Index("ix_notification_account_id_topic_id", "account_id", "topic", "id"),
    Index("ix_notification_event_id", "event_id"),
    sqlite_autoincrement=True,
)

# Who wants to know of topics. That of an instance follows the instance's configuration.
subscription = Table(
    "subscription",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    *_owner(),
    of_user(),
    Column("channel", Text, nullable=False),
    Column("topics", Text, nullable=False),  # JSON
    # An address may hold a key.
    sealed_column("config_sealed", context="subscription/{id}/config"),
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("created_at", Timestamp, nullable=False),
    Index("ix_subscription_account_id", "account_id"),
    UniqueConstraint("instance_id"),
    sqlite_autoincrement=True,
)

# One notification on its way to one subscription.
delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column(
        "notification_id", Id, ForeignKey("notification.id", ondelete="CASCADE"), nullable=False
    ),
    Column(
        "subscription_id", Id, ForeignKey("subscription.id", ondelete="CASCADE"), nullable=False
    ),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Timestamp, nullable=False),
    Column("answered", Integer),  # the last status
    Column("message", Text),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    UniqueConstraint("notification_id", "subscription_id"),
    Index("ix_delivery_subscription_id_status_due_at", "subscription_id", "status", "due_at"),
    # How many wait, and since when: of all subscriptions.
    Index("ix_delivery_status_created_at", "status", "created_at"),
    sqlite_autoincrement=True,
)

# What a delivery that has not arrived is about: later ones about the same wait behind it.
delivery_object = Table(
    "delivery_object",
    metadata,
    Column("delivery_id", Id, ForeignKey("delivery.id", ondelete="CASCADE"), primary_key=True),
    Column("object_key", Text, primary_key=True),
    Column(
        "subscription_id", Id, ForeignKey("subscription.id", ondelete="CASCADE"), nullable=False
    ),
    Index(
        "ix_delivery_object_subscription_id_object_key_delivery_id",
        "subscription_id",
        "object_key",
        "delivery_id",
    ),
)

account_setting = Table(
    "account_setting",
    metadata,
    Column("account_id", Id, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
