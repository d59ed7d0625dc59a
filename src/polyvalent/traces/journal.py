"""
Write traces behind the backs of the calls that left them.

A call hands its trace over and goes on: it neither waits for the database nor learns that it
failed. What cannot be written is lost and counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from polyvalent.traces.trail import CallTrace

# More calls at once than are written leave no trace, rather than fill the memory.
WAITING_MAX = 64
# How long the end of the process waits for the last ones.
CLOSING_S = 2.0
TRACE_LOST = "trace.lost"

Write = Callable[[CallTrace], Awaitable[None]]
_log = structlog.get_logger("polyvalent.traces")


class Journal:
    """Write traces one after another, in a task that lives while there are any."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting: list[CallTrace] = []
        self._task: asyncio.Task[None] | None = None
        self.lost = 0  # since the start of the process

    def note(self, trace: CallTrace) -> None:
        """Take a trace to be written soon; never raises and never waits."""
        if len(self._waiting) >= WAITING_MAX:
            self._lose(trace, reason="too many at once")
            return
        self._waiting.append(trace)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write_all())

    async def flush(self) -> None:
        """Wait until everything that was noted is written or lost."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Write what is waiting if that takes no longer than two seconds."""
        try:
            async with asyncio.timeout(CLOSING_S):
                await self.flush()
        except TimeoutError:
            for trace in self._waiting:
                self._lose(trace, reason="the process ended")

    async def _write_all(self) -> None:
        while self._waiting:
            trace = self._waiting.pop(0)
            try:
                await self._write(trace)
            except Exception as error:  # noqa: BLE001  # no trace is worth a call
                self._lose(trace, reason=type(error).__name__)

    def _lose(self, trace: CallTrace, *, reason: str) -> None:
        self.lost += 1
        _log.warning(
            TRACE_LOST, request_id=trace.trace_id, instance_id=trace.instance_id, reason=reason
        )
