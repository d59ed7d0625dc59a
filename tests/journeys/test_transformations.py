"""An application maps a store's objects to its own, and reads common resources without mapping."""

from __future__ import annotations

import itertools
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from polyvalent.api.resources import READY_FOR_S
from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Reply, Stage, platform_on_stage

_numbers = itertools.count(1)
HUB = "/hubs/ecommerce"
STRICT = {"type": "passThrough", "properties": {"fromVendor": False, "toVendor": False}}
INHERIT = {"type": "inherit"}
FIELDS = [
    {"path": "id", "vendorPath": "entity_id", "type": "string"},
    {"path": "mail", "vendorPath": "email"},
    {"path": "person.last", "vendorPath": "lastname"},
]


class Shop:
    """The calls of an application to one connected store."""

    def __init__(self, application: Application) -> None:
        self.stage = application.stage
        self.instance = application.connect()
        self.id: int = self.instance["id"]
        self.token: str = self.instance["token"]

    def hub(self, method: str, path: str, body: Any = None, **query: Any) -> Reply:
        return self.stage.call(method, HUB + path, body=body, query=query, element=self.token)

    def rows(self, path: str, **query: Any) -> Any:
        reply = self.hub("GET", path, **query)
        assert reply.status == 200, reply
        return reply.json()

    def define(self, prefix: str, name: str, *paths: str) -> None:
        fields = [{"path": path, "type": "string"} for path in paths]
        path = f"{prefix}/objects/{name}/definitions"
        reply = self.stage.call("POST", path, body={"fields": fields}, element=self.token)
        assert reply.status == 200, reply

    def transform(self, method: str, prefix: str, name: str, body: Any = None) -> Reply:
        path = f"{prefix}/transformations/{name}"
        reply = self.stage.call(method, path, body=body, element=self.token)
        assert reply.status == 200, reply
        return reply


@pytest.fixture
def connected(either: Stage, shop: RunningStore) -> Shop:
    """A store that is connected to a platform on either kind of database."""
    return Shop(Application(either, shop.store, shop.url))


def fresh_name() -> str:
    return f"people{next(_numbers)}"


def body(*fields: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"vendorName": "customers", "fields": list(fields or FIELDS), **members}


@pytest.mark.parametrize(
    ("defining", "transforming"),
    [
        ("/organizations", "/organizations/elements/magento"),
        ("/organizations", "/organizations/elements/356"),
        ("/accounts", "/accounts/elements/magento"),
        ("/accounts/1", "/accounts/1/elements/356"),
        ("/instances/{id}", "/instances/{id}"),
        ("/instances", "/instances"),
    ],
)
def test_makes_an_object_a_resource_at_every_level(
    connected: Shop, defining: str, transforming: str
) -> None:
    name, shop = fresh_name(), connected
    at = transforming.replace("{id}", str(shop.id))
    shop.define(defining.replace("{id}", str(shop.id)), name, "id", "mail")
    unknown = shop.hub("GET", f"/{name}")
    assert unknown.status == 400
    assert name in unknown.message

    shop.transform("POST", at, name, body(configuration=[STRICT]))
    plain = shop.rows("/customers")
    rows = shop.rows(f"/{name}")
    assert rows == [
        {"id": str(row["id"]), "mail": row["email"], "person": {"last": row["lastname"]}}
        for row in plain
    ]
    assert shop.rows(f"/{name}/{rows[0]['id']}") == rows[0]
    # The hub's name means nothing, and a path without it works too.
    bare = shop.stage.call("GET", f"/{name}", element=shop.token)
    assert bare.json() == rows

    shop.transform("PUT", at, name, body(FIELDS[0], configuration=[STRICT]))
    assert shop.rows(f"/{name}") == [{"id": row["id"]} for row in rows]
    shop.transform("DELETE", at, name)
    assert shop.hub("GET", f"/{name}").status == 400


def test_lets_unmapped_fields_pass_unless_told_otherwise(connected: Shop) -> None:
    name, shop, at = fresh_name(), connected, f"/instances/{connected.id}"
    shop.define(at, name, "id", "mail")
    shop.transform("POST", at, name, body())
    plain, row = shop.rows("/customers")[0], shop.rows(f"/{name}")[0]
    mapped = {"id", "email", "lastname", "entity_id"}
    assert {key: value for key, value in row.items() if key not in ("mail", "person", "id")} == {
        key: value for key, value in plain.items() if key not in mapped
    }
    shop.transform("PUT", at, name, body(configuration=[STRICT]))
    assert shop.rows(f"/{name}")[0].keys() == {"id", "mail", "person"}


