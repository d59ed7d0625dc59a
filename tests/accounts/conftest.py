"""Give account tests a platform that has just started for the first time."""

from __future__ import annotations

from datetime import datetime

import pytest

from polyvalent.accounts.bootstrap import bootstrap
from polyvalent.accounts.reveal import reveal_secrets
from polyvalent.db import Database
from polyvalent.db.key_file import KeyFile
from polyvalent.vault import Random


@pytest.fixture
async def secrets(
    database: Database, keys: KeyFile, now: datetime, random_bytes: Random
) -> dict[str, str]:
    """Make the default accounts and return their secrets."""
    await bootstrap(database, keys, now=now, random=random_bytes)
    return await reveal_secrets(database, keys)
