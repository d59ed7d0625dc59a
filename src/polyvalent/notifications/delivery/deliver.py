"""
Deliver what waits for one subscription: the handler of its job.

Many objects beside one another, each object's notifications one after the other, and what came of
them saved at once. A worker that dies in between delivers those again, under the same id. A
receiver that nobody reaches is asked by one notification at a time, and less and less often, until
it takes one; so a long outage costs few attempts, and none of those that wait uses its own up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from polyvalent.accounts.settings import fails_into_queue, read_account_settings
from polyvalent.errors import NotFound
from polyvalent.instances.find import find_for_job
from polyvalent.instances.model import Configuration
from polyvalent.instances.ports import Ports
from polyvalent.jobs.kind import Kind
from polyvalent.jobs.model import Again, Done, Outcome
from polyvalent.jobs.turn import Turn
from polyvalent.notifications import sql as told_sql
from polyvalent.notifications.delivery import sql
from polyvalent.notifications.delivery.attempt import Attempt, DeliveryWork, make_attempt
from polyvalent.notifications.delivery.backoff import pause_after, rest_after
from polyvalent.notifications.delivery.lines import Lines
from polyvalent.notifications.delivery.wake import DELIVER, SWEEP, SWEEP_EVERY
from polyvalent.notifications.model import Delivery, DeliveryStatus, Notification, Subscription

HEADS_MAX = 32  # deliveries of one step that wait behind none
STEP_MAX = 256  # and with those about the same that come after them
AT_ONCE = 8
# Nothing more is begun in a step after so long, so that a worker that dies repeats little.
STEP_S = 2.0
# So many steps in a row without anybody there are an outage.
OUTAGE = 2
# Delivered notifications are forgotten after this.
KEPT = timedelta(days=30)

_Attempts: TypeAlias = list[tuple[Delivery, Attempt]]


def deliver_kind(work: DeliveryWork) -> Kind:
    """Make the kind of jobs that deliver."""

    async def handle(turn: Turn) -> Outcome:
        return await _deliver(work, turn)

    # What fails is a delivery, never the job.
    return Kind(name=DELIVER, handle=handle, attempts_max=None)


def sweep_kind(work: DeliveryWork) -> Kind:
    """Make the kind of jobs that forget old notifications, once a day."""

    async def handle(turn: Turn) -> Outcome:
        async with work.ports.database.transaction() as connection:
            await turn.save(connection)
            await told_sql.forget_notifications(connection, before=turn.now() - KEPT)
        return Again(turn.now() + SWEEP_EVERY)

    return Kind(name=SWEEP, handle=handle, attempts_max=None)


@dataclass(kw_only=True, slots=True)
class _Progress:
    """Hold what people may watch: what has arrived, and whether the receiver is left alone."""

    delivered: int = 0
    failing: int = 0  # steps in a row of which nothing arrived, because nobody was there
    rests_until: datetime | None = None

    @classmethod
    def read(cls, shown: dict[str, Any]) -> _Progress:
        until = shown.get("restsUntil")
        return cls(
            delivered=int(shown.get("delivered", 0)),
            failing=int(shown.get("failing", 0)),
            rests_until=None if until is None else datetime.fromisoformat(until),
        )

    def show(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"delivered": self.delivered}
        if self.failing:
            shown["failing"] = self.failing
        if self.rests_until is not None:
            shown["restsUntil"] = self.rests_until.isoformat()
        return shown

    def note(self, attempts: Iterable[Attempt], *, now: datetime) -> None:
        made = list(attempts)
        self.delivered += sum(one.arrived for one in made)
        self.rests_until = None
        if not all(one.absent for one in made):
            self.failing = 0
            return
        self.failing += 1
        asked_s = max((one.asked_s or 0.0 for one in made), default=0.0)
        rest = rest_after(self.failing, asked_s=asked_s)
        self.rests_until = now + rest if rest else None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """Hold what one step of a turn is about."""

    found: Subscription
    items: dict[int, Delivery]
    lines: Lines
    told: dict[int, Notification]
    queues: bool  # what fails waits for a person at once


async def _deliver(work: DeliveryWork, turn: Turn) -> Outcome:
    progress = _Progress.read(turn.job.progress)
    while True:
        if progress.rests_until is not None and progress.rests_until > turn.now():
            return Again(progress.rests_until)
        step = await _plan(work.ports, turn, probing=progress.failing > 0)
        if isinstance(step, Done | Again):
            return step
        attempts = await _send(work, turn, step)
        turn.mark("deliver.sent")
        rested = progress.failing >= OUTAGE
        progress.note((one for _, one in attempts), now=turn.now())
        back = rested and not progress.failing
        await _save(work, turn, step, attempts, progress=progress, back=back)
        turn.mark("deliver.saved")
        if turn.should_yield:
            return Again()


async def _plan(ports: Ports, turn: Turn, *, probing: bool) -> _Step | Done | Again:
    now = turn.now()
    async with ports.database.reading() as connection:
        found = await told_sql.find_subscription(
            connection, ports.keys, int(turn.job.spec["subscription"]), account_id=None
        )
        if found is None or not found.active:
            return Done()
        heads = await sql.list_heads(
            connection, subscription_id=found.id, now=now, limit=1 if probing else HEADS_MAX
        )
        if not heads:
            next_at = await sql.find_next_due(connection, subscription_id=found.id)
            return Done() if next_at is None else Again(max(next_at, now))
        followers: Sequence[Delivery] = ()
        if not probing:
            followers = await sql.list_followers(
                connection,
                subscription_id=found.id,
                heads=[item.id for item in heads],
                now=now,
                limit=STEP_MAX - len(heads),
            )
        items = {item.id: item for item in sorted((*heads, *followers), key=lambda one: one.id)}
        wanted = {item.notification_id for item in items.values()}
        settings = await read_account_settings(connection, found.owner.account_id)
        return _Step(
            found=found,
            items=items,
            lines=Lines(
                list(items),
                await sql.list_objects(connection, list(items)),
                await sql.list_blocked(connection, list(items)),
            ),
            told=await told_sql.find_notifications(connection, ports.keys, wanted),
            queues=fails_into_queue(settings),
        )


async def _send(work: DeliveryWork, turn: Turn, step: _Step) -> _Attempts:
    """Send what is in line, some beside each other; nothing more once nobody was there."""
    configuration = await _configuration(work.ports, step.found)
    ends_at_s = turn.clock() + STEP_S
    under_way: dict[asyncio.Task[Attempt], Delivery] = {}
    made: _Attempts = []

    def ends() -> bool:
        gone = not step.queues and any(one.absent for _, one in made)
        return gone or (bool(made) and (turn.clock() >= ends_at_s or turn.closing()))

    def begin_next() -> bool:
        if len(under_way) >= AT_ONCE or ends():
            return False
        taken = step.lines.take()
        if taken is None:
            return False
        item = step.items[taken]
        told = step.told[item.notification_id]
        attempt = make_attempt(work, step.found, told, configuration)
        under_way[asyncio.create_task(attempt)] = item
        return True

    try:
        while True:
            while begin_next():
                pass
            if not under_way:
                return made
            ended, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                item, attempt = under_way.pop(task), task.result()
                made.append((item, attempt))
                if attempt.arrived:
                    step.lines.note_arrived(item.id)
    finally:
        for task in under_way:
            task.cancel()


async def _save(
    work: DeliveryWork,
    turn: Turn,
    step: _Step,
    attempts: _Attempts,
    *,
    progress: _Progress,
    back: bool,
) -> None:
    now = turn.now()
    # One attempt found out that nobody is there; the others lose none by it.
    absent = () if step.queues else sorted(item.id for item, one in attempts if one.absent)
    settled = [
        _settle(item, one, queues=step.queues, now=now)
        for item, one in attempts
        if item.id not in absent[1:]
    ]
    given_up = any(item.status is DeliveryStatus.QUEUED for item in settled)
    async with work.ports.database.transaction() as connection:
        await turn.save(connection, progress=progress.show())
        await sql.settle(connection, settled, now=now)
        if back:
            # What failed while nobody was there need not wait for its own time any more.
            await sql.bring_forward(connection, subscription_id=step.found.id, now=now)
        if given_up and not step.queues:
            # For three days nobody was there: everything else is kept until somebody says go.
            await told_sql.switch_subscription(connection, step.found.id, active=False)
            await sql.queue_waiting(connection, subscription_id=step.found.id, now=now)
    for item in settled:
        work.note(item.status.value)


def _settle(item: Delivery, one: Attempt, *, queues: bool, now: datetime) -> sql.Settled:
    tried = item.attempts + 1
    pause = None if one.hopeless or queues else pause_after(tried)
    status, due_at = DeliveryStatus.QUEUED, item.due_at
    if one.arrived:
        status = DeliveryStatus.DELIVERED
    elif pause is not None:
        status, due_at = DeliveryStatus.RETRY, now + pause
    return sql.Settled(
        delivery_id=item.id,
        status=status,
        attempts=tried,
        due_at=due_at,
        answered=one.answered,
        message=one.message,
    )


async def _configuration(ports: Ports, found: Subscription) -> Configuration:
    # Read anew for each step: a changed callback URL moves what has not arrived yet along.
    if found.owner.instance_id is None:
        return {}
    try:
        return (await find_for_job(ports, found.owner.instance_id)).configuration
    except NotFound:
        return {}
