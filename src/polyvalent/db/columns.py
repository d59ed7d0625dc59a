"""Hold the columns that tables share: whose a row is. What belongs to somebody goes with them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey

from polyvalent.db.schema import Id


def of_organization() -> Column[int]:
    """Return the column of the organization that a row belongs to."""
    return _of("organization_id", "organization.id")


def of_account() -> Column[int]:
    """Return the column of the account that a row belongs to."""
    return _of("account_id", "account.id")


def of_user() -> Column[int]:
    """Return the column of the user that a row belongs to."""
    return _of("user_id", "app_user.id")


def of_instance(*, primary_key: bool = False, nullable: bool = False) -> Column[int]:
    """Return the column of the instance that a row belongs to; `nullable` if there may be none."""
    return _of("instance_id", "instance.id", primary_key=primary_key, nullable=nullable)


def _of(
    name: str, target: str, *, primary_key: bool = False, nullable: bool = False
) -> Column[int]:
    key = ForeignKey(target, ondelete="CASCADE")
    return Column(name, Id, key, primary_key=primary_key, nullable=nullable)
