"""
Kill a server at moments that nobody named: while several callers work, and in its first start.

What a caller has been answered must be there in the next life; what it has not been answered
may be there or not, but whole.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from polyvalent.sandbox.magento import RunningStore
from tests.crash.acts import Scene, answered, is_working, new_scene, start_over
from tests.crash.judge import Keys, look
from tests.crash.keeper import Died, Keeper

CALLERS = 4


@dataclass(kw_only=True)
class Diary:
    """Hold what callers were answered: instances that must be there, and ids that must not."""

    promised: dict[int, Scene] = field(default_factory=dict)
    renamed: dict[int, str] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    unsure: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


def work(keeper: Keeper, shop: RunningStore, diary: Diary) -> None:
    """Create, rename and delete instances until the server dies."""
    try:
        while True:
            scene = new_scene(keeper, shop)
            created = start_over(scene)
            own = created["id"]
            diary.promised[own] = scene
            diary.unsure.add(own)
            name = f"{scene.name} renamed"
            answered(keeper.call("PATCH", f"/instances/{own}", body={"name": name}))
            diary.renamed[own] = name
            if own % 3 == 0:
                answered(keeper.call("DELETE", f"/instances/{own}"))
                diary.deleted.add(own)
            diary.unsure.discard(own)
    except Died:
        pass
    except AssertionError as error:
        diary.faults.append(str(error))


def kill_at_work(
    keeper: Keeper, shop: RunningStore, *, complete: Keys, chance: random.Random
) -> list[str]:
    """
    Kill the running server while callers work, start it again and return all that is wrong.

    The server runs before and after.
    """
    diary = Diary()
    callers = [threading.Thread(target=work, args=(keeper, shop, diary)) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    time.sleep(chance.uniform(0.05, 0.7))
    assert keeper.running
    os.kill(keeper.running["pid"], signal.SIGKILL)
    for caller in callers:
        caller.join()
    keeper.bury()
    keeper.start()
    kept = look(keeper.url, keeper.key_path, complete=complete)
    wrong = [*diary.faults, *kept.wrong]
    for own, scene in diary.promised.items():
        if own in diary.deleted:
            if own in kept.instances:
                wrong.append(f"instance {own} was deleted and is back")
            continue
        if own not in kept.instances:
            if own not in diary.unsure:
                wrong.append(f"instance {own} was answered and is gone")
            continue
        assert scene.instance
        found = kept.instances[own]
        if found.token != scene.instance["token"] or not is_working(scene, found.token):
            wrong.append(f"instance {own} does not work with the token that was answered")
        if own in diary.renamed and found.name != diary.renamed[own]:
            wrong.append(f"instance {own} has forgotten its new name")
    return wrong


def kill_in_first_start(
    make_keeper: Callable[[], Keeper], shop: RunningStore, *, delay_s: float
) -> list[str]:
    """Kill a server `delay_s` into its first start, then let it start and be used."""
    keeper = make_keeper()
    try:
        keeper.kill_while_starting(delay_s)
        keeper.start()
        scene = new_scene(keeper, shop)
        created = start_over(scene)
        wrong = list(look(keeper.url, keeper.key_path).wrong)
        if not is_working(scene, created["token"]):
            wrong.append("the first instance does not work")
        return wrong
    except AssertionError as error:
        return [str(error)]
    finally:
        keeper.close()
