"""One question is asked for all that want to know the same, and all go on together."""

from __future__ import annotations

import asyncio

import pytest

from polyvalent.db.questions import Questions
from polyvalent.errors import Unavailable


class Oracle:
    """Answer questions when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def ask(self) -> str:
        self.asked += 1
        return await self.answer


async def test_a_hundred_callers_cost_one_question_and_go_on_at_once():
    questions, oracle = Questions(), Oracle()
    turns: list[int] = []
    turn = 0

    async def wait() -> str:
        found = await questions.ask("a", oracle.ask)
        turns.append(turn)
        return found

    waiting = [asyncio.create_task(wait()) for _ in range(100)]
    await asyncio.sleep(0)
    oracle.answer.set_result("yes")
    while not all(task.done() for task in waiting):
        turn += 1
        await asyncio.sleep(0)

    assert oracle.asked == 1
    assert {task.result() for task in waiting} == {"yes"}
    assert len(set(turns)) == 1


async def test_other_questions_and_later_ones_are_asked_anew():
    questions, oracle = Questions(), Oracle()
    oracle.answer.set_result("yes")

    await asyncio.gather(questions.ask("a", oracle.ask), questions.ask("b", oracle.ask))
    await questions.ask("a", oracle.ask)

    assert oracle.asked == 3


async def test_all_that_wait_are_told_of_a_failure_and_the_next_one_asks_again():
    questions, oracle = Questions(), Oracle()
    oracle.answer.set_exception(Unavailable("The database does not answer."))
    told = await asyncio.gather(
        *(questions.ask("a", oracle.ask) for _ in range(3)), return_exceptions=True
    )
    assert [type(error) for error in told] == [Unavailable] * 3

    oracle.answer = asyncio.get_running_loop().create_future()
    oracle.answer.set_result("yes")
    assert await questions.ask("a", oracle.ask) == "yes"


async def test_who_gives_up_takes_the_answer_from_nobody():
    questions, oracle = Questions(), Oracle()
    impatient = asyncio.create_task(questions.ask("a", oracle.ask))
    patient = asyncio.create_task(questions.ask("a", oracle.ask))
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    oracle.answer.set_result("yes")

    assert await patient == "yes"