@pytest.mark.parametrize(
    "entry", [STRICT, {"type": "remove", "properties": {"fromVendor": True, "toVendor": False}}]
)
def test_leaves_out_a_field_that_is_removed(connected: Shop, entry: dict[str, Any]) -> None:
    name, shop, at = fresh_name(), connected, f"/instances/{connected.id}"
    shop.define(at, name, "id", "mail")
    shop.transform("POST", at, name, body(FIELDS[0], {**FIELDS[1], "configuration": [entry]}))
    row = shop.rows(f"/{name}")[0]
    assert "mail" not in row
    assert "email" not in row
    assert row["firstname"]


def test_adds_the_fields_of_levels_that_inherit(connected: Shop) -> None:
    name, shop = fresh_name(), connected
    shop.define("/organizations", name, "churrosId")
    shop.define("/accounts", name, "churrosName")
    shop.define("/instances", name, "churrosMod")
    shop.transform(
        "POST",
        "/organizations/elements/magento",
        name,
        body({"path": "churrosId", "vendorPath": "entity_id"}, configuration=[STRICT]),
    )
    assert [set(row) for row in shop.rows(f"/{name}")] == [{"churrosId"}] * 3
    shop.transform(
        "POST",
        "/accounts/elements/magento",
        name,
        body({"path": "churrosName", "vendorPath": "lastname"}, configuration=[INHERIT]),
    )
    assert set(shop.rows(f"/{name}")[0]) == {"churrosId", "churrosName"}
    shop.transform(
        "POST",
        "/instances",
        name,
        body({"path": "churrosMod", "vendorPath": "updated_at"}, configuration=[INHERIT]),
    )
    assert set(shop.rows(f"/{name}")[0]) == {"churrosId", "churrosName", "churrosMod"}
    shop.transform("PUT", "/instances", name, body(FIELDS[1], configuration=[STRICT]))
    assert set(shop.rows(f"/{name}")[0]) == {"mail"}


def test_asks_in_the_names_of_the_mapped_object(connected: Shop) -> None:
    name, shop, at = fresh_name(), connected, f"/instances/{connected.id}"
    shop.define(at, name, "id", "mail")
    shop.transform("POST", at, name, body(configuration=[STRICT]))
    first = shop.rows(f"/{name}")[0]
    assert shop.rows(f"/{name}", where=f"mail = '{first['mail']}'") == [first]
    assert shop.rows(f"/{name}", fields="mail")[0] == {"mail": first["mail"]}
    refused = shop.hub("GET", f"/{name}", where=f"email = '{first['mail']}'")
    assert refused.status == 400
    assert "email" in refused.message


def test_walks_the_pages_of_a_mapped_object(connected: Shop) -> None:
    whole = connected.rows("/commerce-products")
    read: list[Any] = []
    reply = connected.hub("GET", "/commerce-products", pageSize=7)
    while True:
        read += reply.json()
        token = reply.headers.get("elements-next-page-token")
        if token is None:
            break
        reply = connected.hub("GET", "/commerce-products", pageSize=7, nextPage=token)
    assert read == whole
    assert len({row["id"] for row in read}) == 20


def test_reads_common_resources_without_a_mapping(connected: Shop) -> None:
    shop = connected
    for name in ("products", "customers", "orders", "inventory"):
        rows, plain = shop.rows(f"/commerce-{name}"), shop.rows(f"/{name}")
        assert [row["id"] for row in rows] == [str(row["id"]) for row in plain]
        allowed = {
            field["path"].partition("[")[0].partition(".")[0]
            for field in _common(shop, f"commerce-{name}")
        }
        assert all(set(row) <= allowed for row in rows)
        # A collection and a single row write one moment alike, whatever the store does.
        single = shop.rows(f"/commerce-{name}/{rows[0]['id']}")
        for moment in ("createdAt", "updatedAt"):
            assert single.get(moment) == rows[0].get(moment)
            assert rows[0].get(moment, "0T0Z").endswith("Z")

    order = shop.rows("/commerce-orders")[0]
    assert order["currency"]
    assert "." in order["total"]
    assert order["billingAddress"]["city"]
    assert order["items"][0]["sku"]
    assert isinstance(order["items"][0]["quantity"], float)
    stock = shop.rows("/commerce-inventory")[0]
    assert isinstance(stock["quantity"], float)
    assert stock["inStock"] in (True, False)


def _common(shop: Shop, name: str) -> list[dict[str, Any]]:
    listed = shop.stage.call("GET", "/common-resources").json()
    fields: list[dict[str, Any]] = next(item["fields"] for item in listed if item["name"] == name)
    assert {field["associatedLevel"] for field in fields} == {"system"}
    return fields


