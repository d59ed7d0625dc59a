"""Any sequence of calls leaves instances as a simple model of them says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Stage

NAMES = st.sampled_from(["Shop", "<b>Shop</b>", "Fish & Chips", "Größe", "a" * 255, " x "])
TAGS = st.lists(st.sampled_from(["eu", "us", "a b", "ä"]), max_size=3)
CLEANED = {"<b>Shop</b>": "Shop", " x ": "x"}
METHODS = st.sampled_from(["PUT", "PATCH"])


def life(stage: Stage, application: Application) -> type[RuleBasedStateMachine]:
    """The machine for one platform."""

    class Life(RuleBasedStateMachine):
        instances: Bundle[int] = Bundle("instances")

        def __init__(self) -> None:
            super().__init__()
            self.model: dict[int, dict[str, Any]] = {}
            self.gone: list[dict[str, Any]] = []

        @rule(target=instances, name=NAMES, tags=TAGS)
        def create(self, name: str, tags: list[str]) -> int:
            issued = application.store.issue_token(admin=application.store.admin_user)
            obtained = {"oauth.user.token": issued.token, "oauth.user.token.secret": issued.secret}
            body = {
                "element": {"key": "magento"},
                "name": name,
                "tags": tags,
                "externalAuthentication": "initial",
                "configuration": {**application.configuration, **obtained},
            }
            created = stage.call("POST", "/instances", body=body)
            assert created.status == 200, created
            shown: dict[str, Any] = created.json()
            kept = CLEANED.get(name, name)
            assert shown["name"] == kept
            assert shown["tags"] == (list(dict.fromkeys(tags)) or [kept])
            assert shown["id"] not in {*self.model, *(item["id"] for item in self.gone)}
            self.model[shown["id"]] = shown
            return int(shown["id"])

        @rule(target=instances, number=consumes(instances), name=NAMES, method=METHODS)
        def rename(self, number: int, name: str, method: str) -> int:
            self.model[number]["name"] = CLEANED.get(name, name)
            self._same(stage.call(method, f"/instances/{number}", body={"name": name}), number)
            return number

        @rule(number=instances, tags=TAGS)
        def tag(self, number: int, tags: list[str]) -> None:
            if number in self.model:
                self.model[number]["tags"] = list(dict.fromkeys(tags))
                self._same(stage.call("PATCH", f"/instances/{number}", body={"tags": tags}), number)

        @rule(number=instances, value=st.sampled_from(["50", "100", "7"]))
        def configure(self, number: int, value: str) -> None:
            if number in self.model:
                self.model[number]["configuration"]["pagination.max"] = value
                body = {"configuration": {"pagination.max": value, "oauth.api.secret": "********"}}
                token = self.model[number]["token"]
                self._same(stage.call("PATCH", "/instances", body=body, element=token), number)

        @rule(number=instances, enabled=st.booleans())
        def switch(self, number: int, enabled: bool) -> None:
            if number in self.model:
                self.model[number]["disabled"] = not enabled
                path = f"/instances/{number}/enabled"
                assert stage.call("PUT" if enabled else "DELETE", path).status == 200

        @rule(number=consumes(instances))
        def delete(self, number: int) -> None:
            assert stage.call("DELETE", f"/instances/{number}").status == 200
            self.gone.append(self.model.pop(number))

        @rule(number=instances)
        def call(self, number: int) -> None:
            known = self.model[number]
            status = 403 if known["disabled"] else 200
            assert stage.call("GET", "/orders", element=known["token"]).status == status

        @invariant()
        def lists_what_there_is(self) -> None:
            listed = {row["id"]: row for row in stage.call("GET", "/instances").json()}
            assert {number: listed[number] for number in self.model} == self.model
            for item in self.gone:
                assert item["id"] not in listed

        def teardown(self) -> None:
            for number in self.model:
                assert stage.call("DELETE", f"/instances/{number}").status == 200
            for item in [*self.gone, *self.model.values()]:
                assert stage.call("GET", "/orders", element=item["token"]).status == 401

        def _same(self, reply: Any, number: int) -> None:
            assert reply.status == 200, reply
            assert reply.json() == self.model[number]

    return Life


@pytest.mark.parametrize("examples", [8])
def test_keeps_instances_as_the_calls_made_them(
    either: Stage, shop: RunningStore, examples: int
) -> None:
    before = either.rows()
    machine = life(either, Application(either, shop.store, shop.url))
    run(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert either.rows() == before
