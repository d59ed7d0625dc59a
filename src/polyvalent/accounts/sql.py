"""Say every statement about organizations, accounts and users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select

from polyvalent.accounts.model import Account, Organization, User
from polyvalent.db import Connection, next_id
from polyvalent.db.schema import account, app_user, digest_purpose, organization, sealed_context
from polyvalent.db.schema_notifications import account_setting
from polyvalent.vault import KeyRing, Random, Secret, digest, seal

ORGANIZATION_SECRET = digest_purpose(organization.c.secret_digest)
USER_SECRET = digest_purpose(app_user.c.secret_digest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """Hold a user with account and organization, and what their secrets are known by."""

    organization: Organization
    account: Account
    user: User
    organization_digest: str = field(repr=False)
    organization_sealed: str = field(repr=False)
    organization_context: str
    user_sealed: str = field(repr=False)
    user_context: str


async def find_member(connection: Connection, *, user_digests: Sequence[str]) -> Member | None:
    """Return the active user of an active account with one of these secret digests."""
    query = _members().where(
        app_user.c.secret_digest.in_(user_digests), app_user.c.active, account.c.active
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _member(row)


async def find_member_by_id(connection: Connection, user_id: int) -> Member | None:
    """Return an active user of an active account by its id."""
    query = _members().where(app_user.c.id == user_id, app_user.c.active, account.c.active)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _member(row)


async def first_member(connection: Connection) -> Member | None:
    """Return the oldest user of the default account of the oldest organization."""
    query = (
        _members().where(account.c.is_default).order_by(organization.c.id, app_user.c.id).limit(1)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _member(row)


async def find_account(
    connection: Connection, *, organization_id: int, account_id: int
) -> Account | None:
    """Return an account of an organization by its id."""
    query = select(account).where(
        account.c.id == account_id, account.c.organization_id == organization_id
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Account(
        id=row.id,
        organization_id=row.organization_id,
        name=row.name,
        description=row.description,
        external_id=row.external_id,
        is_default=row.is_default,
        active=row.active,
        created_at=row.created_at,
    )


async def insert_organization(
    connection: Connection,
    *,
    name: str,
    secret: Secret,
    created_at: datetime,
    ring: KeyRing,
    random: Random,
) -> Organization:
    """Add an organization with its secret sealed."""
    made = Organization(
        id=await next_id(connection, organization), name=name, created_at=created_at
    )
    context = sealed_context(organization.c.secret_sealed, {"id": made.id})
    values = {
        "id": made.id,
        "name": name,
        "secret_sealed": seal(ring, secret.reveal(), context=context, random=random),
        "secret_digest": digest(ring.current, secret.reveal(), purpose=ORGANIZATION_SECRET),
        "created_at": created_at,
    }
    await connection.execute(organization.insert().values(values))
    return made


async def insert_account(
    connection: Connection,
    *,
    organization_id: int,
    name: str,
    external_id: str,
    is_default: bool,
    created_at: datetime,
) -> Account:
    """Add an active account."""
    made = Account(
        id=await next_id(connection, account),
        organization_id=organization_id,
        name=name,
        external_id=external_id,
        is_default=is_default,
        created_at=created_at,
    )
    values = {
        "id": made.id,
        "organization_id": organization_id,
        "name": name,
        "description": made.description,
        "external_id": external_id,
        "is_default": is_default,
        "active": made.active,
        "created_at": created_at,
    }
    await connection.execute(account.insert().values(values))
    return made


async def insert_user(
    connection: Connection,
    *,
    account_id: int,
    email: str,
    first_name: str,
    last_name: str,
    secret: Secret,
    created_at: datetime,
    ring: KeyRing,
    random: Random,
) -> User:
    """Add an active user with the secret sealed."""
    made = User(
        id=await next_id(connection, app_user),
        account_id=account_id,
        email=email,
        first_name=first_name,
        last_name=last_name,
        created_at=created_at,
    )
    context = sealed_context(app_user.c.secret_sealed, {"id": made.id})
    values = {
        "id": made.id,
        "account_id": account_id,
        "email": email,
        "first_name": first_name,
        "last_name": last_name,
        "secret_sealed": seal(ring, secret.reveal(), context=context, random=random),
        "secret_digest": digest(ring.current, secret.reveal(), purpose=USER_SECRET),
        "active": made.active,
        "created_at": created_at,
    }
    await connection.execute(app_user.insert().values(values))
    return made


def _members() -> Select[Any]:
    columns = (
        column.label(f"{table.name}_{column.name}")
        for table in (organization, account, app_user)
        for column in table.c
    )
    joined = app_user.join(account, app_user.c.account_id == account.c.id).join(
        organization, account.c.organization_id == organization.c.id
    )
    return select(*columns).select_from(joined)


def _member(row: Row[Any]) -> Member:
    return Member(
        organization=Organization(
            id=row.organization_id,
            name=row.organization_name,
            created_at=row.organization_created_at,
        ),
        account=Account(
            id=row.account_id,
            organization_id=row.account_organization_id,
            name=row.account_name,
            description=row.account_description,
            external_id=row.account_external_id,
            is_default=row.account_is_default,
            active=row.account_active,
            created_at=row.account_created_at,
        ),
        user=User(
            id=row.app_user_id,
            account_id=row.app_user_account_id,
            email=row.app_user_email,
            first_name=row.app_user_first_name,
            last_name=row.app_user_last_name,
            active=row.app_user_active,
            created_at=row.app_user_created_at,
        ),
        organization_digest=row.organization_secret_digest,
        organization_sealed=row.organization_secret_sealed,
        organization_context=sealed_context(
            organization.c.secret_sealed, {"id": row.organization_id}
        ),
        user_sealed=row.app_user_secret_sealed,
        user_context=sealed_context(app_user.c.secret_sealed, {"id": row.app_user_id}),
    )


async def read_settings(connection: Connection, account_id: int) -> dict[str, str]:
    """Read the settings of an account."""
    query = select(account_setting).where(account_setting.c.account_id == account_id)
    return {row.key: row.value for row in await connection.execute(query)}


async def write_setting(connection: Connection, account_id: int, *, key: str, value: str) -> None:
    """Write one setting of an account."""
    where = (account_setting.c.account_id == account_id, account_setting.c.key == key)
    result = await connection.execute(account_setting.update().where(*where).values(value=value))
    if not result.rowcount:
        await connection.execute(
            account_setting.insert().values(account_id=account_id, key=key, value=value)
        )
