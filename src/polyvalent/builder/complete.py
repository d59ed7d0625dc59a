"""Complete an element that was brought along: keys, defaults, numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from msgspec import Struct, structs

from polyvalent.catalog.check import CREDENTIAL_KEYS
from polyvalent.catalog.element import ConfigurationEntry, Element, Option
from polyvalent.catalog.instance_configuration import COMMON_CONFIGURATION
from polyvalent.catalog.load import complete_element
from polyvalent.catalog.number import number_of

T = TypeVar("T", bound=Struct)

_TEXTS = {
    "username": ("User name", "The name of the user that calls are made for."),
    "password": ("Password", "The password or key that belongs to the user name."),
    "oauth.request.url": ("Request token address", "Where an authorization begins."),
    "oauth.authorization.url": ("Authorization page", "The page where the owner agrees."),
    "oauth.token.url": ("Token address", "Where an authorization is exchanged for a token."),
    "oauth.callback.url": ("Callback address", "The address that the owner returns to."),
    "oauth.api.key": ("API key", "The key of the application at the vendor."),
    "oauth.api.secret": ("API secret", "The secret of the application at the vendor."),
    "oauth.scope": ("Scope", "What the application may do, in the vendor's words."),
    "oauth.user.token": ("Token", "Filled in when the instance is created."),
    "oauth.user.token.secret": ("Token secret", "Filled in when the instance is created."),
    "oauth.user.refresh_token": ("Refresh token", "Filled in when the instance is created."),
    "aws.api.key": ("Access key id", "The id of the access key."),
    "aws.api.secret": ("Secret access key", "The secret of the access key."),
    "aws.region": ("Region", "The region that is called."),
}
_SECRETS = frozenset(
    (
        "password",
        "oauth.api.key",
        "oauth.api.secret",
        "oauth.user.token",
        "oauth.user.token.secret",
        "oauth.user.refresh_token",
        "aws.api.key",
        "aws.api.secret",
    )
)
# What an instance cannot be made without, where no default is given.
_NEEDED = frozenset(("oauth.api.key", "oauth.api.secret", "oauth.callback.url"))
_KEYS_BY_TYPE = {
    **CREDENTIAL_KEYS,
    "oauth2": (*CREDENTIAL_KEYS["oauth2"], "oauth.user.refresh_token", "oauth.scope"),
    "awsv2": ("aws.api.key", "aws.api.secret"),
    "awsv4": ("aws.api.key", "aws.api.secret", "aws.region"),
}
_PAGING = (
    ConfigurationEntry(
        key="pagination.max",
        name="Largest page",
        description="The most rows that the vendor gives at once.",
        type="TEXTFIELD_128",
        default_value="100",
        hide_from_console=True,
    ),
    ConfigurationEntry(
        key="pagination.type",
        name="Paging",
        description="How the vendor divides long lists.",
        type="COMBO",
        default_value="page",
        hide_from_console=True,
        options=(
            Option(value="page", description="By page number"),
            Option(value="offset", description="By number of rows skipped"),
            Option(value="cursor", description="By a token of the vendor"),
        ),
    ),
    ConfigurationEntry(
        key="pagination.page.startindex",
        name="First page",
        description="The vendor's number of the first page.",
        type="TEXTFIELD_32",
        default_value="1",
        hide_from_console=True,
    ),
    ConfigurationEntry(
        key="pagination.offset",
        name="Paging by offset",
        description="Whether pages are asked for by the number of rows skipped.",
        type="BOOLEAN",
        default_value="false",
        hide_from_console=True,
    ),
)


def complete_brought(element: Element, *, element_id: int) -> Element:
    """
    Return an element as it is stored: defaults merged in, a number on every part, private.

    Its key, texts, resources and everything else are as they were sent; paths have their hub.
    """
    element = structs.replace(
        element,
        id=element_id,
        private=True,
        extended=False,
        deleted=False,
        configuration=merge_defaults(element),
    )
    return give_numbers(element)


def merge_defaults(element: Element) -> tuple[ConfigurationEntry, ...]:
    """
    Return an element's configuration entries, each key once, with the platform's own behind them.

    Of entries with the same key the first one that has a default counts.
    """
    own: dict[str, ConfigurationEntry] = {}
    for entry in element.configuration:
        kept = own.get(entry.key)
        if kept is None or (not kept.default_value and entry.default_value):
            own[entry.key] = entry
    address = own.get("base.url")
    if address is not None and not address.default_value:
        own["base.url"] = structs.replace(address, default_value=None, required=True)
    added = (
        _ADDRESS,
        *(_credential(key) for key in _KEYS_BY_TYPE.get(element.authentication.type, ())),
        *_PAGING,
        *(structs.replace(entry, id=0) for entry in COMMON_CONFIGURATION),
    )
    return (*own.values(), *(entry for entry in added if entry.key not in own))


def give_numbers(element: Element) -> Element:
    """Return the element with paths, methods and numbers filled in, no number given twice."""
    return _make_distinct(complete_element(element))


_ADDRESS = ConfigurationEntry(
    key="base.url",
    name="API address",
    description="Where the vendor answers calls.",
    required=True,
)


def _credential(key: str) -> ConfigurationEntry:
    name, description = _TEXTS[key]
    return ConfigurationEntry(
        key=key,
        name=name,
        description=description,
        type="PASSWORD" if key in _SECRETS else "TEXTFIELD_1000",
        required=key in _NEEDED,
    )


def _make_distinct(element: Element) -> Element:
    seen: set[int] = set()
    resources = tuple(
        structs.replace(
            item,
            parameters=_distinct(item.parameters, seen),
            hooks=_distinct(item.hooks, seen),
        )
        for item in _distinct(element.resources, seen)
    )
    objects = tuple(
        structs.replace(item, fields=_distinct(item.fields, seen))
        for item in _distinct(element.objects, seen)
    )
    return structs.replace(
        element,
        configuration=_distinct(element.configuration, seen),
        parameters=_distinct(element.parameters, seen),
        hooks=_distinct(element.hooks, seen),
        resources=resources,
        objects=objects,
    )


def _distinct(items: Iterable[T], seen: set[int]) -> tuple[T, ...]:
    return tuple(_each_distinct(items, seen))


def _each_distinct(items: Iterable[T], seen: set[int]) -> Iterator[T]:
    for item in items:
        part: Any = item
        number = part.id
        attempt = 1
        while number in seen:
            attempt += 1
            number = number_of(str(part.id), "again", str(attempt))
        seen.add(number)
        yield item if number == part.id else structs.replace(item, id=number)
