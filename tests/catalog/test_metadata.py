"""How elements and the platform's own configuration are described."""

from __future__ import annotations

from msgspec import structs

from polyvalent.catalog.element import Hook, Webhooks
from polyvalent.catalog.instance_configuration import COMMON_CONFIGURATION
from polyvalent.catalog.load import load_catalog
from polyvalent.catalog.metadata import describe_element, event_methods
from polyvalent.events.poll_configuration import derive_polled

MAGENTO = load_catalog().find("magento")

EXPANDED = {
    "id": int,
    "name": str,
    "key": str,
    "image": str,
    "displayOrder": int,
    "active": bool,
    "beta": bool,
    "description": str,
    "transformations": bool,
    "elementType": str,
    "churros": bool,
    "normalizedPaging": bool,
    "swaggerValidated": bool,
    "cloneable": bool,
    "authenticationType": str,
    "hub": str,
    "events": dict,
    "discovery": dict,
    "bulk": dict,
    "api": dict,
    "resources": list,
}


def test_describes_an_element_briefly():
    assert describe_element(MAGENTO) == {
        "id": 356,
        "name": "Magento",
        "key": "magento",
        "description": MAGENTO.description,
        "events": {"supported": True, "methods": ["polling"]},
    }


def test_describes_every_member_when_expanded():
    described = describe_element(MAGENTO, expand=True)

    assert {name: type(value) for name, value in described.items()} == EXPANDED


def test_describes_what_resources_can_do():
    resources = {
        item["canonicalName"]: item for item in describe_element(MAGENTO, expand=True)["resources"]
    }

    assert resources["customers"]["operations"] == [
        "search",
        "create",
        "retrieve",
        "update",
        "delete",
    ]
    assert resources["orders"]["operations"] == ["search", "retrieve"]
    assert resources["orders/items"]["operations"] == ["search"]
    assert resources["orders"]["bulk"]["upload"] == {"supported": False, "native": False}


def test_tells_events_from_configuration_and_hooks():
    listening = structs.replace(MAGENTO, hooks=(Hook(type="event", body="done()"),))

    assert event_methods(MAGENTO) == ("polling",)
    assert event_methods(listening) == ("polling", "webhook")
    told = structs.replace(MAGENTO, objects=(), webhooks=Webhooks(rows="data"))
    assert event_methods(told) == ("webhook",)
    assert event_methods(structs.replace(MAGENTO, objects=())) == ()


def test_tells_which_resources_are_polled():
    resources = {
        item["canonicalName"]: item["events"]
        for item in describe_element(MAGENTO, expand=True)["resources"]
    }
    types = ["CREATED", "UPDATED", "DELETED"]
    polled = {"supported": True, "methods": ["polling"], "eventTypes": types}
    assert {name for name, events in resources.items() if events == polled} == {
        item.name for item in derive_polled(MAGENTO)
    }
    assert resources["orders/items"] == {"supported": False, "methods": [], "eventTypes": []}


def test_has_the_common_configuration_with_its_defaults():
    defaults = {item.key: item.default_value for item in COMMON_CONFIGURATION}

    assert defaults["event.notification.enabled"] == "false"
    assert defaults["event.notification.type"] == "webhook"
    assert defaults["event.notification.callback.url"] is None
    assert defaults["event.vendor.type"] is None
    assert defaults["filter.response.nulls"] == "true"


def test_shares_no_key_or_number_between_common_and_element_configuration():
    entries = (*COMMON_CONFIGURATION, *MAGENTO.configuration)

    assert len({item.key for item in entries}) == len(entries)
    assert len({item.id for item in entries}) == len(entries)
