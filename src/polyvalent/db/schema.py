"""
Draw every table of polyvalent.

`migrations/` must lead an empty database to exactly these tables; a test compares the two.

Portable forms:

- ids are 64-bit integers that are never given twice, not even after a deletion, because sealed
  values are bound to the id of their row;
- times are `Timestamp`: `timestamptz` on PostgreSQL, UTC text on SQLite, always an aware
  datetime in UTC in Python. A database type rather than ISO text, so that PostgreSQL can do
  arithmetic on it; on SQLite the text sorts by time;
- a secret is a sealed TEXT (`polyvalent.vault`), and where it must be found, a digest TEXT.

A sealed column says in `info` what its values are bound to, and a digest column what it is the
digest of: `sealed_column` and `digest_column`. Rotation reads those and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer(), "sqlite")


class Timestamp(TypeDecorator[datetime]):
    """Store a moment in UTC; take and give aware datetimes only."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Turn an aware datetime into UTC; raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give back an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def sealed_column(name: str, *, context: str, nullable: bool = False) -> Column[Any]:
    """
    Declare a column of sealed values, bound to a context such as "user/{id}/secret".

    The names in braces are columns of the same row.
    """
    return Column(name, Text, nullable=nullable, info={"sealed_context": context})


def digest_column(name: str, *, of: str, purpose: str, unique: bool = False) -> Column[Any]:
    """Declare the digest of a sealed column of the same table, for one purpose."""
    info = {"digest_of": of, "purpose": purpose}
    return Column(name, Text, nullable=False, unique=unique, index=not unique, info=info)


def sealed_context(column: Column[Any], row: Mapping[str, Any]) -> str:
    """
    Return what a sealed value is bound to: a column and {"id": 3} → "user/3/secret".

    The row needs only the columns that the context names.
    """
    template: str = column.info["sealed_context"]
    return template.format_map(row)


def digest_purpose(column: Column[Any]) -> str:
    """Return the purpose of a digest column: "user.secret"."""
    purpose: str = column.info["purpose"]
    return purpose


