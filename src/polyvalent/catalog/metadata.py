"""Describe an element the way `/elements/{keyOrId}/metadata` does. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from polyvalent.catalog.element import Element, Resource

_OPERATIONS = {"POST": "create", "PATCH": "update", "PUT": "update", "DELETE": "delete"}


def describe_element(element: Element, *, expand: bool = False) -> dict[str, Any]:
    """
    Return the metadata of an element, basic or expanded.

    {"id": 356, "name": …, "key": …, "description": …, "events": {"supported": true, …}}; with
    `expand` also its flags, what it can discover, its bulk abilities and its resources.
    """
    basic: dict[str, Any] = {
        "id": element.id,
        "name": element.name,
        "key": element.key,
        "description": element.description,
        "events": _describe_events(element),
    }
    if not expand:
        return basic
    return {
        **basic,
        "image": element.image,
        "displayOrder": 0,
        "active": element.active,
        "beta": element.beta,
        "transformations": element.transformations_enabled,
        "elementType": "cloud",
        "churros": False,
        "normalizedPaging": True,
        "swaggerValidated": False,
        "cloneable": element.cloneable,
        "authenticationType": element.authentication.type,
        "hub": element.hub,
        "discovery": {
            "customFields": False,
            "customObjects": False,
            "endpointCustomFields": False,
            "endpointCustomObjects": False,
        },
        "bulk": {"upload": element.bulk_upload_enabled, "download": element.bulk_download_enabled},
        "api": {"type": "rest", "contentType": "application/json"},
        "resources": list(_describe_resources(element)),
    }


def polled_resources(element: Element) -> tuple[Resource, ...]:
    """Return the lists of an element that can be polled: those of an object that it describes."""
    objects = {item.name for item in element.objects}
    return tuple(
        resource
        for resource in element.resources
        if resource.method == "GET"
        and "{" not in resource.path
        and resource.collection is not None
        and resource.object in objects
    )


def event_methods(element: Element) -> tuple[str, ...]:
    """Return how the element notices changes: some of "polling" and "webhook", often none."""
    keys = {entry.key for entry in element.configuration}
    polls = bool(keys & {"event.poller.configuration", "event.poller.urls"})
    polls = polls or bool(polled_resources(element))
    listens = element.webhooks is not None or any(hook.type == "event" for hook in element.hooks)
    return (("polling",) if polls else ()) + (("webhook",) if listens else ())


def _describe_events(element: Element) -> dict[str, Any]:
    methods = event_methods(element)
    return {"supported": bool(methods), "methods": list(methods)}


def _describe_resources(element: Element) -> Iterator[dict[str, Any]]:
    operations: dict[str, dict[str, None]] = {}
    for resource in element.resources:
        if resource.type == "api":
            name, operation = _name(resource), _operation(resource)
            operations.setdefault(name, {})[operation] = None
    downloaded = frozenset(_downloaded(element))
    polled = frozenset(_name(resource) for resource in polled_resources(element))
    for name, found in operations.items():
        yield {
            "canonicalName": name,
            "operations": list(found),
            "events": _describe_polling(polls=name in polled),
            "bulk": {
                "upload": {
                    "supported": element.bulk_upload_enabled and "create" in found,
                    "native": False,
                },
                "download": {
                    "supported": "search" in found and name in downloaded,
                    "native": False,
                },
            },
            "customField": {"get": False, "create": False, "update": False, "delete": False},
        }


def _describe_polling(*, polls: bool) -> dict[str, Any]:
    # What a call of the vendor is about, only the call itself tells.
    return {
        "supported": polls,
        "methods": ["polling"] if polls else [],
        "eventTypes": ["CREATED", "UPDATED", "DELETED"] if polls else [],
    }


def _downloaded(element: Element) -> Iterator[str]:
    """Yield the lists that a bulk download reads: those at the top whose object allows it."""
    allowed = {item.name: item.bulk_download_enabled for item in element.objects}
    for resource in element.resources:
        name = _name(resource)
        if element.bulk_download_enabled and "/" not in name and allowed.get(resource.object, True):
            yield name


def _name(resource: Resource) -> str:
    words = resource.path.split("/")[3:]
    return "/".join(word for word in words if word and not word.startswith("{"))


def _operation(resource: Resource) -> str:
    if resource.method == "GET":
        return "retrieve" if resource.path.endswith("}") else "search"
    return _OPERATIONS.get(resource.method, resource.method.lower())
