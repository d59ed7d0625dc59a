"""
End what takes longer than it may.

As `asyncio.timeout` does, but with one timer for everything that is under way in place of one for
each: nearly all of it ends long before its time, and setting a timer takes longer than a signature.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self


class Deadlines:
    """Hold what is under way; belongs to one event loop."""

    def __init__(self) -> None:
        self._running: set[Deadline] = set()
        self._timer: asyncio.TimerHandle | None = None

    def within(self, seconds: float) -> Deadline:
        """
        Give a block so many seconds.

        `with deadlines.within(2.5): …` raises TimeoutError when they are over and cancels what is
        awaited inside; a cancellation from elsewhere passes.
        """
        return Deadline(self, asyncio.get_running_loop().time() + seconds)

    def begin(self, deadline: Deadline) -> None:
        """Watch one, from now on."""
        self._running.add(deadline)
        if self._timer is None or deadline.ends_at_s < self._timer.when():
            self._set_timer(deadline.ends_at_s)

    def end(self, deadline: Deadline) -> None:
        """Watch one no longer. The timer stays: it is cheaper to let it find nothing."""
        self._running.discard(deadline)

    def _set_timer(self, at_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(at_s, self._look)

    def _look(self) -> None:
        self._timer = None
        now_s = asyncio.get_running_loop().time()
        # The loop's clock is coarse, and calls a moment before the time.
        for deadline in [item for item in self._running if item.ends_at_s <= now_s + 0.001]:
            self._running.discard(deadline)
            deadline.expire()
        if self._running:
            self._set_timer(min(item.ends_at_s for item in self._running))


class Deadline:
    """Be the block that has to end in time; `passed` says that it did not."""

    __slots__ = ("_cancelling", "_deadlines", "_task", "ends_at_s", "passed")

    _task: asyncio.Task[Any]
    _cancelling: int

    def __init__(self, deadlines: Deadlines, ends_at_s: float) -> None:
        self._deadlines = deadlines
        self.ends_at_s = ends_at_s  # on the loop's clock
        self.passed = False

    def __enter__(self) -> Self:
        """Begin, in the task that is to be cancelled."""
        task = asyncio.current_task()
        assert task is not None  # a block that is awaited in is in one
        self._task, self._cancelling = task, task.cancelling()
        self._deadlines.begin(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End; raises TimeoutError where the cancellation was this one's."""
        self._deadlines.end(self)
        ours = self.passed and self._task.uncancel() <= self._cancelling
        if ours and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        """Cancel what is awaited, as the time is over."""
        self.passed = True
        self._task.cancel()
