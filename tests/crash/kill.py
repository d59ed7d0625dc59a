"""
Kill a server at every named point of every act, and judge what the next life finds.

The points are not listed anywhere: `record` walks through every act once and writes down what
is passed. A case is an act, a point and how often it was passed before.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from polyvalent.db.lease import LEASE_S
from polyvalent.instances.model import Instance
from polyvalent.sandbox.magento import RunningStore
from tests.crash.acts import (
    ACTS,
    Scene,
    answered,
    authorize,
    is_working,
    new_scene,
    start_over,
    write,
)
from tests.crash.judge import Kept, Keys, look
from tests.crash.keeper import ROOT, Died, Keeper

MARK = re.compile(r'\bmark\(\s*"([\w.]+)"')
# Packages whose points lie in turns of jobs; tests/jobs and others kill there.
DURABLE = frozenset({"jobs", "bulk", "events", "notifications"})
# Past these the work is in the database, whatever else happens.
COMMITTED = re.compile(r"\.(after_commit|committed)$")


@dataclass(frozen=True, kw_only=True)
class Case:
    """Name one death: during which act, at which point, at which passing of it."""

    act: str
    point: str
    nth: int

    def __str__(self) -> str:
        """Show the case: "create at provision.inserted"."""
        again = f" (passing {self.nth})" if self.nth > 1 else ""
        return f"{self.act} at {self.point}{again}"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Hold what a run without deaths passed, and what a complete configuration consists of."""

    cases: tuple[Case, ...]
    complete: Keys

    @property
    def points(self) -> frozenset[str]:
        """Return the points by name."""
        return frozenset(case.point for case in self.cases)


def named_points() -> frozenset[str]:
    """Return every point that the source names, but those of durable work, which has own tests."""
    return frozenset(
        point
        for folder in (ROOT / "src" / "polyvalent").iterdir()
        if folder.is_dir() and folder.name not in DURABLE
        for point in points_of(folder)
    )


def points_of(folder: Path) -> frozenset[str]:
    """Return the points that the modules of a folder name."""
    files = folder.rglob("*.py")
    return frozenset(point for file in files for point in MARK.findall(file.read_text("utf-8")))


def record(keeper: Keeper, shop: RunningStore) -> Recording:
    """Walk through every act without a death; the server must not run before and runs not after."""
    cases = []
    complete: Keys = frozenset()
    keeper.disarm()
    keeper.start()
    for act in ACTS:
        scene = new_scene(keeper, shop)
        act.prepare(scene)
        keeper.forget()
        answered(act.perform(scene))
        passed: Counter[str] = Counter()
        for point in keeper.passed():
            passed[point] += 1
            cases.append(Case(act=act.name, point=point, nth=passed[point]))
        if act.name == "create":
            kept = look(keeper.url, keeper.key_path)
            complete = frozenset(kept.instances[max(kept.instances)].configuration)
    keeper.kill()
    return Recording(cases=tuple(cases), complete=complete)


def suffer(case: Case, *, keeper: Keeper, shop: RunningStore, complete: Keys) -> list[str]:
    """
    Let the running server die as the case says, start it again and return all that is wrong.

    The server runs before and after.
    """
    act = next(act for act in ACTS if act.name == case.act)
    scene = new_scene(keeper, shop)
    act.prepare(scene)
    before = look(keeper.url, keeper.key_path, complete=complete)
    keeper.arm(case.point, nth=case.nth)
    try:
        reply = act.perform(scene)
    except Died:
        pass
    else:
        keeper.disarm()
        return [f"the server lived on and answered {reply.status}"]
    if (status := keeper.bury()) != -9 or keeper.passed()[-1] != case.point:
        return [f"the server ended with {status} after {keeper.passed()[-1]}"]
    keeper.disarm()
    keeper.start()
    after = look(keeper.url, keeper.key_path, complete=complete)
    return [*before.wrong, *after.wrong, *_judge(case, scene, before=before, after=after)]


def _judge(case: Case, scene: Scene, *, before: Kept, after: Kept) -> list[str]:
    is_done = bool(COMMITTED.search(case.point))
    own = scene.instance["id"] if scene.instance else None
    others = {key: kept for key, kept in before.instances.items() if key != own}
    wrong = [
        f"instance {key} is not what it was, though the act was not about it"
        for key, kept in others.items()
        if after.instances.get(key) != kept
    ]
    if case.act == "token":
        return [*wrong, *_judge_token(scene, before=before, after=after, is_done=is_done)]
    if case.act in ("create", "import"):
        return [*wrong, *_judge_creation(scene, before=before, after=after, is_done=is_done)]
    if case.act == "write":
        return [*wrong, *_unchanged(scene, before, after), *_judge_write(scene)]
    if case.act == "remove":
        return [*wrong, *_judge_removal(scene, before=before, after=after)]
    return [*wrong, *_judge_change(scene, before=before, after=after, is_done=is_done)]


def _judge_token(scene: Scene, *, before: Kept, after: Kept, is_done: bool) -> list[str]:
    wrong = []
    added = set(after.requests) - set(before.requests)
    if len(added) != int(is_done) or any(after.requests[token] for token in added):
        wrong.append(f"{len(added)} authorization requests were added")
    if after.instances != before.instances:
        wrong.append("an instance came or went")
    return [*wrong, *_start_over(scene)]


