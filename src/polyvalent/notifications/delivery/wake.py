"""Wake the job that delivers to a subscription, and plan the one that forgets."""

from __future__ import annotations

from datetime import datetime, timedelta

from polyvalent.db import Connection
from polyvalent.db.key_file import KeyFile
from polyvalent.jobs.model import Owner as JobOwner
from polyvalent.jobs.submit import Request, submit
from polyvalent.notifications.model import Subscription
from polyvalent.vault import Random

DELIVER = "deliver"
SWEEP = "notifications.sweep"
SWEEP_EVERY = timedelta(days=1)


async def wake_delivery(
    connection: Connection, keys: KeyFile, item: Subscription, *, now: datetime, random: Random
) -> None:
    """Let the deliveries of a subscription be made now."""
    wanted = Request(
        kind=DELIVER,
        key=f"{DELIVER}/{item.id}",
        owner=JobOwner(
            organization_id=item.owner.organization_id,
            account_id=item.owner.account_id,
            user_id=item.user_id,
        ),
        instance_id=item.owner.instance_id,
        spec={"subscription": item.id},
        due_at=now,
        queue="swift",
        # A slow receiver must not hold up the polls of its instance.
        partition=f"{DELIVER}/{item.id}",
    )
    await submit(connection, keys, wanted, now=now, random=random)


async def plan_sweep(
    connection: Connection, keys: KeyFile, item: Subscription, *, now: datetime, random: Random
) -> None:
    """See to it that old notifications will be forgotten; there is one such job for all."""
    wanted = Request(
        kind=SWEEP,
        key=SWEEP,
        owner=JobOwner(
            organization_id=item.owner.organization_id,
            account_id=item.owner.account_id,
            user_id=item.user_id,
        ),
        spec={},
        due_at=now + SWEEP_EVERY,
        queue="swift",
    )
    await submit(connection, keys, wanted, now=now, random=random)
