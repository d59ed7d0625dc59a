"""Definitions and transformations stand at three levels and are read by all their paths."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Reply, Stage

_numbers = itertools.count(1000)  # of equal width: names sort as they were given
FIELDS = [{"path": "id", "type": "string"}, {"path": "name", "type": "string"}]
INHERIT = {"type": "inherit"}


def fresh_name() -> str:
    """A name that no other test of the shared platform uses."""
    return f"thing{next(_numbers)}"


def mapped(*paths: str, vendor_name: str = "customers", **members: Any) -> dict[str, Any]:
    fields = [{"path": path, "vendorPath": f"their_{path}"} for path in paths]
    return {"vendorName": vendor_name, "fields": fields, **members}


class Level:
    """One level's paths, with which calls are made."""

    def __init__(self, stage: Stage, name: str, instance: dict[str, Any], *, key: str) -> None:
        self.stage, self.name = stage, name
        self.token: str | None = None
        account = 1
        below = f"/elements/{key}"
        prefixes = {
            "organization": ("/organizations", below),
            "account": ("/accounts", below),
            "account by id": (f"/accounts/{account}", below),
            "instance": (f"/instances/{instance['id']}", ""),
            "instance by token": ("/instances", ""),
        }
        self.prefix, self.below = prefixes[name]
        if name == "instance by token":
            self.token = instance["token"]
        self.level = name.split(maxsplit=1)[0]

    def define(self, method: str, name: str, body: Any = None) -> Reply:
        path = f"{self.prefix}/objects/{name}/definitions"
        return self.stage.call(method, path, body=body, element=self.token)

    def transform(self, method: str, name: str, body: Any = None) -> Reply:
        path = f"{self.prefix}{self.below}/transformations/{name}"
        return self.stage.call(method, path, body=body, element=self.token)

    def listed(self, method: str = "GET") -> Reply:
        path = f"{self.prefix}{self.below}/transformations"
        return self.stage.call(method, path, element=self.token)

    def rename(self, name: str, new_name: str) -> Reply:
        body = {"objectName": new_name}
        return self.stage.call(
            "PATCH", f"{self.prefix}/objects/{name}", body=body, element=self.token
        )


@pytest.fixture
def instance(either: Stage, shop: RunningStore) -> dict[str, Any]:
    """An instance on either kind of database."""
    return Application(either, shop.store, shop.url).connect()


LEVELS = ("organization", "account", "account by id", "instance", "instance by token")


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest, either: Stage, instance: dict[str, Any]) -> Level:
    """Each level in turn, elements by key."""
    return Level(either, request.param, instance, key="magento")


def test_keeps_a_definition(level: Level) -> None:
    name = fresh_name()
    assert level.define("GET", name).status == 404
    assert level.define("PUT", name, {"fields": FIELDS}).status == 404
    assert level.define("DELETE", name).status == 404

    made = level.define("POST", name, {"fields": FIELDS})
    assert made.status == 200, made
    shown = [{**field, "level": level.level} for field in FIELDS]
    assert made.json() == {"objectName": name, "fields": shown, "level": level.level}
    assert level.define("GET", name).json() == made.json()
    assert level.define("POST", name, {"fields": FIELDS}).status == 409

    changed = level.define("PUT", name, {"fields": FIELDS[:1]})
    assert changed.json()["fields"] == shown[:1]
    assert level.define("GET", name).json() == changed.json()
    assert level.define("DELETE", name).json() == {}
    assert level.define("GET", name).status == 404


@pytest.mark.parametrize("key", ["magento", "356"])
@pytest.mark.parametrize("at", LEVELS)
def test_keeps_a_transformation(either: Stage, instance: dict[str, Any], at: str, key: str) -> None:
    name, level = fresh_name(), Level(either, at, instance, key=key)
    assert level.transform("POST", name, mapped("id")).status == 400
    assert level.define("POST", name, {"fields": FIELDS}).status == 200
    assert level.transform("GET", name).status == 404
    assert level.transform("PUT", name, mapped("id")).status == 404
    assert level.transform("DELETE", name).status == 404

    body = mapped(
        "id",
        isLegacy=False,
        level="nonsense",
        configuration=[
            {"type": "passThrough", "properties": {"fromVendor": False, "toVendor": False}}
        ],
        script=None,
    )
    made = level.transform("POST", name, body)
    assert made.status == 200, made
    shown = made.json()
    assert shown.pop("startDate")
    assert shown == {
        "objectName": name,
        "elementKey": "magento",
        "level": level.level,
        "vendorName": "customers",
        "isLegacy": False,
        "fields": [
            {"path": "id", "type": "string", "vendorPath": "their_id", "level": level.level}
        ],
        "configuration": [{**body["configuration"][0], "level": level.level}],
    }
    assert level.transform("GET", name).json() == made.json()
    assert level.transform("POST", name, body).status == 409
    assert level.listed().json()[name] == made.json()
    listed = either.call("GET", f"/organizations/objects/{name}/transformations").json()
    assert [(item["level"], item["element"]["key"]) for item in listed] == [
        (level.level, "magento")
    ]

    changed = level.transform("PUT", name, mapped("id", "name", configuration=None))
    assert [field["path"] for field in changed.json()["fields"]] == ["id", "name"]
    assert changed.json()["configuration"] == []
    assert level.define("DELETE", name).status == 409
    assert level.transform("DELETE", name).json() == {}
    assert level.transform("GET", name).status == 404
    assert level.define("DELETE", name).status == 200


