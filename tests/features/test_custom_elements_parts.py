"""Elements of an account: bringing them along, their parts, additions to others', documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV31SpecValidator

from polyvalent.accounts import sql
from polyvalent.accounts.bootstrap import make_user_secret
from polyvalent.sandbox.magento import RunningStore
from tests.conftest import NOW, make_random
from tests.journeys.application import Application
from tests.journeys.stage import Reply, Stage

HOOK = {"type": "preRequest", "body": "done({})"}
ENTRY = {"key": "churros.config", "name": "Churros", "description": "c", "type": "TEXTFIELD_32"}
PARAMETER = {
    "name": "param",
    "type": "query",
    "vendorName": "theParam",
    "vendorType": "query",
    "description": "d",
    "sampleData": None,
    "dataType": "string",
    "vendorDataType": "string",
}
RESOURCE = {"path": "/contacts", "method": "GET", "vendorPath": "/v1/contacts"}
OBJECT = {"name": "contacts", "primaryKeyName": "id", "fields": [{"name": "id"}]}
FIELD = {"name": "email", "type": "string"}


def body(key: str, **members: Any) -> dict[str, Any]:
    address = {"key": "base.url", "name": "b", "description": "b", "defaultValue": "https://a.b"}
    return {
        "name": "Own",
        "key": key,
        "description": "An own element.",
        "authentication": {"type": "basic"},
        "configuration": [address],
        **members,
    }


def bring(stage: Stage, key: str, **members: Any) -> dict[str, Any]:
    stage.call("DELETE", f"/elements/{key}")
    reply = stage.call("POST", "/elements", body=body(key, **members))
    assert reply.status == 200, reply
    brought: dict[str, Any] = reply.json()
    return brought


async def hired(stage: Stage, *, account: str) -> tuple[int, str]:
    """Add another account with a user of its own; return its number and Authorization header."""
    ports = stage.platform.ports
    random = make_random(f"{account} {stage.url}")
    secret = make_user_secret(random)
    async with ports.database.transaction() as connection:
        first = await sql.first_member(connection)
        assert first is not None
        made = await sql.insert_account(
            connection,
            organization_id=first.organization.id,
            name=account,
            external_id=account,
            is_default=False,
            created_at=NOW,
        )
        await sql.insert_user(
            connection,
            account_id=made.id,
            email="b@example.com",
            first_name="B",
            last_name="B",
            secret=secret,
            created_at=NOW,
            ring=ports.keys.ring(),
            random=random,
        )
    return made.id, f"User {secret.reveal()}, Organization {stage.organization}"


def test_makes_a_key_of_the_name_and_merges_defaults(either: Stage) -> None:
    either.call("DELETE", "/elements/churrosdbelement42")
    sent = body("", name="Churros DB element 42", hub="CRM")
    sent["resources"] = [RESOURCE]
    del sent["key"]

    created = either.call("POST", "/elements", body=sent).json()

    assert created["key"] == "churrosdbelement42"
    assert created["hub"] == "crm"
    assert (created["private"], created["active"]) == (True, True)
    assert created["resources"][0]["path"] == "/hubs/crm/contacts"
    entries = [item["key"] for item in created["configuration"]]
    assert entries.count("base.url") == 1
    assert {"username", "password", "pagination.max", "filter.response.nulls"} <= set(entries)
    replaced = either.call("PUT", "/elements/churrosdbelement42", body=sent).json()
    assert replaced["id"] == created["id"]
    assert [item["key"] for item in replaced["configuration"]] == entries
    assert {item["key"]: item["id"] for item in replaced["configuration"]} == {
        item["key"]: item["id"] for item in created["configuration"]
    }
    for name in ("churrosdbelement42", str(created["id"])):
        assert either.call("GET", f"/elements/{name}").json() == replaced


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"name": None}, 400, "lacks name"),
        ({"authentication": {"type": "magic"}}, 400, "authentication.type"),
        ({"key": "123"}, 400, "only digits"),
        ({"key": "keys"}, 400, "API's own paths"),
        ({"key": "magento"}, 409, "magento"),
        ({"resources": [{"path": "x", "method": "GET"}] * 2}, 400, "is there 2 times"),
        ({"resources": [{"path": "/x", "method": "FETCH"}]}, 400, "method"),
        ({"parameters": [{"name": "a", "type": "odd"}]}, 400, "unknown"),
        ({"resources": 7}, 400, "$.resources"),
        ({"objects": [{"name": "a"}, {"name": "a"}]}, 400, "2 times"),
    ],
)
def test_refuses_what_is_no_element(either: Stage, change: Any, status: int, text: str) -> None:
    before = either.rows()
    reply = either.call("POST", "/elements", body={**body("refused"), **change})
    assert reply.status == status, reply
    assert text in reply.message
    assert either.rows()["element"] == before["element"]


def test_knows_a_key_once_for_each_account(either: Stage) -> None:
    bring(either, "twice")
    again = either.call("POST", "/elements", body=body("twice"))
    assert again.status == 409
    assert either.call("DELETE", "/elements/twice").status == 200
    assert either.call("GET", "/elements/twice").status == 404
    assert either.call("POST", "/elements", body=body("twice")).status == 200


def test_takes_the_export_of_another_platform(either: Stage) -> None:
    foreign = body(
        "foreign",
        id=5120,
        image=None,
        paginatorVersion="V3",
        unheardOf={"a": 1},
        configuration=[
            {
                "id": 7,
                "key": "event.poller.configuration",
                "name": "p",
                "defaultValue": {"a": [1]},
                "required": "false",
            }
        ],
        resources=[
            {
                **RESOURCE,
                "id": 1,
                "createdDate": 1_500_000_000_000,
                "nextPageKey": None,
                "parameters": [{"id": 4, "name": "id", "type": "path", "resourceId": 1}],
                "hooks": [{"id": 9, **HOOK, "isLegacy": True}],
            }
        ],
    )
    either.call("DELETE", "/elements/foreign")

    reply = either.call("POST", "/elements", body=foreign)

    assert reply.status == 200, reply
    assert "unheardOf" in reply.headers["elements-error"]
    assert "has scripts, which are not run" in reply.headers["elements-error"]
    created = reply.json()
    assert created["paginatorVersion"] == "V3"
    assert created["resources"][0]["hooks"][0]["isLegacy"] is True
    entry = created["configuration"][0]
    assert entry["defaultValue"] == '{"a":[1]}'
    assert entry["required"] is False


def test_is_offered_or_not(either: Stage) -> None:
    bring(either, "switched")
    for method, active in (("DELETE", False), ("PUT", True)):
        assert either.call(method, "/elements/switched/active").status == 200
        assert either.call("GET", "/elements/switched").json()["active"] is active


@pytest.mark.parametrize(
    ("path", "item", "change"),
    [
        ("parameters", PARAMETER, {"vendorName": "other"}),
        ("hooks", HOOK, {"body": "other"}),
        ("resources", RESOURCE, {"vendorPath": "/v2"}),
        ("objects", OBJECT, {"primaryKeyName": "no"}),
        ("resources/{resource}/parameters", PARAMETER, {"vendorName": "other"}),
        ("resources/{resource}/hooks", HOOK, {"body": "other"}),
        ("objects/{object}/fields", FIELD, {"type": "integer"}),
    ],
)
def test_keeps_parts(either: Stage, path: str, item: Any, change: Any) -> None:
    element = bring(
        either,
        "parts",
        resources=[{**RESOURCE, "path": "/others"}],
        objects=[{**OBJECT, "name": "others"}],
    )
    ids = {"resource": element["resources"][0]["id"], "object": element["objects"][0]["id"]}
    by_key = f"/elements/parts/{path.format_map(ids)}"
    by_id = f"/elements/{element['id']}/{path.format_map(ids)}"
    before = either.call("GET", by_key).json()

    created = either.call("POST", by_key, body=item)
    assert created.status == 200, created
    number = created.json()["id"]
    listed = either.call("GET", by_id).json()
    assert [*before, created.json()] == listed
    changed = either.call("PUT", f"{by_id}/{number}", body={**created.json(), **change})
    assert changed.status == 200, changed
    assert changed.json().items() >= {"id": number, **change}.items()
    if "GET" in either.call("OPTIONS", f"{by_key}/{number}").headers["allow"]:
        assert either.call("GET", f"{by_key}/{number}").json() == changed.json()
    assert either.call("DELETE", f"{by_key}/{number}").status == 200
    assert either.call("GET", by_id).json() == before
    for method in ("PUT", "DELETE"):
        gone = either.call(method, f"{by_key}/{number}", body=item)
        assert gone.status == 404
        assert gone.message


def test_keeps_configuration_entries_by_key(either: Stage) -> None:
    bring(either, "entries")
    path = "/elements/entries/configuration"
    before = len(either.call("GET", path).json())
    created = either.call("POST", path, body=ENTRY).json()
    assert created["id"]
    assert either.call("POST", path, body=ENTRY).status == 409
    changed = either.call("PUT", f"{path}/churros.config", body={**ENTRY, "defaultValue": "x"})
    assert changed.json().items() >= {"id": created["id"], "defaultValue": "x"}.items()
    assert len(either.call("GET", path).json()) == before + 1
    assert either.call("DELETE", f"{path}/churros.config").status == 200
    assert len(either.call("GET", path).json()) == before


def test_makes_no_hook_a_legacy_one(either: Stage) -> None:
    bring(either, "legacy")
    path = "/elements/legacy/hooks"
    new = either.call("POST", path, body=HOOK).json()
    old = either.call("POST", path, body={**HOOK, "isLegacy": True}).json()
    assert (new["isLegacy"], old["isLegacy"]) == (False, True)
    one, other = f"{path}/{new['id']}", f"{path}/{old['id']}"
    assert either.call("PUT", one, body={**HOOK, "isLegacy": True}).status == 400
    assert either.call("PUT", one, body={**HOOK, "isLegacy": False}).status == 200
    assert either.call("PUT", other, body={**HOOK, "isLegacy": True}).status == 200
    assert either.call("PUT", other, body={**HOOK, "isLegacy": False}).json()["isLegacy"] is False


def test_keeps_the_model_of_a_resource(either: Stage) -> None:
    element = bring(either, "modelled", resources=[RESOURCE])
    path = f"/elements/modelled/resources/{element['resources'][0]['id']}/models"
    model = {"name": "contact", "swagger": {"contact": {"properties": {"a": {"type": "string"}}}}}
    assert either.call("POST", path, body=model).json() == model
    assert either.call("GET", path).json() == model
    assert either.call("PUT", path, body={**model, "transform": True}).status == 200
    assert either.call("GET", path).json()["transform"] is True
    assert either.call("DELETE", path).status == 200
    assert either.call("GET", path).json() == {}


def test_adds_resources_to_a_packaged_element_for_its_account_alone(
    either: Stage, shop: RunningStore
) -> None:
    _, colleague = either.run(hired(either, account="other"))
    application = Application(either, shop.store, shop.url)
    instance = application.connect()
    path = "/elements/magento/resources"
    base = either.call("GET", path, authorization=colleague).json()
    added = either.call(
        "POST",
        path,
        body={
            "path": "/mynewcontacts",
            "method": "GET",
            "vendorPath": "/customers",
            "object": "customers",
            "collection": {"shape": "keyed"},
        },
    ).json()
    assert added["path"] == "/hubs/ecommerce/mynewcontacts"
    own = f"{path}/{added['id']}"

    assert len(either.call("GET", path).json()) == len(base) + 1
    assert len(either.call("GET", "/elements/356").json()["resources"]) == len(base) + 1
    assert either.call("GET", path, query={"accountOnly": "true"}).json() == [added]
    assert either.call("GET", path, authorization=colleague).json() == base
    assert either.call("GET", path, authorization="").json() == base
    assert either.call("GET", "/elements/magento").json()["extended"] is True
    rows = either.call("GET", "/mynewcontacts", element=instance["token"])
    assert [row["id"] for row in rows.json()] == ["1", "2", "3"]
    for docs in ("/elements/magento/docs", f"/instances/{instance['id']}/docs"):
        assert "/hubs/ecommerce/mynewcontacts" in either.call("GET", docs).json()["paths"]
    exported = either.call("GET", "/elements/magento/export", query={"extendedOnly": "true"})
    assert [item["path"] for item in exported.json()["resources"]] == [added["path"]]

    catalog = f"{path}/{base[0]['id']}"
    for method, below, sent in (
        ("POST", "/parameters", PARAMETER),
        ("POST", "/models", {"name": "m"}),
        ("PUT", "/models", {"name": "m"}),
        ("DELETE", "/models", None),
        ("DELETE", "", None),
        ("PUT", "", RESOURCE),
    ):
        assert either.call(method, catalog + below, body=sent).status == 404, (method, below)
    assert either.call("POST", f"{own}/parameters", body=PARAMETER).status == 200
    assert either.call("POST", f"{own}/models", body={"name": "m"}).status == 200
    for below in ("parameters", "hooks", "configuration", "objects"):
        sent = {**PARAMETER, **HOOK, **ENTRY} if below != "parameters" else PARAMETER
        assert either.call("POST", f"/elements/magento/{below}", body=sent).status == 403
    assert either.call("PUT", "/elements/magento", body=body("magento")).status == 403
    assert either.call("DELETE", "/elements/magento").status == 403

    override = either.call(
        "POST",
        path,
        body={"path": "/customers/{n}", "method": "GET", "vendorPath": "/products/{n}"},
    ).json()
    assert len(either.call("GET", path).json()) == len(base) + 1
    row = either.call("GET", "/customers/2", element=instance["token"]).json()
    assert "sku" in row
    for number in (added["id"], override["id"]):
        assert either.call("DELETE", f"{path}/{number}").status == 200
    assert either.call("GET", path).json() == base
    row = either.call("GET", "/customers/2", element=instance["token"]).json()
    assert "email" in row
    assert either.call("GET", "/mynewcontacts", element=instance["token"]).status == 400


def test_refuses_calls_that_need_scripts(either: Stage, shop: RunningStore) -> None:
    instance = Application(either, shop.store, shop.url).connect()
    path = "/elements/magento/resources"
    added = either.call(
        "POST",
        path,
        body={"path": "/hooked", "method": "GET", "vendorPath": "/customers", "hooks": [HOOK]},
    ).json()
    assert added["hooks"][0]["body"] == HOOK["body"]

    refused = either.call("GET", "/hooked", element=instance["token"])

    either.call("DELETE", f"{path}/{added['id']}")
    assert refused.status == 400
    assert "scripts, which are not run yet" in refused.message


def test_is_seen_by_accounts_that_it_is_shared_with(either: Stage) -> None:
    number, colleague = either.run(hired(either, account="friend"))
    secret = {"key": "k", "name": "k", "type": "PASSWORD", "defaultValue": "hidden away"}
    bring(either, "shared", configuration=[secret], hooks=[HOOK])
    path = "/elements/shared"

    def see() -> Reply:
        return either.call("GET", path, authorization=colleague)

    assert see().status == 404
    assert either.call("PUT", f"{path}/accounts/{number}").status == 200
    assert either.call("GET", f"{path}/accounts").json() == [number]
    seen = see()
    assert seen.status == 200
    assert "hidden away" not in seen.body.decode()
    assert seen.json()["hooks"] == []
    assert "hidden away" in either.call("GET", path).body.decode()
    for method in ("PUT", "DELETE"):
        refused = either.call(method, path, body=body("shared"), authorization=colleague)
        assert refused.status == 403
    keys = either.call("GET", "/elements/keys", authorization=colleague).json()
    assert keys == ["magento", "shared"]
    assert either.call("DELETE", f"{path}/accounts/{number}").status == 200
    assert see().status == 404
    assert either.call("PUT", f"{path}/accounts/999999").status == 404
    assert either.call("GET", "/elements/magento/accounts").json() == []


def test_clones_with_another_key_and_without_the_application_s_secrets(either: Stage) -> None:
    entries = [
        {"key": "oauth.api.key", "name": "k", "defaultValue": "mine"},
        {"key": "store.url", "name": "s", "defaultValue": "https://a.b"},
    ]
    element = bring(either, "cloned", authentication={"type": "oauth1"}, configuration=entries)

    first = either.call("POST", "/elements/cloned/clone").json()
    second = either.call("POST", f"/elements/{element['id']}/clone").json()

    assert len({element["id"], first["id"], second["id"]}) == 3
    assert len({"cloned", first["key"], second["key"]}) == 3
    defaults = {item["key"]: item["defaultValue"] for item in first["configuration"]}
    assert defaults["oauth.api.key"] is None
    assert defaults["store.url"] == "https://a.b"
    assert first["private"] is True
    for key in (first["key"], second["key"]):
        assert either.call("DELETE", f"/elements/{key}").status == 200


def test_finds_elements_by_where(either: Stage) -> None:
    bring(either, "findme", hub="crm")

    def keys(where: str) -> list[str]:
        reply = either.call("GET", "/elements", query={"where": where})
        assert reply.status == 200, reply
        return [item["key"] for item in reply.json()]

    assert keys("key = 'findme'") == ["findme"]
    assert keys("key in ('findme', 'magento')") == ["magento", "findme"]
    assert "magento" not in keys("private='true' AND abridged='true'")
    assert "findme" in keys("private='true' AND abridged='true'")
    assert keys("hub = 'crm' and key = 'findme' and active = 'true'") == ["findme"]
    assert keys("private = 'false'") == ["magento"]
    whole = either.call(
        "GET", "/elements", query={"where": "key = 'magento' AND abridged = 'false'"}
    ).json()
    assert len(whole[0]["resources"]) > 30
    for bad in ("nonsense = 'x'", "key = ", "key ="):
        assert either.call("GET", "/elements", query={"where": bad}).status == 400
    anonymous = either.call("GET", "/elements", query={"where": "key = 'findme'"}, authorization="")
    assert anonymous.json() == []


def test_describes_elements_instances_objects_and_hubs(either: Stage, shop: RunningStore) -> None:
    instance = Application(either, shop.store, shop.url).connect()
    token = instance["token"]
    plain = {"element": None}
    own = {"element": token}
    for path, how in (
        ("/elements/magento/docs", plain),
        ("/elements/356/docs?version=-1", plain),
        (f"/instances/{instance['id']}/docs", plain),
        ("/instances/docs", own),
        ("/objects/orders/docs", own),
        ("/orders/docs", own),
        ("/docs/ecommerce", plain),
        ("/docs/magento", plain),
        ("/docs/general", plain),
    ):
        reply = either.call("GET", path, **how)
        assert reply.status == 200, (path, reply)
        OpenAPIV2SpecValidator(reply.json()).validate()
        joint = "&" if "?" in path else "?"
        newer = either.call("GET", f"{path}{joint}version=3", **how)
        if "version=-1" not in path:
            OpenAPIV31SpecValidator(newer.json()).validate()
            assert newer.json()["openapi"] == "3.1.0"
    orders = either.call("GET", "/objects/orders/docs", element=token).json()
    assert set(orders["paths"]) == {"/hubs/ecommerce/orders", "/hubs/ecommerce/orders/{id}"}
    assert orders["definitions"]["orders"]["x-primary-key"] == "entity_id"
    for path in (f"/instances/{instance['id']}/docs", "/instances/docs"):
        found = either.call("GET", f"{path}/getOrderById/definitions", element=token)
        assert set(found.json()) == {"orders", "Error"}
        assert either.call("GET", f"{path}/nope/definitions", element=token).status == 404
    assert either.call("GET", "/objects/nope/docs", element=token).status == 404
    assert either.call("GET", "/nope/docs", element=token).status == 400
    assert either.call("GET", "/elements/nope/docs").status == 404
    aws = either.call("GET", "/docs/ecommerce", query={"provider": "aws"}).json()
    one = next(iter(aws["paths"].values()))
    assert next(iter(one.values()))["parameters"][1]["name"] == "x-api-key"


def test_lists_the_objects_of_an_instance(either: Stage, shop: RunningStore) -> None:
    instance = Application(either, shop.store, shop.url).connect()
    token = instance["token"]
    expected = either.call("GET", "/objects", element=token).json()
    for path in (f"/instances/{instance['id']}/objects", "/instances/objects"):
        assert either.call("GET", path, element=token).json() == expected
        fields = either.call("GET", f"{path}/orders/metadata", element=token).json()
        assert fields == either.call("GET", "/objects/orders/metadata", element=token).json()
        assert either.call("GET", f"{path}/nope/metadata", element=token).status == 404


def test_seals_what_it_keeps(either: Stage) -> None:
    bring(either, "sealed", hooks=[{**HOOK, "body": "my secret script"}])

    async def texts() -> str:
        from sqlalchemy import select

        from polyvalent.db.schema import element

        async with either.platform.ports.database.reading() as connection:
            rows = (await connection.execute(select(element))).mappings().all()
            return json.dumps([dict(row) for row in rows], default=str)

    stored = either.run(texts())
    assert '"sealed"' in stored
    assert "my secret script" not in stored
