"""Reach the data of a platform from a command, while it is served or not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from polyvalent.accounts.identify import identify
from polyvalent.accounts.model import Caller
from polyvalent.accounts.reveal import reveal_secrets
from polyvalent.api.platform import Platform, open_platform
from polyvalent.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Hold an open platform and its first user, as whom the person at the terminal acts."""

    platform: Platform
    caller: Caller


@asynccontextmanager
async def operating(settings: Settings) -> AsyncIterator[Operator]:
    """Open a platform inside the block; raises what `open_platform` raises."""
    async with open_platform(settings) as platform:
        ports = platform.ports
        secrets = await reveal_secrets(ports.database, ports.keys)
        caller = await identify(ports.database, ports.keys, authorization(secrets))
        yield Operator(platform=platform, caller=caller)


def authorization(secrets: dict[str, str], *, element: str | None = None) -> str:
    """Write the value of an Authorization header: "User …, Organization …, Element …"."""
    own = f"User {secrets['user']}, Organization {secrets['organization']}"
    return f"{own}, Element {element}" if element else own
