"""Each rule for elements, seen to find the fault that it is there for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from polyvalent.catalog.check import ELEMENT_RULES, check_element, check_folder
from polyvalent.catalog.check_calls import CALL_RULES
from polyvalent.catalog.check_folder import FOLDER_RULES
from polyvalent.catalog.check_resource import RESOURCE_RULES
from polyvalent.catalog.element import (
    ConfigurationEntry,
    Element,
    ElementObject,
    FailureRule,
    Hook,
    ObjectField,
    Option,
    Parameter,
    Resource,
    VerificationRead,
    Webhooks,
    WebhookSignature,
)
from polyvalent.catalog.load import ELEMENTS_FOLDER, load_catalog
from polyvalent.catalog.writing import WriteBatch, Writing
from polyvalent.ceql import Filter

GOOD = load_catalog().find("magento")
Change = Callable[[Element], Element]
BATCH = WriteBatch(vendor_path="/items", vendor_method="PUT", rows_max=9, key_field="no")
NAMED = Parameter(name="qty", vendor_name="qty", type="body", vendor_type="bodyField")


def entry(**members: Any) -> Change:
    new = ConfigurationEntry(**{"key": "new", "name": "N", "description": "D", **members})
    return lambda item: structs.replace(item, configuration=(*item.configuration, new))


def resource(method: str, path: str, **members: Any) -> Change:
    def change(element: Element) -> Element:
        return structs.replace(
            element,
            resources=tuple(
                structs.replace(item, **members)
                if (item.method, item.path) == (method, f"/hubs/ecommerce{path}")
                else item
                for item in element.resources
            ),
        )

    return change


def more(**members: Any) -> Change:
    new = Resource(**{"operation_id": "x", "description": "D", "object": "orders", **members})
    return lambda item: structs.replace(item, resources=(*item.resources, new))


def whole(**members: Any) -> Change:
    return lambda item: structs.replace(item, **members)


def without_key(key: str) -> Change:
    return lambda item: structs.replace(
        item, configuration=tuple(one for one in item.configuration if one.key != key)
    )


def default(key: str, value: str) -> Change:
    """Put another default value into an entry, which is added if it is not there."""
    added = entry(key=key, default_value=value)
    return lambda item: added(without_key(key)(item))


def parameter(name: str, kind: str, vendor_name: str, vendor_kind: str, **more: Any) -> Parameter:
    return Parameter(name=name, type=kind, vendor_name=vendor_name, vendor_type=vendor_kind, **more)


def query(name: str) -> Parameter:
    return parameter(name, "query", name, "query")


def listing(*parameters: Parameter, **members: Any) -> Change:
    """Add a list of the object orders."""
    return more(
        **{"path": "/hubs/ecommerce/x", "method": "GET", "parameters": parameters, **members}
    )


def posting(*names: tuple[str, str]) -> Change:
    return listing(*(parameter(name, kind, name, kind) for name, kind in names), method="POST")


def by_token(change: Change) -> Change:
    set_type = default("pagination.type", "cursor")
    return lambda item: change(set_type(structs.replace(item, resources=())))


ORDERS = next(item for item in GOOD.resources if item.path.endswith("/orders"))
COLLECTION = ORDERS.collection
assert COLLECTION is not None
FILTERING = ORDERS.filtering
assert FILTERING is not None

FAULTS: list[tuple[str, Change]] = [
    ("texts_are_there", whole(description=" ")),
    ("texts_are_there", entry(description="")),
    ("names_are_unique", entry(key="store.url")),
    ("names_are_unique", whole(objects=(*GOOD.objects, GOOD.objects[0]))),
    ("numbers_are_unique", entry(id=GOOD.configuration[0].id)),
    ("placeholders_are_known", entry(default_value="{no.such}/x")),
    ("placeholders_are_known", entry(default_value="{new}/x")),
    ("defaults_fit", entry(type="COMBO")),
    ("defaults_fit", entry(type="COMBO", options=(Option("a"),), default_value="b")),
    ("defaults_fit", entry(type="BOOLEAN", default_value="yes")),
    ("defaults_fit", entry(type="PASSWORD", default_value="hunter2")),
    ("secrets_are_passwords", entry(key="api.secret")),
    ("credentials_are_asked_for", without_key("oauth.token.url")),
    ("credentials_are_asked_for", without_key("base.url")),
    ("credentials_are_verified", whole(verification=())),
    (
        "credentials_are_verified",
        whole(verification=(VerificationRead(vendor_path="/a", expect_fields=("x",)),)),
    ),
    ("failures_say_what_to_do", whole(failures=(FailureRule(kind="wait", status=(429,)),))),
    ("failures_say_what_to_do", whole(failures=(FailureRule(kind="wait", message="Hm."),))),
    (
        "parameters_are_supported",
        whole(
            parameters=(
                Parameter(name="a", vendor_name="b", type="query", vendor_type="configuration"),
            )
        ),
    ),
    ("resources_are_described", resource("GET", "/orders", description="")),
    ("resources_are_described", resource("GET", "/orders", operation_id="getProducts")),
    ("paths_are_unique", more(path="/hubs/ecommerce/orders/{number}", method="GET")),
    ("paths_are_unique", more(path="/hubs/ecommerce/x", method="LOOK")),
    ("vendor_paths_are_bound", resource("GET", "/orders/{id}", vendor_path="/orders/{number}")),
    ("vendor_paths_are_bound", resource("GET", "/orders/{id}", parameters=())),
    ("lists_are_paged", resource("GET", "/orders", parameters=ORDERS.parameters[:1])),
    (
        "lists_are_paged",
        resource("GET", "/orders", collection=structs.replace(COLLECTION, cursor_field="")),
    ),
    (
        "lists_are_paged",
        resource(
            "GET", "/orders", collection=structs.replace(COLLECTION, rows_after=(("a", "b"),))
        ),
    ),
    (
        "lists_are_paged",
        resource(
            "GET", "/orders", collection=structs.replace(COLLECTION, rows_before=(("a", "b"),))
        ),
    ),
    *(
        ("searches_are_complete", resource("GET", "/orders", filtering=filtering))
        for filtering in (
            structs.replace(FILTERING, filters=(Filter(fields=("nope",), exact=("=",)),)),
            structs.replace(FILTERING, operators=()),
            structs.replace(FILTERING, pairs=()),
            structs.replace(FILTERING, list_pairs=()),
            structs.replace(FILTERING, order_pairs=()),
            structs.replace(FILTERING, refused_by=""),
            structs.replace(FILTERING, optional=("nope",)),
            structs.replace(FILTERING, pairs=(("{what}", "{value}"),)),
            structs.replace(FILTERING, order_pairs=(("order", "{value}"),)),
        )
    ),
    ("writes_are_answered", resource("POST", "/products", writing=None)),
    ("writes_are_answered", resource("PUT", "/products/{id}", writing=Writing(read_back="/nope"))),
    ("writes_are_answered", resource("POST", "/products", writing=Writing(also_created=(302,)))),
    *(
        ("writes_are_answered", resource(method, path, writing=Writing(batch=batch), **more))
        for method, path, batch, more in (
            ("POST", "/products", BATCH, {}),
            ("PUT", "/products/{id}", structs.replace(BATCH, vendor_path="/items/{id}"), {}),
            ("PUT", "/products/{id}", structs.replace(BATCH, vendor_method="GET"), {}),
            ("PUT", "/products/{id}", structs.replace(BATCH, rows_max=1), {}),
            ("PUT", "/products/{id}", BATCH, {"parameters": (NAMED,)}),
        )
    ),
    ("objects_are_known", resource("GET", "/orders", object="nope")),
    ("objects_are_known", whole(objects=(*GOOD.objects, ElementObject(name="a")))),
    (
        "objects_are_known",
        whole(
            objects=(
                *GOOD.objects,
                ElementObject(name="a", fields=(ObjectField(name="id"),), created_date_name="at"),
            )
        ),
    ),
    ("chains_are_whole", resource("GET", "/orders", next_resource="GET:/nope")),
    ("chains_are_whole", resource("GET", "/orders", next_resource="GET:/orders")),
    ("lists_are_read_on", listing(query("nextPage"))),
    ("lists_are_read_on", listing(query("page"))),
    ("lists_are_read_on", listing(query("pageSize"))),
    ("lists_are_read_on", listing(next_page_key="a", pagination_type="VENDOR_NOT_SUPPORTED")),
    ("lists_are_read_on", by_token(listing(query("nextPage"), query("pageSize")))),
    ("lists_are_read_on", by_token(listing(query("pageSize"), next_page_key="paging.next"))),
    ("paging_is_configured", default("pagination.type", "scroll")),
    ("paging_is_configured", default("pagination.page.startindex", "2")),
    ("paging_is_configured", default("pagination.max", '{"orders": "many"}')),
    ("paging_is_configured", default("pagination.max", "all")),
    ("calls_can_be_made", whole(protocol_type="jdbc")),
    ("calls_can_be_made", whole(hooks=(Hook(type="preRequest", body="done({})"),))),
    ("calls_can_be_made", listing(hooks=(Hook(type="postRequest", body="done({})"),))),
    ("calls_can_be_made", listing(type="onWhim")),
    ("calls_can_be_made", listing(kind="java")),
    ("calls_can_be_made", listing(kind="go")),
    ("calls_can_be_made", listing(formula_id=3)),
    ("values_are_found", listing(parameter("no.such", "configuration", "a", "header"))),
    ("values_are_found", listing(parameter("${configuration.no}", "value", "a", "header"))),
    (
        "values_are_found",
        listing(parameter("where", "query", "f", "query", converter="toODataFilter")),
    ),
    ("values_are_found", listing(parameter("id", "path", "id", "path"))),
    ("values_are_found", listing(parameter("a", "prevBodyField", "a", "query"))),
    ("bodies_are_one_thing", listing(parameter("body", "body", "body", "body"))),
    ("bodies_are_one_thing", posting(("a", "form"), ("b", "bodyField"))),
    ("bodies_are_one_thing", posting(("a", "multipart"), ("b", "form"))),
    ("bodies_are_one_thing", posting(("a", "bodyField"), ("a", "bodyField"))),
    (
        "bodies_are_one_thing",
        listing(
            parameter("body", "body", "body", "body", data_type="binary"),
            parameter("a", "bodyField", "a", "bodyField"),
            method="POST",
        ),
    ),
    ("answers_are_mapped", listing(parameter("a", "header", "b", "header", source="response"))),
    (
        "answers_are_mapped",
        listing(parameter("a", "configuration", "b", "bodyField", source="response")),
    ),
    (
        "objects_are_consistent",
        whole(objects=(ElementObject(name="a", bulk_download_enabled=True),)),
    ),
    (
        "objects_are_consistent",
        whole(
            objects=(ElementObject(name="a", fields=(ObjectField(name="b", primary_key=True),)),)
        ),
    ),
    (
        "objects_are_consistent",
        whole(webhooks=Webhooks(signature=WebhookSignature(header="X-Sign", key="no.such"))),
    ),
]


@pytest.mark.parametrize(("rule", "change"), FAULTS)
def test_finds_the_fault(rule: str, change: Change):
    assert rule in {item.rule for item in check_element(change(GOOD))}


def spoil_name(folder: Path) -> None:
    folder.rename(folder.with_name("other"))


def spoil_file(folder: Path) -> None:
    (folder / "notes.txt").write_text("x")


def spoil_resource_file(folder: Path) -> None:
    (folder / "resources" / "orders.yml").write_text("[]")


def spoil_object(folder: Path) -> None:
    (folder / "objects" / "orders.yaml").rename(folder / "objects" / "sales.yaml")


def spoil_transformation(folder: Path) -> None:
    file = folder / "transformations" / "commerce-products.yaml"
    file.write_text(file.read_text().replace("vendorPath: sku", "vendorPath: article"))


def spoil_transformation_object(folder: Path) -> None:
    file = folder / "transformations" / "commerce-products.yaml"
    file.write_text(file.read_text().replace("vendorName: products", "vendorName: goods"))


def spoil_icon(folder: Path) -> None:
    (folder / "icon.svg").unlink()


def spoil_icon_by_script(folder: Path) -> None:
    (folder / "icon.svg").write_text('<svg viewBox="0 0 1 1"><script>alert(1)</script></svg>')


def spoil_readme(folder: Path) -> None:
    file = folder / "README.md"
    file.write_text(file.read_text().replace("## Limits", "## Bounds"))


def spoil_readme_key(folder: Path) -> None:
    file = folder / "README.md"
    file.write_text(file.read_text().replace("`oauth.api.key`", "the key"))


def spoil_exchanges(folder: Path) -> None:
    (folder / "exchanges" / "orders.yaml").unlink()


def spoil_yaml(folder: Path) -> None:
    (folder / "element.yaml").write_text("{")


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [
        ("folder_is_named_by_key", spoil_name),
        ("files_are_known", spoil_file),
        ("files_are_known", spoil_resource_file),
        ("objects_are_filed_by_name", spoil_object),
        ("transformations_lead_to_objects", spoil_transformation),
        ("transformations_lead_to_objects", spoil_transformation_object),
        ("icon_is_a_drawing", spoil_icon),
        ("icon_is_a_drawing", spoil_icon_by_script),
        ("readme_has_its_sections", spoil_readme),
        ("readme_has_its_sections", spoil_readme_key),
        ("exchanges_are_there", spoil_exchanges),
        ("loads", spoil_yaml),
    ],
)
def test_finds_the_fault_of_a_folder(tmp_path: Path, rule: str, spoil: Callable[[Path], None]):
    folder = tmp_path / "magento"
    shutil.copytree(ELEMENTS_FOLDER / "magento", folder)
    assert check_folder(folder) == ()

    spoil(folder)

    found = check_folder(next(tmp_path.iterdir()))
    assert rule in {item.rule for item in found}


def test_takes_the_size_of_pages_by_resource():
    change = default("pagination.max", '{"orders": 50, "default": 30}')

    assert check_element(change(GOOD)) == ()


def test_tries_every_rule():
    tried = {rule for rule, _ in FAULTS}

    assert tried == {rule.__name__ for rule in (*ELEMENT_RULES, *RESOURCE_RULES, *CALL_RULES)}
    assert len({rule.__name__ for rule in FOLDER_RULES}) == 7
