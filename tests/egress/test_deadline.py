"""Blocks end in time, all of them watched by one timer, and only they end."""

import asyncio

import pytest

from polyvalent.egress.deadline import Deadlines

SHORT_S, LONG_S = 0.05, 30.0


async def outcome(deadlines: Deadlines, *, within_s: float, work_s: float) -> str:
    deadline = deadlines.within(within_s)
    try:
        with deadline:
            await asyncio.sleep(work_s)
    except TimeoutError:
        return "late" if deadline.passed else "another's"
    return "done"


async def test_it_lets_work_end_that_is_in_time():
    deadlines = Deadlines()

    assert await outcome(deadlines, within_s=LONG_S, work_s=0) == "done"
    assert asyncio.current_task().cancelling() == 0


async def test_it_ends_work_that_takes_too_long():
    began_s = asyncio.get_running_loop().time()

    assert await outcome(Deadlines(), within_s=SHORT_S, work_s=LONG_S) == "late"
    assert asyncio.get_running_loop().time() - began_s >= SHORT_S - 0.002
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.parametrize("order", [(SHORT_S, LONG_S, SHORT_S * 2), (LONG_S, SHORT_S * 2, SHORT_S)])
async def test_it_ends_each_at_its_own_time(order):
    deadlines = Deadlines()

    async with asyncio.timeout(5):
        ended = await asyncio.gather(
            *(outcome(deadlines, within_s=each, work_s=0.5) for each in order)
        )

    assert ended == ["done" if each == LONG_S else "late" for each in order]


async def test_it_still_watches_when_others_have_ended_before():
    deadlines = Deadlines()
    # The timer is set for the first, which is gone when it rings.
    assert await outcome(deadlines, within_s=SHORT_S, work_s=0) == "done"
    await asyncio.sleep(SHORT_S / 2)

    assert await outcome(deadlines, within_s=SHORT_S, work_s=LONG_S) == "late"


async def test_a_cancellation_from_elsewhere_passes():
    task = asyncio.create_task(outcome(Deadlines(), within_s=LONG_S, work_s=LONG_S))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_at_the_same_time_goes_before_the_deadline():
    deadlines = Deadlines()
    deadline = deadlines.within(LONG_S)

    async def work():
        with deadline:
            await asyncio.sleep(LONG_S)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    deadline.expire()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_passes_as_it_is():
    with pytest.raises(LookupError), Deadlines().within(LONG_S):
        raise LookupError


async def test_the_inner_of_two_ends_alone():
    deadlines = Deadlines()

    with deadlines.within(LONG_S) as outer:
        assert await outcome(deadlines, within_s=SHORT_S, work_s=LONG_S) == "late"
        await asyncio.sleep(0)

    assert not outer.passed


async def test_a_timeout_of_the_work_is_not_the_deadlines():
    deadline = Deadlines().within(LONG_S)

    with pytest.raises(TimeoutError), deadline:
        async with asyncio.timeout(SHORT_S):
            await asyncio.sleep(LONG_S)

    assert not deadline.passed