def _id() -> Column[Any]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def _reference(target: str, *, primary_key: bool = False, nullable: bool = False) -> Column[Any]:
    return Column(
        f"{target}_id" if target != "app_user" else "user_id",
        Id,
        ForeignKey(f"{target}.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=nullable,
    )


def _flag(name: str, *, default: bool) -> Column[Any]:
    return Column(name, Boolean, nullable=False, server_default=true() if default else false())


organization = Table(
    "organization",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    sealed_column("secret_sealed", context="organization/{id}/secret"),
    digest_column("secret_digest", of="secret_sealed", purpose="organization.secret", unique=True),
    Column("created_at", Timestamp, nullable=False),
    sqlite_autoincrement=True,
)

account = Table(
    "account",
    metadata,
    _id(),
    _reference("organization"),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("external_id", Text, nullable=False),
    _flag("is_default", default=False),
    _flag("active", default=True),
    Column("created_at", Timestamp, nullable=False),
    UniqueConstraint("organization_id", "external_id"),
    # Exactly one account of an organization is the default one.
    Index(
        "uq_account_default",
        "organization_id",
        unique=True,
        sqlite_where=text("is_default"),
        postgresql_where=text("is_default"),
    ),
    sqlite_autoincrement=True,
)

# "user" is a reserved word of SQL.
app_user = Table(
    "app_user",
    metadata,
    _id(),
    _reference("account"),
    Column("email", Text, nullable=False),
    Column("first_name", Text, nullable=False),
    Column("last_name", Text, nullable=False),
    sealed_column("secret_sealed", context="user/{id}/secret"),
    digest_column("secret_digest", of="secret_sealed", purpose="user.secret", unique=True),
    _flag("active", default=True),
    Column("created_at", Timestamp, nullable=False),
    UniqueConstraint("account_id", "email"),
    sqlite_autoincrement=True,
)

instance = Table(
    "instance",
    metadata,
    _id(),
    _reference("organization"),
    _reference("account"),
    _reference("app_user"),
    Column("element_key", Text, nullable=False),
    Column("element_id", Id, nullable=False),
    Column("name", Text, nullable=False),
    sealed_column("token_sealed", context="instance/{id}/token"),
    digest_column("token_digest", of="token_sealed", purpose="instance.token", unique=True),
    _flag("valid", default=True),
    _flag("disabled", default=False),
    Column("invalid_reason", Text),
    Column("invalid_at", Timestamp),
    _flag("events_enabled", default=False),
    _flag("caching_enabled", default=False),
    _flag("trace_logging_enabled", default=False),
    Column("max_cache_size", Integer, nullable=False, server_default="0"),
    Column("cache_time_to_live", Integer, nullable=False, server_default="0"),
    Column("external_authentication", Text, nullable=False, server_default="none"),
    # Which of the known OAuth 1 dissents this store wants; null while none was learned.
    Column("signing_variant", Text),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    # Grows by one with every change, so that caches and writers notice.
    Column("version", Integer, nullable=False, server_default="1"),
    Index("ix_instance_organization_id_element_key", "organization_id", "element_key"),
    Index("ix_instance_account_id", "account_id"),
    Index("ix_instance_user_id", "user_id"),
    sqlite_autoincrement=True,
)

instance_tag = Table(
    "instance_tag",
    metadata,
    _reference("instance", primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("tag", Text, nullable=False, index=True),
)

configuration_entry = Table(
    "configuration_entry",
    metadata,
    _id(),
    _reference("instance"),
    Column("key", Text, nullable=False),
    Column("value", Text),
    sealed_column(
        "value_sealed", context="instance/{instance_id}/configuration/{key}", nullable=True
    ),
    UniqueConstraint("instance_id", "key"),
    CheckConstraint("value IS NULL OR value_sealed IS NULL", name="one_value"),
    sqlite_autoincrement=True,
)

# Temporary credentials (RFC 5849, section 2.1) between the request token and the instance.
authorization_request = Table(
    "authorization_request",
    metadata,
    _id(),
    Column("element_key", Text, nullable=False),
    Column("store_url", Text, nullable=False),
    Column("callback_url", Text),
    sealed_column("client_key_sealed", context="authorization_request/{id}/client_key"),
    sealed_column("token_sealed", context="authorization_request/{id}/token"),
    digest_column("token_digest", of="token_sealed", purpose="authorization_request.token"),
    sealed_column("secret_sealed", context="authorization_request/{id}/secret"),
    # The single-use handle that stands for the secret in the callback.
    sealed_column("handle_sealed", context="authorization_request/{id}/handle"),
    digest_column(
        "handle_digest", of="handle_sealed", purpose="authorization_request.handle", unique=True
    ),
    Column("created_at", Timestamp, nullable=False),
    Column("expires_at", Timestamp, nullable=False, index=True),
    Column("used_at", Timestamp),
    sqlite_autoincrement=True,
)

# The redacted exchanges of a creation that asked for debugging, under the id of its request.
trace = Table(
    "trace",
    metadata,
    Column("id", Text, primary_key=True),
    _reference("organization"),
    Column("element_key", Text, nullable=False),
    _reference("instance", nullable=True),
    Column("created_at", Timestamp, nullable=False, index=True),
    Column("body", Text, nullable=False),
    CheckConstraint("length(id) = 24", name="id_length"),
    Index("ix_trace_organization_id", "organization_id"),
    Index("ix_trace_instance_id", "instance_id"),
)

# Elements that an account brought along, and what accounts add to elements that others share.
# The whole definition is sealed: default values and scripts may hold secrets.
element = Table(
    "element",
    metadata,
    _id(),
    _reference("organization"),
    _reference("account"),
    Column("key", Text, nullable=False),
    # The element that this row only adds resources to; null for an element of its own.
    Column("extends_id", Id),
    # The element that this one was cloned from; of a clone of a clone, the first.
    Column("origin_id", Id),
    sealed_column("body_sealed", context="element/{id}/body"),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    # Set when it is deleted: instances that it has go on, and its key is free again.
    Column("deleted_at", Timestamp),
    Index(
        "uq_element_account_id_key",
        "account_id",
        "key",
        unique=True,
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index("ix_element_organization_id", "organization_id"),
    sqlite_autoincrement=True,
)

# Accounts that may see an element beside the one it belongs to.
element_account = Table(
    "element_account",
    metadata,
    _reference("element", primary_key=True),
    _reference("account", primary_key=True),
    Index("ix_element_account_account_id", "account_id"),
)

# Grows with every change to an organization's elements, so that caches notice.
element_version = Table(
    "element_version",
    metadata,
    _reference("organization", primary_key=True),
    Column("version", Integer, nullable=False),
)

# What callers' objects look like, at one level. `scope` says whose they are, in one text:
# "organization/1", "account/2" or "instance/3", since unique constraints pass nulls by.
object_definition = Table(
    "object_definition",
    metadata,
    _id(),
    _reference("organization"),
    _reference("account", nullable=True),
    _reference("instance", nullable=True),
    Column("scope", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    UniqueConstraint("scope", "name"),
    Index("ix_object_definition_organization_id_name", "organization_id", "name"),
    Index("ix_object_definition_account_id", "account_id"),
    Index("ix_object_definition_instance_id", "instance_id"),
    sqlite_autoincrement=True,
)

# How those objects lie in an element's, at one level.
transformation = Table(
    "transformation",
    metadata,
    _id(),
    _reference("organization"),
    _reference("account", nullable=True),
    _reference("instance", nullable=True),
    Column("scope", Text, nullable=False),
    Column("element_key", Text, nullable=False),
    Column("object_name", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    UniqueConstraint("scope", "element_key", "object_name"),
    Index("ix_transformation_organization_id_object_name", "organization_id", "object_name"),
    Index("ix_transformation_account_id", "account_id"),
    Index("ix_transformation_instance_id", "instance_id"),
    sqlite_autoincrement=True,
)

# Grows with every change to an organization's definitions and transformations, so that compiled
# mappings are made anew.
transformation_version = Table(
    "transformation_version",
    metadata,
    _reference("organization", primary_key=True),
    Column("version", Integer, nullable=False),
)
