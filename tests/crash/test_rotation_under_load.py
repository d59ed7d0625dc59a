"""Keys are rotated while a server answers, creates and changes, and no call fails."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.fill import fill
from polyvalent.db import open_database
from polyvalent.db.key_file import KeyFile
from polyvalent.db.rotate import RETIRE_AFTER_S, count_uses, retire, rotate
from tests.crash.acts import answered, is_working, new_scene, start_over
from tests.crash.judge import look
from tests.crash.keeper import Keeper

FILLED = 60
ROTATIONS = 2


def rotate_often(keeper: Keeper, *, between_s: float) -> None:
    async def work() -> None:
        database = await open_database(keeper.url)
        try:
            for _ in range(ROTATIONS):
                await rotate(
                    database, KeyFile(keeper.key_path), now=datetime.now(UTC), random=os.urandom
                )
                await asyncio.sleep(between_s)
        finally:
            await database.close()

    asyncio.run(work())


def retire_old_keys(keeper: Keeper) -> dict[str, int]:
    async def work() -> dict[str, int]:
        database = await open_database(keeper.url)
        try:
            late_enough = datetime.now(UTC) + timedelta(seconds=RETIRE_AFTER_S)
            await retire(database, KeyFile(keeper.key_path), now=late_enough, random=os.urandom)
            return await count_uses(database)
        finally:
            await database.close()

    return asyncio.run(work())


class Load:
    """Call one thing over and over in a thread, and keep what went wrong."""

    def __init__(self, once: Callable[[], None]) -> None:
        self.once = once
        self.calls = 0
        self.faults: list[str] = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self.is_over.is_set():
            try:
                self.once()
                self.calls += 1
            except Exception as error:  # noqa: BLE001 - whatever a caller would have seen
                self.faults.append(repr(error))


@pytest.mark.parametrize(
    "database_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
    indirect=True,
)
def test_no_call_fails_while_keys_are_rotated(database_url, tmp_path, shop):
    keeper = Keeper(folder=tmp_path / "server", database_url=database_url)
    keeper.start()
    tokens: list[str] = []

    def create() -> None:
        tokens.append(start_over(new_scene(keeper, shop))["token"])

    def read() -> None:
        # The secrets of the caller, the element token and the store's credentials are all opened.
        assert is_working(known, known_token)

    def change() -> None:
        body = {"configuration": {"event.notification.signature.key": str(time.monotonic())}}
        answered(keeper.call("PATCH", f"/instances/{known_id}", body=body))

    def enumerate_all() -> None:
        assert len(answered(keeper.call("GET", "/instances"))) >= FILLED

    try:
        known = new_scene(keeper, shop)
        created = start_over(known)
        known_id, known_token = created["id"], created["token"]
        fill(
            keeper.url,
            keeper.key_path,
            count=FILLED,
            store_url=shop.url,
            credentials={"oauth.user.token": "t", "oauth.user.token.secret": "s"},
        )
        loads = [Load(once) for once in (create, read, change, enumerate_all)]
        for load in loads:
            load.thread.start()
        rotate_often(keeper, between_s=0.3)
        for load in loads:
            load.is_over.set()
        for load in loads:
            load.thread.join()
        uses = retire_old_keys(keeper)
        keeper.kill()
        keeper.start()

        kept = look(keeper.url, keeper.key_path)

        assert [fault for load in loads for fault in load.faults] == []
        assert min(load.calls for load in loads) > 0
        assert list(uses) == [KeyFile(keeper.key_path).ring().current_id]
        assert kept.wrong == ()
        assert {found.token for found in kept.instances.values()} >= {known_token, *tokens}
        assert is_working(known, known_token)
    finally:
        keeper.close()
