"""
Remember instances that were read a moment ago, for the calls to their resources.

Reading an instance takes three statements and opens its secrets, which is more work than the rest
of a call. What is remembered is believed for a second; then one small statement asks whether the
instance or its organization's elements have changed since. Whatever changes an instance in this
process raises a doubt, and the next call asks at once; other processes' changes are seen within
that second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from cachetools import TTLCache

from polyvalent.catalog.element import Element
from polyvalent.db import Database
from polyvalent.db.questions import Questions
from polyvalent.db.versions import read_versions
from polyvalent.errors import Unavailable
from polyvalent.instances.model import Connection, Instance

BELIEVED_FOR_S = 1.0
# From this age on one call has the question asked while it and others go on believing: an answer
# takes some turns of a busy loop, and nobody shall wait for it.
ASKED_AHEAD_S = 0.4
# Opened secrets stay in memory no longer than this, also of instances that do not change.
LIVES_S = 30
INSTANCES_KEPT = 256


@dataclass(kw_only=True, slots=True)
class _Kept:
    instance: Instance
    checked_at_s: float
    doubts: int  # how many there had been when it was last known to be so
    connection: Connection | None = None
    ahead: asyncio.Task[None] | None = None  # asks while the calls go on


@dataclass(kw_only=True, slots=True)
class Memory:
    """
    Hold instances by the digest of their element token; belongs to one process.

    `clock` counts seconds from any moment and never goes back.
    """

    clock: Callable[[], float] = field(repr=False)
    doubts: int = 0
    # Of many calls at once one asks; what it asks about includes the doubts that there were.
    questions: Questions = field(default_factory=Questions, repr=False)
    _kept: TTLCache[bytes, _Kept] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self._kept = TTLCache(maxsize=INSTANCES_KEPT, ttl=LIVES_S, timer=self.clock)

    def doubt(self) -> None:
        """Believe nothing any more without asking; to be called after a change is committed."""
        self.doubts += 1

    async def recall(self, database: Database, token: str) -> Instance | None:
        """
        Return the instance of a token as it is now, None if it is not remembered.

        Raises Unavailable if the database has to be asked and does not answer.
        """
        place = _place(token)
        try:
            kept = self._kept[place]
        except KeyError:  # cheaper than to ask a cache with times whether it has it
            return None
        if self._believes(kept):
            if kept.ahead is None and self.clock() - kept.checked_at_s > ASKED_AHEAD_S:
                kept.ahead = asyncio.create_task(self._ask_ahead(database, place, kept))
            return kept.instance
        await self._ask(database, place, kept)
        return kept.instance if self._kept.get(place) is kept else None

    async def _ask_ahead(self, database: Database, place: bytes, kept: _Kept) -> None:
        try:
            await self._ask(database, place, kept)
        except Unavailable:
            pass  # the next call that has to know asks again, and is told
        finally:
            kept.ahead = None

    async def _ask(self, database: Database, place: bytes, kept: _Kept) -> None:
        # Forgets what has changed.
        now_s, doubts = self.clock(), self.doubts

        async def read() -> tuple[int, int] | None:
            async with database.reading() as connection:
                return await read_versions(connection, kept.instance.id)

        versions = await self.questions.ask(("versions", kept.instance.id, doubts), read)
        if versions == (kept.instance.version, kept.instance.elements_version):
            kept.checked_at_s, kept.doubts = now_s, doubts
        elif self._kept.get(place) is kept:
            del self._kept[place]

    def _believes(self, kept: _Kept) -> bool:
        fresh = self.clock() - kept.checked_at_s < BELIEVED_FOR_S
        return fresh and kept.doubts == self.doubts

    def connection_of(
        self, instance: Instance, *, element: Element, make: Callable[..., Connection]
    ) -> Connection:
        """Return the connection of an instance, made once where the instance is remembered."""
        kept: _Kept | None = self._kept.get(_place(instance.token))
        if kept is None or kept.instance is not instance:
            return make(instance, element=element)
        if kept.connection is None or kept.connection.element is not element:
            kept.connection = make(instance, element=element)
        return kept.connection

    def keep(self, token: str, instance: Instance, *, read_at_s: float, doubts: int) -> None:
        """Remember an instance; the moment and the number of doubts are from before it was read."""
        self._kept[_place(token)] = _Kept(instance=instance, checked_at_s=read_at_s, doubts=doubts)


def _place(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
