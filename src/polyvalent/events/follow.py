"""
Let polling follow an instance's configuration, in the transaction that changes it.

The job that polls is there exactly while `event.notification.enabled` is true and
`event.vendor.type` is polling; so a change takes effect at once, and a deleted instance takes its
job along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from polyvalent.catalog.element import Element
from polyvalent.db import Connection
from polyvalent.db.key_file import KeyFile
from polyvalent.errors import BadRequest
from polyvalent.events import sql
from polyvalent.events.poll_configuration import find_polled
from polyvalent.events.work import POLL, SWEEP
from polyvalent.instances.model import Instance
from polyvalent.jobs.model import Owner
from polyvalent.jobs.submit import Request, remove_by_key, submit
from polyvalent.notifications.subscribe import follow_instance
from polyvalent.vault import Random

SWEEP_EVERY = timedelta(hours=1)
_INTERVAL = "event.poller.refresh_interval"
_LONGEST_MINUTES = 365 * 24 * 60


def has_events(configuration: Mapping[str, str | None]) -> bool:
    """Say whether an instance reports changes at all."""
    return configuration.get("event.notification.enabled") == "true"


def is_polled(configuration: Mapping[str, str | None]) -> bool:
    """Say whether the changes of an instance are asked for."""
    return has_events(configuration) and configuration.get("event.vendor.type") == "polling"


def read_interval(configuration: Mapping[str, str | None]) -> timedelta:
    """Read how often an instance is polled; raises BadRequest for less than a minute."""
    text = (configuration.get(_INTERVAL) or "15").strip()
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 1 <= minutes <= _LONGEST_MINUTES:
        raise BadRequest(f"{_INTERVAL} must be a number of minutes, 1 or more, not {text[:40]!r}.")
    return timedelta(minutes=minutes)


def foresee_events(element: Element, configuration: Mapping[str, str | None]) -> None:
    """Raise BadRequest where an instance is to be polled and cannot be as it is configured."""
    if is_polled(configuration):
        read_interval(configuration)
        find_polled(configuration, element)


async def follow_events(
    connection: Connection,
    instance: Instance,
    element: Element,
    *,
    keys: KeyFile,
    now: Callable[[], datetime],
    random: Random,
) -> None:
    """
    Begin, change or end what follows from an instance's configuration of events.

    Raises BadRequest where it cannot be polled as configured; then the change does not count.
    """
    configuration = instance.configuration
    owner = Owner(
        organization_id=instance.organization_id,
        account_id=instance.account_id,
        user_id=instance.user_id,
    )
    moment, key = now(), f"{POLL}/{instance.id}"
    wanted = []
    # Also of an instance without events: what waits may lead elsewhere, or nowhere any more.
    await follow_instance(connection, keys, instance, now=moment, random=random)
    if has_events(configuration):
        wanted.append(
            Request(
                kind=SWEEP,
                owner=owner,
                spec={},
                due_at=moment + SWEEP_EVERY,
                queue="swift",
                key=SWEEP,
            )
        )
    foresee_events(element, configuration)
    if is_polled(configuration):
        wanted.append(
            Request(
                kind=POLL,
                owner=owner,
                spec={},
                due_at=moment,
                queue="swift",
                instance_id=instance.id,
                key=key,
                # A long read must not hold up what else is swift.
                partition=key,
            )
        )
    elif await remove_by_key(connection, key):
        await sql.forget_polls(connection, instance.id)
    for request in wanted:
        await submit(connection, keys, request, now=moment, random=random)