def _judge_creation(scene: Scene, *, before: Kept, after: Kept, is_done: bool) -> list[str]:
    wrong = []
    added = [after.instances[key] for key in set(after.instances) - set(before.instances)]
    if len(added) != int(is_done):
        wrong.append(f"{len(added)} instances were added")
    if scene.request_token and after.requests[scene.request_token] != is_done:
        wrong.append("the authorization's use and the instance disagree")
    for instance in added:
        listed = answered(scene.keeper.call("GET", "/instances", query={"searchText": scene.name}))
        if [(item["id"], item["token"]) for item in listed] != [(instance.id, instance.token)]:
            wrong.append("the caller cannot look up the instance whose answer was lost")
        if not is_working(scene, instance.token):
            wrong.append("the instance whose answer was lost does not work")
    return [*wrong, *_start_over(scene)]


def _judge_write(scene: Scene) -> list[str]:
    # What the dead server had for itself is free again after a few seconds.
    ends_at = time.monotonic() + 3 * LEASE_S
    while (reply := write(scene)).status == 409 and time.monotonic() < ends_at:
        time.sleep(0.2)
    wrong = []
    if reply.status != 200 or reply.content["sku"] != scene.body["sku"]:
        wrong.append(f"repeated, the write answers {reply}")
    if write(scene) != reply:
        wrong.append("repeated once more, the write answers something else")
    rows = scene.shop.store.products.rows.values()
    if (count := sum(row["sku"] == scene.body["sku"] for row in rows)) != 1:
        wrong.append(f"there are {count} rows instead of one")
    return wrong


# Of what is changed here, the one member that is kept sealed.
SIGNATURE_KEY = "event.notification.signature.key"


def _judge_removal(scene: Scene, *, before: Kept, after: Kept) -> list[str]:
    assert scene.instance
    # Both points lie before the commit.
    wrong = _unchanged(scene, before, after)
    if not is_working(scene, scene.instance["token"]):
        wrong.append("the instance that was to be deleted is there and does not work")
    answered(scene.keeper.call("DELETE", f"/instances/{scene.instance['id']}"))
    return [*wrong, *_start_over(scene)]


def _judge_change(scene: Scene, *, before: Kept, after: Kept, is_done: bool) -> list[str]:
    assert scene.instance
    own, token = scene.instance["id"], scene.instance["token"]
    if not is_done:
        wrong = _unchanged(scene, before, after)
    else:
        wrong = [
            f"{member} of the changed instance is {found!r} instead of {wanted!r}"
            for member, wanted, found in _differences(
                _expected(scene, before.instances[own]), after.instances[own]
            )
        ]
    found = scene.keeper.call("GET", "/instances", token=token)
    if found.status != 200 or after.instances[own].token != token:
        wrong.append("the element token is not the same")
    if "providerData" not in scene.body:
        if not is_working(scene, token):
            wrong.append("the instance does not work with its token")
        return wrong
    if after.requests[scene.request_token or ""] != is_done:
        wrong.append("the authorization's use and the instance disagree")
    if is_done and not is_working(scene, token):
        wrong.append("the newly authorized instance does not work")
    # The store forgot the old token when the merchant consented, so the instance may be deaf now;
    # the same authorization, started again, must heal it.
    scene.body = {"providerData": authorize(scene)}
    healed = scene.keeper.call("PUT", f"/instances/{own}", body=scene.body)
    if healed.status != 200 or not is_working(scene, token):
        wrong.append(f"authorizing it anew, started again, answers {healed}")
    return wrong


def _expected(scene: Scene, before: Instance) -> Instance:
    configuration = {**before.configuration, **scene.body.get("configuration", {})}
    if "providerData" in scene.body:
        granted = scene.merchant.token
        assert granted
        assert granted.is_access
        configuration |= {
            "oauth.user.token": granted.token,
            "oauth.user.token.secret": granted.secret,
        }
    return replace(
        before,
        name=scene.body["name"],
        tags=tuple(scene.body.get("tags", before.tags)),
        trace_logging_enabled=scene.body.get("traceLoggingEnabled", before.trace_logging_enabled),
        configuration=configuration,
        sealed=before.sealed | ({SIGNATURE_KEY} & configuration.keys()),
    )


def _differences(wanted: Instance, found: Instance) -> list[tuple[str, object, object]]:
    grown = {"updated_at", "version"}
    return [
        (name, getattr(wanted, name), getattr(found, name))
        for name in wanted.__dataclass_fields__
        if name not in grown and getattr(wanted, name) != getattr(found, name)
    ]


def _unchanged(scene: Scene, before: Kept, after: Kept) -> list[str]:
    assert scene.instance
    own = scene.instance["id"]
    return (
        []
        if after.instances.get(own) == before.instances[own]
        else [f"instance {own} is not in its old state"]
    )


def _start_over(scene: Scene) -> list[str]:
    scene.name += " once more"
    instance = start_over(scene)
    return [] if is_working(scene, instance["token"]) else ["started over, it does not work"]


def data_folder(folder: Path, number: int) -> Path:
    """Return the folder of one of several servers."""
    return folder / f"server-{number}"
