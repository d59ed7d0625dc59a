"""Know the settings of accounts: what becomes of a delivery that fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polyvalent.accounts import sql
from polyvalent.db import Connection
from polyvalent.errors import BadRequest

FAILURE_POLICY = "notification.webhook.failure.policy"
# Of each setting: what it may be, the first by default.
KNOWN: Mapping[str, tuple[str, ...]] = {FAILURE_POLICY: ("retry", "queue")}


def fails_into_queue(settings: Mapping[str, str]) -> bool:
    """Say whether a delivery that fails waits for somebody to release it, and is not retried."""
    return settings.get(FAILURE_POLICY) == "queue"


async def read_account_settings(connection: Connection, account_id: int) -> dict[str, str]:
    """Read all settings of an account, those that were never set by their defaults."""
    stored = await sql.read_settings(connection, account_id)
    return {key: stored.get(key, values[0]) for key, values in KNOWN.items()}


async def change_account_settings(
    connection: Connection, account_id: int, changes: Mapping[str, Any]
) -> dict[str, str]:
    """
    Change settings of an account and return all.

    Raises BadRequest for a setting that does not exist, or cannot be what is asked for.
    """
    for key, value in changes.items():
        if key not in KNOWN:
            raise BadRequest(
                f"There is no account setting {key[:80]!r}. Known are: {', '.join(KNOWN)}."
            )
        if value not in KNOWN[key]:
            raise BadRequest(f"{key} must be {' or '.join(KNOWN[key])}.")
        await sql.write_setting(connection, account_id, key=key, value=str(value))
    return await read_account_settings(connection, account_id)
