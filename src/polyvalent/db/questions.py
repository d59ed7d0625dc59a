"""Ask the database once for all that want to know the same at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

Found = TypeVar("Found")


@dataclass(slots=True)
class Questions:
    """
    Hold the questions that are under way in one process.

    Whoever waits for another's question goes on in the moment in which it is answered, all at
    once. Callers that wait for a lock instead wake one another in turn, each a turn of the loop
    later, and of a hundred calls on a busy loop the last one waits for seconds.
    """

    _asking: dict[Hashable, asyncio.Task[Any]] = field(default_factory=dict, repr=False)

    async def ask(
        self, about: Hashable, question: Callable[[], Coroutine[Any, Any, Found]]
    ) -> Found:
        """
        Ask, or wait for the answer if the same is being asked already.

        `about` names the question, with everything that its answer depends on: an answer may come
        from a question that was asked a moment before. Raises what the question raises, for all
        that wait. Who gives up waiting takes the answer away from nobody.
        """
        task = self._asking.get(about)
        if task is None:
            task = self._asking[about] = asyncio.create_task(question())
            task.add_done_callback(lambda done: self._end(about, done))
        return cast("Found", await asyncio.shield(task))

    def _end(self, about: Hashable, task: asyncio.Task[Any]) -> None:
        del self._asking[about]
        if not task.cancelled():
            task.exception()  # whoever waited was told, and if nobody did, nobody has to know
