"""Common resources are listed, exported, imported and deleted."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.journeys.stage import Stage

_numbers = itertools.count(1)
ELEMENT = "/elements/magento"
IMPORT = "/vdrs/import"


@pytest.fixture
def name() -> str:
    """A name that no other test of the shared platform uses."""
    return f"shared{next(_numbers)}"


def define(stage: Stage, prefix: str, name: str, *paths: str) -> None:
    fields = [{"path": path, "type": "number"} for path in paths]
    path = f"{prefix}/objects/{name}/definitions"
    assert stage.call("POST", path, body={"fields": fields}).status == 200


def transform(stage: Stage, prefix: str, name: str, path: str, **members: Any) -> None:
    body = {"vendorName": "customers", "fields": [{"path": path, "vendorPath": f"v_{path}"}]}
    made = stage.call("POST", f"{prefix}{ELEMENT}/transformations/{name}", body={**body, **members})
    assert made.status == 200, made


def common(stage: Stage, name: str) -> Any:
    listed = stage.call("GET", "/common-resources").json()
    return next((item for item in listed if item["name"] == name), None)


def test_lists_fields_with_their_levels(either: Stage, name: str) -> None:
    define(either, "/organizations", name, "a", "b")
    define(either, "/accounts", name, "a", "c")
    assert common(either, name) == {
        "name": name,
        "fields": [
            {"path": path, "type": "number", "associatedLevel": level}
            for path, level in (
                ("a", "account"),
                ("c", "account"),
                ("a", "organization"),
                ("b", "organization"),
            )
        ],
    }
    system = common(either, "commerce-orders")
    assert system["description"]
    assert {field["associatedLevel"] for field in system["fields"]} == {"system"}


def test_deletes_an_object_with_its_transformations_when_forced(either: Stage, name: str) -> None:
    define(either, "/organizations", name, "a")
    define(either, "/accounts", name, "b")
    transform(either, "/accounts", name, "a")
    path = f"/common-resources/{name}"
    assert either.call("DELETE", path).status == 409
    assert common(either, name) is not None
    assert either.call("DELETE", path, query={"force": "true"}).json() == {}
    assert common(either, name) is None
    transformations = f"/organizations/objects/{name}/transformations"
    assert either.call("GET", transformations).json() == []
    assert either.call("DELETE", path, query={"force": "true"}).status == 404


def test_keeps_what_belongs_to_the_platform(stage: Stage) -> None:
    path = "/common-resources/commerce-orders"
    assert stage.call("DELETE", path, query={"force": "true"}).status == 403
    shown = stage.call("GET", f"{ELEMENT}/transformations", authorization="").json()
    assert set(shown) == {
        f"commerce-{of}" for of in ("customers", "inventory", "orders", "products")
    }
    assert shown["commerce-orders"]["level"] == "system"
    by_id = stage.call("GET", "/elements/356/transformations", query={"systemOnly": "true"})
    assert by_id.json() == shown
    assert stage.call("GET", "/elements/nothing/transformations").status == 404


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("objectName in ('commerce-orders','commerce-products')", 2),
        ("objectName = 'commerce-orders'", 1),
        ("objectname IN ( 'x' )", 0),
        ("objectName in ('it''s')", 0),
    ],
)
def test_lists_what_can_be_exported(stage: Stage, where: str, names: int) -> None:
    listed = stage.call("GET", "/vdrs", query={"where": where}).json()
    assert len(listed) == names
    assert all(set(item) == {"objectName"} for item in listed)


@pytest.mark.parametrize("where", ["objectName like 'a'", "name = 'a'", "objectName in ()", "'"])
def test_refuses_another_search(stage: Stage, where: str) -> None:
    assert stage.call("GET", "/vdrs", query={"where": where}).status == 400


def test_brings_an_export_back(either: Stage, name: str) -> None:
    define(either, "/organizations", name, "a", "b")
    define(either, "/accounts", name, "c")
    transform(either, "/organizations", name, "a", configuration=[{"type": "addToDocumentation"}])
    transform(
        either,
        "/accounts",
        name,
        "c",
        configuration=[{"type": "inherit"}],
        script={"body": "done();"},
    )
    export = either.call("GET", f"/vdrs/{name}/export").json()
    assert (export["vdrName"], export["vdrVersion"]) == (name, "v2")
    assert export["definition"]["createdDate"]
    assert [(f["path"], f["level"]) for f in export["definition"]["fields"]] == [
        ("c", "account"),
        ("a", "organization"),
        ("b", "organization"),
    ]
    made = export["transformation"]["magento"]
    assert [(f["path"], f["type"], f["level"]) for f in made["fields"]] == [
        ("a", "number", "organization"),
        ("c", "number", "account"),
    ]
    assert [(c["type"], c["level"]) for c in made["configuration"]] == [
        ("addToDocumentation", "organization"),
        ("inherit", "account"),
    ]
    places = [
        f"{prefix}{path}"
        for prefix in ("/organizations", "/accounts")
        for path in (f"/objects/{name}/definitions", f"{ELEMENT}/transformations/{name}")
    ]
    before = [either.call("GET", place).json() for place in places]
    force = {"force": "true"}
    assert either.call("DELETE", f"/common-resources/{name}", query=force).status == 200

    for _ in range(2):  # the second time everything is there already
        assert either.call("PUT", IMPORT, body=export).json() == [{"objectName": name}]
        after = [either.call("GET", place).json() for place in places]
        for item in (*before, *after):
            # An export says the types that a transformation takes from its definition.
            item.pop("startDate", None)
        assert after == before


def test_exports_what_belongs_to_the_platform(stage: Stage) -> None:
    export = stage.call("GET", "/vdrs/commerce-orders/export").json()
    assert export["transformation"]["magento"]["vendorName"] == "orders"
    assert stage.call("GET", "/vdrs/nothing/export").status == 404


def test_imports_the_first_version(either: Stage, name: str) -> None:
    body = {
        "objectDefinitions": {name: {"fields": [{"path": "a", "type": "number"}]}},
        "transformations": {
            "magento": {
                name: {
                    "vendorName": "customers",
                    "fields": [
                        {"path": "a", "vendorPath": "x", "type": "string"},
                        {"path": "gone", "vendorPath": "y"},
                    ],
                }
            },
            "elsewhere": {name: {"vendorName": "things", "fields": []}},
        },
    }
    done = either.call("PUT", IMPORT, body=body)
    assert done.json() == [{"objectName": name}]
    assert "elsewhere" in done.headers["elements-error"]
    shown = either.call("GET", f"/organizations{ELEMENT}/transformations/{name}").json()
    assert [(f["path"], f["type"]) for f in shown["fields"]] == [("a", "number")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"vdrName": "a b", "definition": {"fields": []}},
        {"vdrName": "imported"},
        {"vdrName": "imported", "definition": {"fields": 3}},
        {"vdrName": "imported", "definition": {"fields": [3]}},
        {"vdrName": "imported", "definition": {"fields": []}, "transformation": []},
        {"vdrName": "imported", "definition": {"fields": []}, "transformation": {"magento": 1}},
        {"objectDefinitions": []},
        {"transformations": {"magento": {"imported": {"vendorName": "a", "fields": []}}}},
        {"objectDefinitions": {str(number): {"fields": []} for number in range(501)}},
    ],
)
def test_refuses_a_document_that_is_no_export(stage: Stage, body: Any) -> None:
    refused = stage.call("PUT", IMPORT, body=body)
    assert refused.status == 400, refused
    assert common(stage, "imported") is None
