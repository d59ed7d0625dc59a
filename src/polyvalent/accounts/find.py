"""Find accounts of an organization."""

from __future__ import annotations

from polyvalent.accounts import sql
from polyvalent.accounts.model import Account, Organization
from polyvalent.db import Database
from polyvalent.errors import NotFound


async def find_account(database: Database, organization: Organization, account_id: int) -> Account:
    """
    Find an account by its id.

    Raises NotFound, also for an account of another organization.
    """
    async with database.reading() as connection:
        found = await sql.find_account(
            connection, organization_id=organization.id, account_id=account_id
        )
    if found is None:
        raise NotFound(f"There is no account {account_id}.")
    return found
