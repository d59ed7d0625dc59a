"""Jobs are done once, to the end, with pauses, by one worker; on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from polyvalent.errors import BadRequest, VendorBusy, VendorFailure
from polyvalent.jobs import sql
from polyvalent.jobs.kind import Kind
from polyvalent.jobs.model import Again, Done, GiveUp, Job, JobState, Outcome, Superseded
from polyvalent.jobs.submit import cancel, remove_by_key
from polyvalent.jobs.turn import SLICE_S, Turn
from polyvalent.jobs.work import working
from tests.jobs.workshop import ask, look, now_utc, open_workshop, until, until_ended, until_state


async def test_it_goes_on_behind_what_was_saved_until_it_is_done(database_url: str, tmp_path: Path):
    seen: list[int] = []

    async def handle(turn: Turn) -> Outcome:
        reached = turn.checkpoint or 0
        if reached == 5:
            return Done()
        seen.append(reached)
        async with shop.database.transaction() as connection:
            await turn.save(connection, checkpoint=reached + 1, progress={"rows": reached + 1})
        return Again()

    async with open_workshop(
        database_url, tmp_path / "keys.json", [Kind(name="count", handle=handle)]
    ) as shop:
        job_id = await ask(shop, "count", spec={"secret": "s3cret-word"})
        async with working(shop):
            job = await until_ended(shop, job_id)

    assert job.state is JobState.DONE
    assert seen == [0, 1, 2, 3, 4]
    assert job.progress == {"rows": 5}
    assert job.finished_at is not None


async def test_it_repeats_a_failed_turn_after_a_pause_and_gives_up_after_some(
    database_url: str, tmp_path: Path
):
    tries: dict[str, int] = {}
    ended: list[tuple[str, JobState, str | None]] = []

    async def handle(turn: Turn) -> Outcome:
        name = turn.job.spec["name"]
        tries[name] = tries.get(name, 0) + 1
        match name:
            case "recovers" if tries[name] == 1:
                raise VendorFailure("The store broke.")
            case "hopeless":
                raise VendorFailure("The store broke.")
            case "refused":
                raise BadRequest("The object is unknown.")
            case "given up":
                raise GiveUp("The file is gone.")
            case "defect":
                raise ZeroDivisionError("a secret value")
        return Done()

    async def note(_connection: object, job: Job) -> None:
        ended.append((job.spec["name"], job.state, job.error))

    kind = Kind(name="try", handle=handle, attempts_max=2, ended=note)
    async with open_workshop(database_url, tmp_path / "keys.json", [kind]) as shop:
        names = ("recovers", "hopeless", "refused", "given up", "defect")
        ids = {name: await ask(shop, "try", spec={"name": name}) for name in names}
        async with working(shop):
            jobs = {name: await until_ended(shop, job_id) for name, job_id in ids.items()}

    assert tries == {"recovers": 2, "hopeless": 2, "refused": 1, "given up": 1, "defect": 2}
    assert jobs["recovers"].state is JobState.DONE
    assert {jobs[name].state for name in names[1:]} == {JobState.FAILED}
    assert jobs["hopeless"].error == "The store broke."
    assert jobs["given up"].error == "The file is gone."
    assert "secret" not in (jobs["defect"].error or "")
    assert sorted(name for name, _, _ in ended) == sorted(names)


async def test_a_kind_that_never_gives_up_goes_on_after_a_refusal(
    database_url: str, tmp_path: Path
):
    tries = 0

    async def handle(turn: Turn) -> Outcome:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise BadRequest("The object is unknown.")
        return Done()

    kind = Kind(name="try", handle=handle, attempts_max=None)
    async with open_workshop(database_url, tmp_path / "keys.json", [kind]) as shop:
        job_id = await ask(shop, "try")
        async with working(shop):
            job = await until_ended(shop, job_id)

    assert (job.state, tries) == (JobState.DONE, 2)


async def test_it_waits_for_its_time_and_for_busy_stores_without_counting_that(
    database_url: str, tmp_path: Path
):
    began: list[float] = []

    async def handle(turn: Turn) -> Outcome:
        began.append(turn.clock())
        if len(began) == 1:
            raise VendorBusy("The store wants to rest.", retry_after_s=1)
        if len(began) == 2:
            return Again(turn.now() + timedelta(seconds=1))
        return Done()

    kind = Kind(name="wait", handle=handle, attempts_max=1)
    async with open_workshop(database_url, tmp_path / "keys.json", [kind]) as shop:
        job_id = await ask(shop, "wait")
        async with working(shop):
            job = await until_ended(shop, job_id)

    assert job.state is JobState.DONE
    assert all(later - earlier >= 0.9 for earlier, later in pairwise(began))


async def test_it_can_be_cancelled_and_then_saves_nothing_more(database_url: str, tmp_path: Path):
    superseded = asyncio.Event()
    begun = asyncio.Event()

    async def handle(turn: Turn) -> Outcome:
        begun.set()
        while True:
            await asyncio.sleep(0.05)
            try:
                async with shop.database.transaction() as connection:
                    await turn.save(connection, checkpoint="more")
            except Superseded:
                superseded.set()
                raise

    async with open_workshop(
        database_url, tmp_path / "keys.json", [Kind(name="long", handle=handle)]
    ) as shop:
        job_id = await ask(shop, "long")
        async with working(shop):
            await asyncio.wait_for(begun.wait(), 20)
            async with shop.database.transaction() as connection:
                assert await cancel(connection, job_id, now=now_utc())
                assert not await cancel(connection, job_id, now=now_utc())
            await asyncio.wait_for(superseded.wait(), 20)
        assert (await look(shop.database, shop.keys, job_id)).state is JobState.CANCELLED


async def test_it_does_jobs_of_one_partition_one_after_the_other(database_url: str, tmp_path: Path):
    at_work: list[str] = []
    most: dict[str, int] = {}

    async def handle(turn: Turn) -> Outcome:
        partition = turn.job.partition
        at_work.append(partition)
        most["all"] = max(most.get("all", 0), len(at_work))
        most[partition] = max(most.get(partition, 0), at_work.count(partition))
        await asyncio.sleep(0.4)
        at_work.remove(partition)
        return Done()

    async with open_workshop(
        database_url, tmp_path / "keys.json", [Kind(name="one", handle=handle)]
    ) as shop:
        ids = [await ask(shop, "one", partition=name) for name in ("a", "a", "b", "b")]
        async with working(shop):
            for job_id in ids:
                await until_ended(shop, job_id)

    assert most == {"all": 2, "a": 1, "b": 1}


async def test_it_makes_room_for_others_that_wait(database_url: str, tmp_path: Path):
    yielded = 0

    async def handle(turn: Turn) -> Outcome:
        nonlocal yielded
        if turn.job.spec["size"] == "small":
            return Done()
        while True:
            await asyncio.sleep(0.05)
            async with shop.database.transaction() as connection:
                await turn.save(connection, checkpoint=0)
            if turn.should_yield:
                yielded += 1
                return Again()

    async with open_workshop(
        database_url, tmp_path / "keys.json", [Kind(name="any", handle=handle)], at_once=1
    ) as shop:
        big = await ask(shop, "any", spec={"size": "big"})
        async with working(shop):
            await until_state(shop, big, JobState.RUNNING)
            await asyncio.sleep(SLICE_S + 0.3)
            assert yielded == 0  # nobody waits, so it works on
            small = await ask(shop, "any", spec={"size": "small"})
            await until_ended(shop, small, within_s=SLICE_S + 18)  # on a busy machine

    assert yielded >= 1


async def test_it_hands_back_what_it_works_on_when_it_ends(database_url: str, tmp_path: Path):
    begun = asyncio.Event()

    async def handle(turn: Turn) -> Outcome:
        begun.set()

        async def told() -> bool:
            return turn.should_yield

        await until(told)
        async with shop.database.transaction() as connection:
            await turn.save(connection, checkpoint="half")
        return Again()

    async with open_workshop(
        database_url, tmp_path / "keys.json", [Kind(name="half", handle=handle)]
    ) as shop:
        job_id = await ask(shop, "half")
        async with working(shop):
            await asyncio.wait_for(begun.wait(), 20)
        job = await look(shop.database, shop.keys, job_id)

    assert (job.state, job.checkpoint) == (JobState.WAITING, "half")


async def test_a_job_that_is_woken_while_it_is_at_work_has_another_turn(
    database_url: str, tmp_path: Path
):
    looked, go_on = asyncio.Event(), asyncio.Event()
    turns = 0

    async def handle(turn: Turn) -> Outcome:
        nonlocal turns
        turns += 1
        looked.set()
        await go_on.wait()
        return Done()

    async with open_workshop(
        database_url, tmp_path / "keys.json", [Kind(name="post", handle=handle)]
    ) as shop:
        job_id = await ask(shop, "post", key="post/1")
        async with working(shop):
            await asyncio.wait_for(looked.wait(), 20)
            # It has looked already, and does not know of what comes now.
            assert await ask(shop, "post", key="post/1") == job_id
            go_on.set()

            async def twice() -> bool:
                return turns == 2

            await until(twice)
            job = await until_ended(shop, job_id)

    assert job.state is JobState.DONE


async def test_it_begins_anew_what_the_engine_has_lost(database_url: str, tmp_path: Path):
    async def handle(turn: Turn) -> Outcome:
        return Done()

    async with open_workshop(
        database_url, tmp_path / "keys.json", [Kind(name="lost", handle=handle)]
    ) as shop:
        job_id = await ask(shop, "lost")
        long_ago = now_utc() - timedelta(minutes=1)
        async with shop.database.transaction() as connection:
            await sql.mark_queued(connection, [(job_id, 1)], now=long_ago)
        async with working(shop):
            job = await until_ended(shop, job_id)

    assert job.state is JobState.DONE


async def test_it_has_one_job_of_a_key_and_begins_an_ended_one_again(
    database_url: str, tmp_path: Path
):
    turns = 0

    async def handle(turn: Turn) -> Outcome:
        nonlocal turns
        turns += 1
        return Done()

    async with open_workshop(
        database_url, tmp_path / "keys.json", [Kind(name="poll", handle=handle)]
    ) as shop:
        later = now_utc() + timedelta(hours=1)
        first = await ask(shop, "poll", key="poll/7", due_at=later)
        assert await ask(shop, "poll", key="poll/7") == first
        async with working(shop, lazily=True):
            await until_ended(shop, first)
            assert await ask(shop, "poll", key="poll/7") == first
            await until_state(shop, first, JobState.DONE)

            async def twice() -> bool:
                return turns == 2

            await until(twice)
        async with shop.database.transaction() as connection:
            assert await remove_by_key(connection, "poll/7")
            assert not await remove_by_key(connection, "poll/7")
