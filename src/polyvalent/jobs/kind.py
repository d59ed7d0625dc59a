"""Describe the kinds of jobs: what a turn of each does, and how patient it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from polyvalent.db import Connection
from polyvalent.jobs.model import Job, Outcome
from polyvalent.jobs.turn import Turn

Handler: TypeAlias = Callable[[Turn], Awaitable[Outcome]]
# Called in the transaction that ends a job by itself, as done or as failed, with the job as it is
# then; not for one that is cancelled, which is done by somebody who knows what belongs to it.
Ended: TypeAlias = Callable[[Connection, Job], Awaitable[None]]

ATTEMPTS_MAX = 8  # in a row: about four minutes


async def nothing_more(_connection: Connection, _job: Job) -> None:
    """Leave an ended job as it is."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """
    Say how jobs of one name are done.

    `handle` works on until it is done, has to wait, or `turn.should_yield`; it is called again
    with what it saved last. A failed turn is repeated after a pause, `attempts_max` times in a row,
    for ever if that is None; then the job has failed.
    """

    name: str
    handle: Handler
    attempts_max: int | None = ATTEMPTS_MAX
    ended: Ended = nothing_more


class Kinds(dict[str, Kind]):
    """Find kinds by their names."""

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        super().__init__((kind.name, kind) for kind in kinds)
