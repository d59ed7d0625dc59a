"""
Read what is polled: JSON of `event.poller.configuration`, older lines, or the element. Pure.

An instance that says nothing is polled as its element's objects tell: each list that is no part of
another, by the dates that its object has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from polyvalent.catalog.element import Element, ElementObject, Resource
from polyvalent.catalog.metadata import polled_resources
from polyvalent.date_mask import compile_date_mask
from polyvalent.errors import BadRequest
from polyvalent.events.placeholders import find_zone

PAGE_SIZE = 100
TOLERANCE_S = 10.0
_API = "/elements/api-v2"
_LINE = 9  # parts of a line of the older form
_EXAMPLE = (
    '{"orders": {"url": "/hubs/ecommerce/orders?where=updated_at>\'${gmtDate:yyyy-MM-dd HH:mm:ss}'
    '\'", "idField": "id", "datesConfiguration": {"updatedDateField": "updated_at", …}}}'
)


class DateField(Struct, frozen=True, kw_only=True):
    """Say where a row has a date, and how it is written there."""

    path: str
    mask: str = ""
    zone: str = "GMT"

    @property
    def clock(self) -> tzinfo:
        """Return the zone."""
        return find_zone(self.zone)


class Polled(Struct, frozen=True, kw_only=True):
    """
    Say how the rows of one resource are polled.

    `url` has the placeholders that `placeholders` fills. Without dates rows are told from their
    earlier selves by a digest.
    """

    name: str
    url: str
    id_field: str
    updated: DateField | None = None
    created: DateField | None = None
    page_size: int = PAGE_SIZE
    poll_delay_s: float = 0.0
    tolerance_s: float = TOLERANCE_S
    by_updated: bool = True
    until_now: bool = False

    @property
    def path(self) -> str:
        """Return the path that is called, without the API's base: "/hubs/ecommerce/orders"."""
        return self.url.partition("?")[0].removeprefix(_API)

    @property
    def has_dates(self) -> bool:
        """Say whether changed rows can be asked for by a date."""
        return "${" in self.url and (self.updated is not None or self.created is not None)

    def query(self, url: str) -> tuple[tuple[str, str], ...]:
        """Return the query of a filled address: "…?where=t>'1'&x=2" → (("where", "t>'1'"), …)."""
        pairs = (part.partition("=") for part in url.partition("?")[2].split("&") if part)
        return tuple((unquote(name), unquote(value)) for name, _, value in pairs)


_Seconds = float | None


class _Dates(Struct, frozen=True, rename="camel"):
    updated_date_field: str = ""
    updated_date_format: str = ""
    updated_date_timezone: str = "GMT"
    created_date_field: str = ""
    created_date_format: str = ""
    created_date_timezone: str = "GMT"


class _Entry(Struct, frozen=True, rename="camel"):
    url: str
    id_field: str
    dates_configuration: _Dates = _Dates()
    filter_by_updated_date: bool | None = None
    filter_by_update_date: bool | None = None  # as one of the vendor's pages spells it
    filter_by_current_date: bool = False
    created_check_tolerance: _Seconds = None
    page_size: int | None = None
    poll_delay: float = 0.0


def read_poll_configuration(value: str | Mapping[str, Any]) -> tuple[Polled, ...]:
    """
    Read the configuration of polling, an object or its JSON text.

    {"orders": {"url": "/hubs/ecommerce/orders?where=…", "idField": "entity_id"}}
    Raises BadRequest, naming the resource and the member that is wrong.
    """
    try:
        found = json.loads(value) if isinstance(value, str) else dict(value)
    except ValueError as error:
        raise BadRequest(
            f"event.poller.configuration is no JSON: {error}. It looks like {_EXAMPLE}."
        ) from error
    if not isinstance(found, dict):
        raise BadRequest(f"event.poller.configuration must be an object such as {_EXAMPLE}.")
    return tuple(_read_entry(str(name), entry) for name, entry in found.items())


def read_poll_urls(text: str) -> tuple[Polled, ...]:
    """
    Read the older lines of `event.poller.urls`.

    resource|url|path of the id|updated field|format|zone|created field|format|zone
    Raises BadRequest, naming the line.
    """
    polled = []
    for number, line in enumerate(text.replace("\\n", "\n").splitlines(), start=1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) < 3 or len(parts) > _LINE or not parts[0] or not parts[1]:
            raise BadRequest(
                f"Line {number} of event.poller.urls must be resource|url|path of the id|updated "
                "field|format|zone|created field|format|zone."
            )
        parts += [""] * (_LINE - len(parts))
        polled.append(
            _check(
                Polled(
                    name=parts[0],
                    url=parts[1],
                    id_field=parts[2] or "id",
                    updated=_date(parts[3], parts[4], parts[5]),
                    created=_date(parts[6], parts[7], parts[8]),
                )
            )
        )
    return tuple(polled)


