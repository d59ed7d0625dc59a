"""Tell the worker of this process, if there is one, that there may be something to do."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Bell:
    """Ring and wait; a ring that nobody waits for is heard by the next who does."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits."""
        self._event.set()

    async def wait(self, *, for_s: float) -> None:
        """Wait for a ring, but no longer than so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), for_s)
        self._event.clear()
