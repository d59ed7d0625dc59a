"""Read rows out of a vendor's answer and make them what callers expect. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from types import NoneType
from typing import Any
from urllib.parse import urlsplit

import orjson

from polyvalent.catalog.classify import classify, error_of, provider_message
from polyvalent.catalog.element import Element, ElementObject, FailureRule, Resource
from polyvalent.errors import VendorFailure
from polyvalent.exchange import Exchange, Response, split_address
from polyvalent.hub.model import Row
from polyvalent.hub.values import find_member
from polyvalent.instances.model import Configuration

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\*)\]")
# JSON that is nested deeper than this is no row of any vendor, and could not be written again.
DEEPEST = 100
NO_FIELDS = (
    "rows came without any field: the vendor's user may see the rows, but no attribute of them"
)


_OUTER = frozenset((dict, list))


class _TooDeep(Exception):
    """Tell that a row is nested deeper than any row is."""


class SingleRow(Exception):
    """Tell that a vendor answered with one object where a list was looked for; no failure."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.row = row


def check(element: Element, exchange: Exchange, *, hint: str = "") -> None:
    """
    Let a success pass.

    Raises what the answer means else (see `error_of`): VendorRefused or VendorFailure, with
    `hint` at the end of the message.
    """
    rule = classify(element, exchange.request.method, exchange.response)
    if rule is not None:
        raise error_of(rule, exchange.response, hint=hint)


def read_rows(
    element: Element, resource: Resource, response: Response, *, configuration: Configuration
) -> tuple[Row, ...]:
    """
    Read the rows of a list, in the vendor's order, each with its `id`.

    {"7": {"entity_id": "7", "sku": "a"}} → ({"id": "7", "entity_id": "7", "sku": "a"},)
    A row whose fields are all hidden comes as its id alone. Members that are null are left out
    unless the instance's `filter.response.nulls` is "false".
    Raises VendorFailure if the answer holds no rows, and SingleRow if it holds an object where
    nothing says that it must be a list, as the answer of /products/count does.
    """
    strip = strips_nulls(configuration)
    data = _find_root(_decode(response, shallow=not strip), resource.root_key)
    pairs = _find_pairs(data, resource)
    if pairs is None and isinstance(data, dict) and resource.collection is None:
        row = read_row(element, resource, response, configuration=configuration)
        raise SingleRow(row)
    if pairs is None:
        raise _not_rows(response)
    primary_key = primary_key_of(element, resource)
    named = tuple(response_names(element, resource))
    try:
        return tuple(
            _finish(
                _name_members(row if isinstance(row, dict) else {}, named),
                key,
                primary_key=primary_key,
                strip=strip,
            )
            for key, row in pairs
        )
    except _TooDeep:
        raise _not_rows(response) from None


def find_rows(resource: Resource, response: Response, *, lone: bool = False) -> tuple[Any, ...]:
    """Return what lies where an answer has its rows, or its `lone` row; nothing if it has none."""
    try:
        data = _find_root(orjson.loads(response.body), resource.root_key)
    except orjson.JSONDecodeError:
        return ()
    pairs = ((None, data),) if lone else _find_pairs(data, resource)
    return () if pairs is None else tuple(row for _, row in pairs)


def read_row(
    element: Element, resource: Resource, response: Response, *, configuration: Configuration
) -> Row:
    """
    Read a single row, with its `id`; see `read_rows`.

    Raises VendorFailure if the answer is no row. An empty list, by which some vendors mean a row
    without visible fields, comes as {}.
    """
    strip = strips_nulls(configuration)
    data = _find_root(_decode(response, shallow=not strip), resource.root_key)
    if data == []:
        return {}
    if isinstance(data, list) and len(data) == 1 and "[*]" in resource.root_key:
        data = data[0]
    if not isinstance(data, dict):
        raise _not_rows(response)
    try:
        return _finish(
            _name_members(data, tuple(response_names(element, resource))),
            None,
            primary_key=primary_key_of(element, resource),
            strip=strip,
        )
    except _TooDeep:
        raise _not_rows(response) from None


def find_created_id(element: Element, resource: Resource, exchange: Exchange) -> str | None:
    """
    Return the id of a row just created, None if the answer does not tell that it was.

    By `writing.idFrom`: the last segment of the Location header ("/api/rest/products/251" →
    "251"), the member of the body that is the primary key, or none. A Location that leads to the
    same address, or to no number where ids are numbers, is a redirect and no creation.
    """
    response = exchange.response
    if resource.writing is not None and resource.writing.id_from == "none":
        return None
    if resource.writing is None or resource.writing.id_from == "body":
        data = _decode(response) if response.body.strip() else None
        data = _find_root(data, resource.root_key)
        value = data.get(primary_key_of(element, resource)) if isinstance(data, dict) else None
        return None if value is None else str(value)
    location = split_address(response.header("Location") or "").path.rstrip("/")
    created = location.rpartition("/")[2]
    if not created or urlsplit(exchange.request.url).path.rstrip("/").endswith(f"/{created}"):
        return None
    return created if not _has_numbers(element, resource) or created.isdigit() else None


def is_created(element: Element, resource: Resource, exchange: Exchange) -> bool:
    """Say whether a status outside 2xx means "created", as the resource's `writing` knows."""
    return (
        resource.writing is not None
        and exchange.response.status in resource.writing.also_created
        and find_created_id(element, resource, exchange) is not None
    )


