"""Hold one turn of a job: what the handler works with, and the one way to save."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from polyvalent.db import Connection
from polyvalent.db.key_file import KeyFile
from polyvalent.jobs import sql
from polyvalent.jobs.model import Job, Superseded
from polyvalent.vault import Random

# After so long others that wait are let before.
SLICE_S = 2.0


class _Kept:
    """Stand for what stays as it is."""


KEPT: Final = _Kept()


def never() -> bool:
    """Say no."""
    return False


@dataclass(kw_only=True)
class Turn:
    """
    Hold one turn of a job.

    `checkpoint` is what was saved last. `others_wait` and `closing` are asked by `should_yield`.
    """

    job: Job
    keys: KeyFile = field(repr=False)
    random: Random = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    clock: Callable[[], float] = field(repr=False)  # seconds, never back
    mark: Callable[[str], None] = field(repr=False)
    others_wait: Callable[[], bool] = field(default=never, repr=False)
    closing: Callable[[], bool] = field(default=never, repr=False)
    checkpoint: Any = field(init=False, repr=False)
    _began_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin where the job was saved last."""
        self.checkpoint = self.job.checkpoint
        self._began_s = self.clock()

    @property
    def should_yield(self) -> bool:
        """Say that the turn should end with `Again()` after its next save."""
        if self.closing():
            return True
        return self.clock() - self._began_s >= SLICE_S and self.others_wait()

    async def save(
        self,
        connection: Connection,
        *,
        checkpoint: Any = KEPT,
        progress: dict[str, Any] | None = None,
    ) -> None:
        """
        Save where the job is, together with what else the caller's transaction holds.

        `await turn.save(connection, checkpoint={"page": 7}, progress={"rows": 700})`; what is
        left out stays. Call it first in the transaction: it locks the job's row, and everything
        after it is this turn's alone.
        Raises Superseded if the job is another's by now; then nothing of the transaction counts.
        """
        if checkpoint is not KEPT:
            self.checkpoint = checkpoint
        saved = await sql.save(
            connection,
            self.keys,
            self.job,
            checkpoint=self.checkpoint,
            progress=progress,
            now=self.now(),
            random=self.random,
        )
        if not saved:
            raise Superseded
