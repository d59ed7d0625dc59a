"""
Be a worker process that counts: worker_process.py URL KEYS [POINT [SIGNAL]].

The kind `count` saves one number after another, each with the name of the process that saved it.
With a point, the process sends itself the signal, SIGKILL if none is named, when it comes there
for the third time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from polyvalent.jobs.kind import Kind
from polyvalent.jobs.model import Again, Done, Outcome
from polyvalent.jobs.turn import Turn
from polyvalent.jobs.work import working
from tests.jobs.workshop import open_workshop

PAUSE_S = 0.02
FATAL_TIME = 3


def make_mark(point: str, blow: signal.Signals):
    times = 0

    def mark(name: str) -> None:
        nonlocal times
        times += name == point
        if times == FATAL_TIME:
            os.kill(os.getpid(), blow)

    return mark


async def main(url: str, keys: str, point: str = "", blow: str = "SIGKILL") -> None:
    async def count(turn: Turn) -> Outcome:
        saved = list(turn.checkpoint or [])
        while len(saved) < turn.job.spec["to"]:
            await asyncio.sleep(PAUSE_S)
            saved.append([len(saved), os.getpid()])
            turn.mark("count.counted")
            async with shop.database.transaction() as connection:
                await turn.save(connection, checkpoint=saved, progress={"pid": os.getpid()})
                turn.mark("count.saved")
            if turn.should_yield or turn.job.spec.get("yields"):
                return Again()
        return Done()

    kinds = [Kind(name="count", handle=count)]
    async with (
        open_workshop(url, Path(keys), kinds, mark=make_mark(point, signal.Signals[blow])) as shop,
        working(shop),
    ):
        print("ready", flush=True)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
