"""Delete events and changes that are kept no longer."""

from __future__ import annotations

from polyvalent.events import sql
from polyvalent.events.follow import SWEEP_EVERY
from polyvalent.events.work import EventWork
from polyvalent.jobs.model import Again, Outcome
from polyvalent.jobs.turn import Turn

_AT_ONCE = 1000


async def sweep_events(work: EventWork, turn: Turn) -> Outcome:
    """Delete what is kept no longer, and come again in an hour. Effects: deletes rows."""
    before = turn.now() - work.kept_for
    while True:
        async with work.access.ports.database.transaction() as connection:
            await turn.save(connection)
            found = await sql.forget_before(connection, before, limit=_AT_ONCE)
        if found < _AT_ONCE:
            return Again(turn.now() + SWEEP_EVERY)
        if turn.should_yield:
            return Again()