def test_removes_all_transformations_of_an_instance(
    either: Stage, instance: dict[str, Any]
) -> None:
    level = Level(either, "instance", instance, key="magento")
    names = [fresh_name(), fresh_name()]
    for name in names:
        level.define("POST", name, {"fields": FIELDS})
        level.transform("POST", name, mapped("id"))
    assert list(level.listed().json()) == names
    assert level.listed("DELETE").json() == {}
    assert level.listed().json() == {}


def test_forgets_what_belonged_to_a_deleted_instance(
    either: Stage, instance: dict[str, Any]
) -> None:
    name, level = fresh_name(), Level(either, "instance", instance, key="magento")
    level.define("POST", name, {"fields": FIELDS})
    level.transform("POST", name, mapped("id"))
    assert either.call("DELETE", f"/instances/{instance['id']}").status == 200
    assert either.call("GET", f"/organizations/objects/{name}/transformations").json() == []
    assert level.transform("GET", name).status == 404


def test_merges_levels_that_inherit(either: Stage, instance: dict[str, Any]) -> None:
    name = fresh_name()
    at = {item: Level(either, item, instance, key="magento") for item in LEVELS}
    at["organization"].define("POST", name, {"fields": [{"path": "id", "type": "number"}]})
    at["account"].define("POST", name, {"fields": [{"path": "name", "type": "boolean"}]})
    at["organization"].transform("POST", name, mapped("id", "gone"))
    inherited = at["account"].transform(
        "POST", name, {"fields": mapped("name")["fields"], "configuration": [INHERIT]}
    )
    assert inherited.json()["vendorName"] == "customers"
    made = at["instance"].transform("POST", name, mapped("gone", configuration=[INHERIT]))

    assert [(f["path"], f["type"], f["level"]) for f in made.json()["fields"]] == [
        ("id", "number", "organization"),
        ("name", "boolean", "account"),
        ("gone", "string", "instance"),
    ]
    assert made.json()["configuration"] == [{"type": "inherit", "level": "instance"}]
    alone = at["instance"].transform("PUT", name, mapped("gone"))
    assert [field["path"] for field in alone.json()["fields"]] == ["gone"]
    above = at["account"].transform("GET", name).json()
    assert [field["path"] for field in above["fields"]] == ["id", "gone", "name"]


def test_lets_a_definition_go_while_another_level_has_one(
    either: Stage, instance: dict[str, Any]
) -> None:
    name = fresh_name()
    upper = Level(either, "organization", instance, key="magento")
    own = Level(either, "instance", instance, key="magento")
    upper.define("POST", name, {"fields": FIELDS})
    own.transform("POST", name, mapped("id"))
    refused = upper.define("DELETE", name)
    assert refused.status == 409
    assert "instance level" in refused.message
    own.define("POST", name, {"fields": FIELDS})
    assert upper.define("DELETE", name).status == 200
    assert own.define("DELETE", name).status == 409


def test_renames_at_one_level_only(either: Stage, instance: dict[str, Any]) -> None:
    name, new_name, taken = fresh_name(), fresh_name(), fresh_name()
    upper = Level(either, "organization", instance, key="magento")
    own = Level(either, "instance", instance, key="magento")
    for level in (upper, own):
        level.define("POST", name, {"fields": FIELDS})
        level.transform("POST", name, mapped("id"))
    own.define("POST", taken, {"fields": FIELDS})
    assert own.rename(name, taken).status == 409
    assert own.rename("nothing", new_name).status == 404
    assert own.rename(name, "a/b").status == 400
    assert own.rename(name, new_name).json()["objectName"] == new_name

    assert own.define("GET", name).status == own.transform("GET", name).status == 404
    assert own.transform("GET", new_name).json()["objectName"] == new_name
    assert upper.define("GET", name).status == upper.transform("GET", name).status == 200


