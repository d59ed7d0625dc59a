"""Hold whose a definition or transformation is, and what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from polyvalent.accounts.model import Account, Caller
from polyvalent.instances.model import Instance
from polyvalent.mapping import ObjectDefinition, Transformation

Level = Literal["organization", "account", "instance"]

LEVELS: tuple[Level, ...] = ("instance", "account", "organization")  # the most specific first


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """
    Say whose definitions and transformations are meant, and which stand above them.

    An instance has its account and organization above it, an account its organization.
    """

    level: Level
    organization_id: int
    account_id: int | None = None
    instance_id: int | None = None

    @property
    def key(self) -> str:
        """Return the scope as one text: "account/2"."""
        owner = {
            "organization": self.organization_id,
            "account": self.account_id,
            "instance": self.instance_id,
        }
        return f"{self.level}/{owner[self.level]}"

    @property
    def visible(self) -> tuple[Scope, ...]:
        """Return this scope and those above it, the most specific first."""
        if self.level == "organization":
            return (self,)
        above = of_organization(self.organization_id)
        if self.level == "account" or self.account_id is None:
            return (self, above)
        account = Scope(
            level="account", organization_id=self.organization_id, account_id=self.account_id
        )
        return (self, account, above)


def of_organization(organization_id: int) -> Scope:
    """Return the scope of an organization."""
    return Scope(level="organization", organization_id=organization_id)


def of_account(account: Account) -> Scope:
    """Return the scope of an account."""
    return Scope(level="account", organization_id=account.organization_id, account_id=account.id)


def of_instance(instance: Instance) -> Scope:
    """Return the scope of an instance."""
    return Scope(
        level="instance",
        organization_id=instance.organization_id,
        account_id=instance.account_id,
        instance_id=instance.id,
    )


def of_caller(caller: Caller) -> Scope:
    """Return the scope of a caller's account."""
    return of_account(caller.account)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredDefinition:
    """Hold one stored definition with its scope's text."""

    scope: str
    definition: ObjectDefinition
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTransformation:
    """Hold one stored transformation with its scope's text and the element that it is of."""

    scope: str
    element_key: str
    account_id: int | None
    instance_id: int | None
    transformation: Transformation
