"""Run asynchronous work until it is done or a signal asks to stop; either way it cleans up."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

import uvloop

T = TypeVar("T")

# Ctrl-C, a supervisor's stop, and a terminal that was closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """Report that a signal ended the work; everything was closed on the way out."""


def run(work: Callable[[], Awaitable[T]]) -> T:
    """
    Run work in a fresh event loop and return what it returns.

    A signal cancels it, so that its `finally` blocks run; a second signal cuts those short.
    Raises Interrupted after a signal, else whatever the work raises.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_guard(work))


async def _guard(work: Callable[[], Awaitable[T]]) -> T:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        return await work()
    except asyncio.CancelledError:
        if received:
            raise Interrupted from None
        raise
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