def test_defines_many_at_once(own_stage: Stage) -> None:
    path = "/organizations/objects/definitions"
    assert own_stage.call("GET", path).json() == {}
    body = {"one": {"fields": FIELDS}, "two": {"fields": []}}
    made = own_stage.call("POST", path, body=body)
    assert list(made.json()) == ["one", "two"]
    assert own_stage.call("GET", path).json() == made.json()
    assert made.json()["one"]["level"] == "organization"
    # One is there already, so that none of these comes.
    again = own_stage.call("POST", path, body={"three": {"fields": []}, "one": {"fields": []}})
    assert again.status == 409
    assert list(own_stage.call("GET", path).json()) == ["one", "two"]

    system = own_stage.call("GET", path, query={"systemOnly": "true"}).json()
    assert system["commerce-orders"]["level"] == "system"
    transformation = "/organizations/elements/magento/transformations/one"
    own_stage.call("POST", transformation, body=mapped("id"))
    assert own_stage.call("DELETE", path).status == 409
    assert own_stage.call("DELETE", transformation).status == 200
    assert own_stage.call("DELETE", path).json() == {}
    assert own_stage.call("GET", path).json() == {}


def test_keeps_scripts_and_goes_only_forward_with_their_engine(
    either: Stage, instance: dict[str, Any]
) -> None:
    name, level = fresh_name(), Level(either, "account", instance, key="magento")
    level.define("POST", name, {"fields": FIELDS})
    script = {"body": "done(transformedObject);", "mimeType": "application/javascript"}
    made = level.transform("POST", name, mapped(script=script, isLegacy=True))
    assert made.json()["isLegacy"] is True
    assert made.json()["script"] == {**script, "filterEmptyResponse": False, "level": "account"}
    kept = level.transform("PUT", name, mapped(script=script))
    assert kept.json()["isLegacy"] is True
    ahead = level.transform("PUT", name, mapped(script=script, isLegacy=False))
    assert ahead.json()["isLegacy"] is False
    assert level.transform("PUT", name, mapped(isLegacy=True)).status == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"fields": "x"},
        {"fields": [{"type": "string"}]},
        {"fields": [{"path": "a["}]},
        {"fields": [{"path": 1}]},
        {"fields": [{"path": "a", "type": "x" * 300}]},
        {"fields": [{"path": "a"}] * 1001},
        [],
    ],
)
def test_refuses_a_body_that_is_no_definition(stage: Stage, body: Any) -> None:
    reply = stage.call("POST", "/organizations/objects/refused/definitions", body=body)
    assert reply.status == 400
    assert len(reply.message) < 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"fields": []},
        {"vendorName": 1},
        {"vendorName": "a", "fields": [{"path": "a"}]},
        {"vendorName": "a", "fields": [{"path": "a", "vendorPath": "b..c"}]},
        {"vendorName": "a", "fields": [{"path": "a.size()", "vendorPath": "b"}]},
        {"vendorName": "a", "configuration": [{"properties": {}}]},
        {"vendorName": "a", "scripts": [{"body": "1"}, {"body": "2"}]},
        {"vendorName": "a", "script": "x"},
        {"vendorName": "a", "scripts": 7},
    ],
)
def test_refuses_a_body_that_is_no_transformation(stage: Stage, body: Any) -> None:
    reply = stage.call(
        "POST", "/organizations/elements/magento/transformations/commerce-orders", body=body
    )
    assert reply.status == 400
    assert len(reply.message) < 400


@pytest.mark.parametrize("name", ["a%20b", "definitions", "a%3Fb", "%00", "x" * 200])
def test_refuses_a_name_that_no_path_can_hold(stage: Stage, name: str) -> None:
    body = {"fields": FIELDS}
    reply = stage.call("POST", f"/organizations/objects/{name}/definitions", body=body)
    assert reply.status == 400


def test_knows_no_level_of_strangers(stage: Stage) -> None:
    body = {"fields": FIELDS}
    for prefix in ("/accounts/999", "/instances/999999"):
        assert stage.call("POST", f"{prefix}/objects/a/definitions", body=body).status == 404
    assert stage.call("GET", "/instances/transformations").status == 401
    path = "/organizations/elements/nothing/transformations"
    assert stage.call("GET", path).status == 404
    assert stage.call("GET", "/organizations/objects/definitions", authorization="").status == 401


def test_a_transformation_that_maps_nothing_says_so_in_a_header(stage: Stage) -> None:
    name = fresh_name()
    level = Level(stage, "organization", {"id": 0}, key="magento")
    level.define("POST", name, {"fields": FIELDS})
    wrong = level.transform("POST", name, mapped("id", vendor_name="custmers"))
    right = {"vendorName": "customers", "fields": [{"path": "id", "vendorPath": "entity_id"}]}

    assert (wrong.status, wrong.headers["elements-error"]) == (
        200,
        "magento has no object 'custmers'; did you mean customers?",
    )
    assert "elements-error" not in level.transform("PUT", name, right).headers
