"""Describe jobs: what is wanted, where it stands, what a turn of it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeAlias

# Long work, and work that is short and must not wait for it.
Queue: TypeAlias = Literal["bulk", "swift"]
QUEUES: tuple[Queue, ...] = ("bulk", "swift")


class JobState(StrEnum):
    """Name where a job stands; the last three are ends."""

    WAITING = "waiting"  # for its time
    QUEUED = "queued"  # with the engine, for a free worker
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        """Say whether nothing will happen any more."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Say in whose name a job works."""

    organization_id: int
    account_id: int
    user_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """
    Hold one job as it was read.

    `spec` says what to do and never changes, `checkpoint` how far it is, both JSON values.
    """

    id: int
    owner: Owner
    instance_id: int | None
    kind: str
    key: str | None
    queue: Queue
    partition: str
    state: JobState
    due_at: datetime
    run: int
    fence: int
    attempts: int  # that failed since something was last saved
    spec: dict[str, Any] = field(repr=False)
    checkpoint: Any = field(repr=False)
    progress: dict[str, Any]
    error: str | None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Done:
    """Say that a job has come to its end."""


@dataclass(frozen=True, slots=True)
class Again:
    """Say that a job wants another turn: at some moment, or at once."""

    due_at: datetime | None = None


Outcome: TypeAlias = Done | Again


class Superseded(Exception):
    """
    Tell a turn that the job is not its own any more: taken over, cancelled or deleted.

    Not to be caught by handlers: what was not saved is another's to do, or nobody's.
    """


class GiveUp(Exception):
    """End a job as failed at once, where trying again would not help; says why to its owner."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