def compose_row(element: Element, resource: Resource, *, created: str, sent: Row) -> Row:
    """Make the row that was created from what was sent, where it cannot be read back."""
    known = {"id": created, primary_key_of(element, resource): created}
    return {**known, **{name: value for name, value in sent.items() if name != "id"}}


def primary_key_of(element: Element, resource: Resource) -> str:
    """Return the vendor's name of a row's id: "entity_id"; "id" where nothing is said."""
    found = find_object(element, resource.object)
    return found.primary_key_name if found is not None else "id"


def find_object(element: Element, name: str) -> ElementObject | None:
    """Return the object of an element by name, None if it has none so called."""
    for item in element.objects:
        if item.name == name:
            return item
    return None


def strips_nulls(configuration: Configuration) -> bool:
    """Say whether an instance leaves null members out of answers; by default it does."""
    return configuration.get("filter.response.nulls") != "false"


def rule_of(element: Element, exchange: Exchange) -> FailureRule | None:
    """Return the failure rule that an exchange falls under, None for a success."""
    return classify(element, exchange.request.method, exchange.response)


def _decode(response: Response, *, shallow: bool = True) -> Any:
    # Whoever leaves nulls out of rows looks at every depth anyway, and need not ask for it here.
    try:
        data = orjson.loads(response.body)
        if shallow and nests_deeper(data, than=DEEPEST):
            raise _not_rows(response)
        return data
    except orjson.JSONDecodeError as error:
        kind = (response.header("Content-Type") or "an unnamed type").partition(";")[0]
        raise VendorFailure(
            f"The vendor answered with {kind[:60]} that cannot be read as JSON. Something in front "
            "of the vendor's API may have answered in its place.",
            provider_message=provider_message(response),
        ) from error


def nests_deeper(value: Any, *, than: int) -> bool:
    """Say whether lists and objects lie in each other more than so many levels deep."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(than + 1):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _not_rows(response: Response) -> VendorFailure:
    return VendorFailure(
        "The vendor answered with JSON of another shape than its API has. Something in front of "
        "it may have answered in its place.",
        provider_message=provider_message(response),
    )


def _find_root(data: Any, root_key: str) -> Any:
    # "request|response": only the part behind the bar tells where rows lie in an answer.
    path = root_key.rpartition("|")[2]
    each = False
    for name, index in _STEP.findall(path):
        each = each or index == "*"
        if name and each and isinstance(data, list):
            # Behind "[*]": the member of each row, lists of them laid end to end.
            found = [row[name] for row in data if isinstance(row, dict) and name in row]
            data = [
                item for value in found for item in (value if isinstance(value, list) else [value])
            ]
        elif name:
            data = data.get(name) if isinstance(data, dict) else None
        elif index != "*":
            number = int(index)
            data = data[number] if isinstance(data, list) and number < len(data) else None
    return data


def _find_pairs(data: Any, resource: Resource) -> Iterable[tuple[str | None, Any]] | None:
    # Rows and the keys that they stand under, if any; None where there is no list.
    keyed = resource.collection is not None and resource.collection.shape == "keyed"
    if keyed and isinstance(data, dict):
        return data.items()
    return ((None, item) for item in data) if isinstance(data, list) else None


def _finish(row: Row, key: str | None, *, primary_key: str, strip: bool) -> Row:
    own = row.get("id") if primary_key == "id" else row.get(primary_key, key)
    rest = _without_nulls(row, room=DEEPEST) if strip else row
    return rest if own is None or "id" in rest else {"id": own, **rest}


def response_names(element: Element, resource: Resource) -> Iterator[tuple[str, str]]:
    """Give the members of the vendor's rows that callers know by another name: ours, theirs."""
    for item in (*element.parameters, *resource.parameters):
        if item.source == "response" and item.type == item.vendor_type == "bodyField":
            yield item.name, item.vendor_name


def _name_members(row: Row, named: tuple[tuple[str, str], ...]) -> Row:
    for name, vendor_name in named:
        value = find_member(row, vendor_name)
        if value is not None:
            row = {**{key: row[key] for key in row if key != vendor_name}, name: value}
    return row


def _without_nulls(value: Any, *, room: int) -> Any:
    # Rows were read from JSON just now and belong to nobody else, so members are put in place.
    # Most hold plain values only: their kinds tell so faster than a look at each of them.
    if not room:
        raise _TooDeep
    if type(value) is list:
        return [
            _without_nulls(item, room=room - 1) if type(item) in _OUTER else item for item in value
        ]
    kinds = set(map(type, value.values()))
    if NoneType in kinds:
        value = {name: item for name, item in value.items() if item is not None}
    if not kinds.isdisjoint(_OUTER):
        for name, item in value.items():
            if type(item) in _OUTER:
                value[name] = _without_nulls(item, room=room - 1)
    return value


def _has_numbers(element: Element, resource: Resource) -> bool:
    found = find_object(element, resource.object)
    return found is not None and any(_number_keys(found))


def _number_keys(item: ElementObject) -> Iterator[bool]:
    for field in item.fields:
        if field.name == item.primary_key_name:
            yield field.type in ("integer", "long", "number")
