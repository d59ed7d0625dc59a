"""Hold the servers of one storm, and let one of them die at a time."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash.keeper import Died, Keeper, Reply

ANY_MOMENT = "any moment"


@dataclass(kw_only=True)
class Fleet:
    """Hold servers of one database and one data directory; all of them answer and work."""

    keepers: list[Keeper]
    chance: random.Random
    kills: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        """Start all servers."""
        for keeper in self.keepers:
            _revive(keeper)

    def close(self) -> None:
        """End all servers."""
        for keeper in self.keepers:
            keeper.close()

    @property
    def url(self) -> str:
        """Return the URL of the database."""
        return self.keepers[0].url

    @property
    def key_path(self) -> Path:
        """Return where the key file is."""
        return self.keepers[0].key_path

    def call(self, method: str, path: str, **more: Any) -> Reply:
        """Make a call to a server that lives, trying again where one dies meanwhile."""
        while True:
            for keeper in self.keepers:
                if keeper.running is None:
                    _revive(keeper)
                try:
                    return keeper.call(method, path, **more)
                except Died:
                    keeper.bury()

    def kill_one(self, point: str, *, ended: Callable[[], bool], patience_s: float) -> bool:
        """
        Let the first server die that passes a point, or any one at any moment; False if none does.

        It is not waited for once all work has `ended`, nor longer than so many seconds.
        """
        for keeper in self.keepers:
            _revive(keeper)
        pids = {keeper.pid: keeper for keeper in self.keepers}
        if point == ANY_MOMENT:
            time.sleep(self.chance.uniform(0, 0.6))
            if ended():
                return False
            pid = self.chance.choice(list(pids))
            if not _is_dead(pid):
                os.kill(pid, signal.SIGKILL)
        else:
            nth = self.chance.choice((1, 1, 2, 3))
            for keeper in self.keepers:
                keeper.arm(point, nth=nth)
            _comes_about(lambda: any(map(_is_dead, pids)), unless=ended, within_s=patience_s)
            for keeper in self.keepers:
                keeper.disarm()
        dead = [pid for pid in pids if _is_dead(pid)]
        for pid in dead:
            # A call that met the death has buried it already.
            if pids[pid].running is not None and pids[pid].pid == pid:
                pids[pid].bury()
            _revive(pids[pid])
        self.kills[point] += len(dead)
        return bool(dead)


def _revive(keeper: Keeper) -> None:
    if keeper.running is None:
        keeper.disarm()
        keeper.start()


def _comes_about(
    condition: Callable[[], bool], *, unless: Callable[[], bool], within_s: float
) -> bool:
    ends_s = time.monotonic() + within_s
    while time.monotonic() < ends_s:
        if condition():
            return True
        if unless():
            return condition()
        time.sleep(0.05)
    return condition()


def _is_dead(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return status.rpartition(")")[2].split()[0] == "Z"
