"""Describe organizations, accounts, users and callers; none of them carries a secret in sight."""

from __future__ import annotations

from datetime import datetime

import msgspec

from polyvalent.vault import Secret


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """Be the root of a tenant: owns accounts and instances."""

    id: int
    name: str
    created_at: datetime


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Group users of one organization; each organization has exactly one default account."""

    id: int
    organization_id: int
    name: str
    description: str | None = None
    external_id: str
    is_default: bool = False
    active: bool = True
    created_at: datetime


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Be one person or program with a secret of its own, in one account."""

    id: int
    account_id: int
    email: str
    first_name: str
    last_name: str
    active: bool = True
    created_at: datetime


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what an Authorization header carries: "User …, Organization …, Element …"."""

    user: Secret | None = None
    organization: Secret | None = None
    element: Secret | None = None


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """
    Be someone whose secrets were right, in the account and organization they belong to.

    `element_token` is what the header named as the instance; nobody has checked it yet. Whoever
    sent no organization secret (`organization_proven` is false) may use that instance alone.
    """

    organization: Organization
    account: Account
    user: User
    element_token: Secret | None = None
    organization_proven: bool = True