def derive_polled(element: Element) -> tuple[Polled, ...]:
    """Derive from an element's objects how its lists are polled."""
    objects = {item.name: item for item in element.objects}
    return tuple(
        _derive(element, resource, objects[resource.object])
        for resource in polled_resources(element)
    )


def find_polled(configuration: Mapping[str, str | None], element: Element) -> tuple[Polled, ...]:
    """
    Find what an instance polls, by its configuration or else by its element.

    `event.objects` limits it to some. Raises BadRequest where the configuration is wrong.
    """
    if text := configuration.get("event.poller.configuration"):
        polled = read_poll_configuration(text)
    elif text := configuration.get("event.poller.urls"):
        polled = read_poll_urls(text)
    else:
        polled = derive_polled(element)
    wanted = {name.strip() for name in (configuration.get("event.objects") or "").split(",")} - {""}
    if not wanted:
        return polled
    unknown = wanted - {item.name for item in polled}
    if unknown:
        raise BadRequest(
            f"event.objects names {', '.join(sorted(unknown))[:200]}, which is not polled. There "
            f"are: {', '.join(item.name for item in polled)}."
        )
    return tuple(item for item in polled if item.name in wanted)


def _read_entry(name: str, entry: Any) -> Polled:
    try:
        read = msgspec.convert(entry, _Entry, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(
            f"event.poller.configuration: {name[:60]!r} cannot be used: {error}. It looks like "
            f"{_EXAMPLE}."
        ) from error
    dates = read.dates_configuration
    by_updated = read.filter_by_updated_date
    if by_updated is None:
        by_updated = read.filter_by_update_date
    return _check(
        Polled(
            name=name,
            url=read.url,
            id_field=read.id_field,
            updated=_date(
                dates.updated_date_field, dates.updated_date_format, dates.updated_date_timezone
            ),
            created=_date(
                dates.created_date_field, dates.created_date_format, dates.created_date_timezone
            ),
            page_size=PAGE_SIZE if read.page_size is None else read.page_size,
            poll_delay_s=read.poll_delay,
            tolerance_s=(
                TOLERANCE_S
                if read.created_check_tolerance is None
                else read.created_check_tolerance
            ),
            by_updated=True if by_updated is None else by_updated,
            until_now=read.filter_by_current_date,
        )
    )


def _date(path: str, mask: str, zone: str) -> DateField | None:
    return DateField(path=path, mask=mask, zone=zone or "GMT") if path else None


def _check(polled: Polled) -> Polled:
    for fault in _faults(polled):
        raise BadRequest(f"event.poller.configuration: {polled.name[:60]!r}: {fault}")
    return polled


def _faults(polled: Polled) -> Iterator[str]:
    if not polled.path.startswith("/"):
        yield f"url must be a path such as /hubs/ecommerce/orders, not {polled.url[:60]!r}."
    if not polled.id_field:
        yield "idField is missing: where a row has its id."
    if not 1 <= polled.page_size <= 2000:
        yield "pageSize must be a whole number from 1 to 2000."
    if polled.poll_delay_s < 0 or polled.tolerance_s < 0:
        yield "pollDelay and createdCheckTolerance must be seconds, 0 or more."
    for date in (polled.updated, polled.created):
        if date is None:
            continue
        try:
            _ = compile_date_mask(date.mask, date.clock)
        except ValueError as error:
            yield f"{error}."
        except BadRequest as error:
            yield error.message


def _derive(element: Element, resource: Resource, of: ElementObject) -> Polled:
    path = resource.path.removeprefix(f"/hubs/{element.hub}")
    updated = _date(of.updated_date_name, of.updated_date_format, "GMT")
    created = _date(of.created_date_name, of.created_date_format, "GMT")
    date = updated or created
    url = f"/hubs/{element.hub}{path}"
    if date is not None:
        mask = date.mask or "yyyy-MM-dd'T'HH:mm:ss'Z'"
        url += f"?where={date.path}>='${{gmtDate:{mask}}}'"
    return Polled(
        name=path.strip("/"),
        url=url,
        id_field=of.primary_key_name or "id",
        updated=updated,
        created=created,
    )