def test_searches_common_resources_in_their_own_words(connected: Shop) -> None:
    shop = connected
    rows = shop.rows("/commerce-products")
    middle = sorted(row["createdAt"] for row in rows)[10]
    later = shop.rows("/commerce-products", where=f"createdAt > '{middle}'")
    assert later == [row for row in rows if row["createdAt"] > middle]
    enabled = shop.rows("/commerce-products", where="status = 'enabled'")
    assert enabled == [row for row in rows if row["status"] == "enabled"]
    assert enabled
    cheap = shop.rows("/commerce-products", where="price < 100 and visibility != 'none'")
    assert cheap == [
        row for row in rows if float(row.get("price", "inf")) < 100 and row["visibility"] != "none"
    ]
    ordered = shop.rows("/commerce-products", orderBy="sku desc", fields="sku")
    assert ordered == [{"sku": sku} for sku in sorted((row["sku"] for row in rows), reverse=True)]
    order = shop.rows("/commerce-orders", fields="id,billingAddress.city")[0]
    assert set(order) == {"id", "billingAddress"}
    assert set(order["billingAddress"]) == {"city"}
    for query in ({"where": "type_id = 'simple'"}, {"orderBy": "entity_id"}):
        refused = shop.hub("GET", "/commerce-products", **query)
        assert refused.status == 400, refused


def test_writes_through_a_mapping(connected: Shop) -> None:
    shop, sku = connected, fresh_name()
    made = shop.hub(
        "POST",
        "/commerce-products",
        {
            "sku": sku,
            "name": "A mug",
            "description": "Holds tea.",
            "shortDescription": "Mug",
            "type": "simple",
            "attributeSetId": "4",
            "status": "disabled",
            "visibility": "catalog",
            "price": "12.5000",
            "weight": "0.3",
            "taxClassId": "2",
            "specialPrice": "9.9",
            "specialPriceFrom": "2026-02-03",
            # No field of the object: goes to the store as it is.
            "meta_keyword": "mug",
        },
    )
    assert made.status == 200, made
    row = made.json()
    shown = {
        "sku": sku,
        "status": "disabled",
        "visibility": "catalog",
        "price": "12.5000",
        "specialPriceFrom": "2026-02-03",
    }
    assert {name: row[name] for name in shown} == shown
    plain = shop.rows(f"/products/{row['id']}")
    assert (plain["meta_keyword"], str(plain["status"])) == ("mug", "2")

    path = f"/commerce-products/{row['id']}"
    changed = shop.hub("PATCH", path, {"status": "enabled", "price": "13"})
    assert (changed.json()["status"], changed.json()["price"]) == ("enabled", "13.0000")
    assert shop.rows("/commerce-products", where=f"sku = '{sku}'")[0]["id"] == row["id"]
    assert shop.hub("DELETE", path).json() == {}
    assert shop.hub("GET", path).status == 404


def test_writes_numbers_and_flags_of_stock(connected: Shop) -> None:
    shop = connected
    stock = shop.rows("/commerce-inventory")[3]
    path = f"/commerce-inventory/{stock['id']}"
    done = shop.hub("PUT", path, {"quantity": 0, "inStock": False, "managed": True})
    assert done.status == 200, done
    after = shop.rows(path)
    assert (after["quantity"], after["inStock"], after["managed"]) == (0, False, True)


def test_passes_on_what_the_store_says_of_a_bad_body(connected: Shop) -> None:
    refused = connected.hub("POST", "/commerce-products", {"sku": "x"})
    assert refused.status == 400
    assert refused.words


def test_reads_children_of_mapped_objects(connected: Shop) -> None:
    shop, name = connected, fresh_name()
    order = shop.rows("/orders")[0]
    below = shop.rows(f"/commerce-orders/{order['id']}/items")
    assert below == shop.rows(f"/orders/{order['id']}/items")

    shop.define("/instances", name, "code")
    transformation = {
        "vendorName": "items",
        "fields": [{"path": "code", "vendorPath": "sku"}],
        "configuration": [STRICT],
    }
    shop.transform("POST", "/instances", name, transformation)
    assert shop.rows(f"/orders/{order['id']}/{name}") == [{"code": row["sku"]} for row in below]


def test_lets_a_level_stand_above_a_common_resource(connected: Shop) -> None:
    shop, at = connected, f"/instances/{connected.id}"
    own = {"path": "source", "vendorPath": "website_id"}
    shop.transform("POST", at, "commerce-customers", body(own, configuration=[INHERIT]))
    row = shop.rows("/commerce-customers")[0]
    assert row["source"] == str(shop.rows("/customers")[0]["website_id"])
    assert "@" in row["email"]
    shop.transform("PUT", at, "commerce-customers", body(own, configuration=[STRICT]))
    assert set(shop.rows("/commerce-customers")[0]) == {"source"}
    shop.transform("DELETE", at, "commerce-customers")
    assert "email" in shop.rows("/commerce-customers")[0]


def test_says_that_scripts_are_not_run_yet(connected: Shop) -> None:
    shop, name, at = connected, fresh_name(), f"/instances/{connected.id}"
    shop.define(at, name, "id")
    script = {"body": "transformedObject.foo='bar'; done(transformedObject);"}
    shop.transform("POST", at, name, body(script=script))
    refused = shop.hub("GET", f"/{name}")
    assert refused.status == 400
    assert "scripts are not run yet" in refused.message
    assert shop.hub("GET", "/customers").status == 200


def test_says_that_a_vendor_object_is_unknown(connected: Shop) -> None:
    shop, name, at = connected, fresh_name(), f"/instances/{connected.id}"
    shop.define(at, name, "id")
    shop.transform("POST", at, name, body(vendorName="leads"))
    refused = shop.hub("GET", f"/{name}")
    assert refused.status == 400
    assert "leads" in refused.message
    # The vendor's own name of an object does as well as ours.
    shop.transform("PUT", at, name, {"vendorName": "stockitems", "fields": [], "configuration": []})
    assert shop.rows(f"/{name}") == shop.rows("/inventory")


def test_shows_a_change_to_every_process(tmp_path: Path, shop: RunningStore) -> None:
    with platform_on_stage(tmp_path) as first, platform_on_stage(tmp_path) as second:
        one = Shop(Application(first, shop.store, shop.url))
        name = fresh_name()
        one.define("/organizations", name, "id")
        for path in ("id", "number"):
            method = "POST" if path == "id" else "PUT"
            one.transform(
                method,
                "/organizations/elements/magento",
                name,
                body({"path": path, "vendorPath": "entity_id"}, configuration=[STRICT]),
            )
            # The process that made the change knows at once, others within a second.
            second.clock.ahead += timedelta(seconds=2)
            time.sleep(READY_FOR_S)  # counted by a clock that cannot be moved
            for stage in (first, second, first):
                seen = stage.call("GET", f"/{name}", element=one.token).json()
                assert set(seen[0]) == {path}


def test_describes_mapped_objects_with_the_instance(connected: Shop) -> None:
    shop, stage, name, at = connected, connected.stage, fresh_name(), f"/instances/{connected.id}"
    shop.define(at, name, "id", "mail")
    shop.transform("POST", at, name, body(configuration=[STRICT]))
    document = stage.call("GET", f"{at}/docs").json()
    paths = {path.removeprefix("/hubs/ecommerce") for path in document["paths"]}
    assert {f"/{name}", f"/{name}/{{id}}", "/customers", "/commerce-orders"} <= paths
    names = stage.call("GET", "/objects", element=shop.token).json()
    assert {name, "customers", "commerce-orders"} <= set(names)
    metadata = stage.call("GET", f"{at}/objects/{name}/metadata").json()
    assert [field["vendorPath"] for field in metadata["fields"]] == ["id", "mail", "person.last"]
    assert f"/{name}" not in str(stage.call("GET", "/elements/magento/docs").json()["paths"])


def test_moves_to_a_clone_with_everything(connected: Shop) -> None:
    shop, stage, name = connected, connected.stage, fresh_name()
    shop.define("/instances", name, "id")
    shop.transform("POST", "/instances", name, body(FIELDS[0], configuration=[STRICT]))
    before = shop.rows(f"/{name}"), shop.rows("/commerce-orders")
    clone = stage.call("POST", "/elements/magento/clone").json()
    moved = stage.call("PATCH", f"/instances/{shop.id}", body={"element": {"id": clone["id"]}})
    assert moved.json()["element"]["key"] == clone["key"], moved
    assert (shop.rows(f"/{name}"), shop.rows("/commerce-orders")) == before
    defaults = stage.call("GET", f"/elements/{clone['id']}/transformations").json()
    assert defaults["commerce-orders"]["elementKey"] == clone["key"]

    shop.transform("PUT", "/instances", name, body(configuration=[STRICT]))
    assert shop.rows(f"/{name}")[0].keys() == {"id", "mail", "person"}
    shop.transform("DELETE", "/instances", name)
    assert shop.hub("GET", f"/{name}").status == 400
