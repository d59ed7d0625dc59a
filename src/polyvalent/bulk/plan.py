"""
Decide how a store is asked for the rows of a download.

What the data plane does for a page is done here for a whole list: the same query language, the
same mapped names, the same split into what the vendor filters and what is filtered here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Literal

import orjson

from polyvalent.bulk.bounds import DateQuery, find_date_query
from polyvalent.bulk.model import Asked
from polyvalent.bulk.relations import Relation, read_relations
from polyvalent.catalog.element import Element, ElementObject, Resource
from polyvalent.ceql import Tree, all_of, parse_where, write_where
from polyvalent.ceql.tree import Comparison, Text
from polyvalent.errors import BadRequest, MethodNotAllowed
from polyvalent.hub.access import HubAccess, Opened
from polyvalent.hub.compiled_rows import Reading, find_reading
from polyvalent.hub.made_call import MadeCall
from polyvalent.hub.mapped import find_route, own_names
from polyvalent.hub.model import Incoming, Pairs
from polyvalent.hub.query import Query, check_projection, compile_query
from polyvalent.hub.read import find_object, strips_nulls
from polyvalent.hub.resolve import resolve, top_resources
from polyvalent.hub.search_pairs import has_cursor
from polyvalent.hub.search_query import page_size_max, vendor_page_size_max

# keyset: behind the last row's key; token: as each answer says; number: page by page; whole: the
# list in one answer.
Way = Literal["keyset", "token", "number", "whole"]
# filter: the vendor is asked for what has changed; compare: every row is read, and compared with
# those of the run before; reread: every row is read and given.
Method = Literal["filter", "compare", "reread"]


@dataclass(frozen=True, kw_only=True)
class Increment:
    """Say what a run that begins where another ended asks for."""

    field: str | None
    begin: datetime
    end: datetime | None
    method: Method


@dataclass(frozen=True, kw_only=True)
class ReadPlan:
    """Hold how the rows of one download are read, and what each becomes."""

    made: MadeCall = field(repr=False)
    query: Query = field(repr=False)
    way: Way
    page_size: int
    extra: Pairs  # a bound in the vendor's own words
    key_field: str
    changed_field: str | None  # of the vendor's rows
    created_field: str | None
    increment: Increment | None
    relations: tuple[Relation, ...]
    statement: str  # digest of what is asked for, dates aside

    @property
    def resource(self) -> Resource:
        """Return the list that is read."""
        return self.made.match.resource

    @property
    def element(self) -> Element:
        """Return the element of the instance."""
        return self.made.connection.element

    @property
    def reading(self) -> Reading | None:
        """
        Return how rows are read that are only written again, in a fraction of the time.

        None where rows have to be looked at: filtered, cut down or put together here.
        """
        made = self.made
        if self.query.plan.residual is not None or self.relations:
            return None
        if not strips_nulls(made.connection.configuration):
            return None
        mapping = made.route.mapping
        if mapping is not None and (mapping.moves is None or not mapping.moves.passing):
            return None  # the receipt tells of members that the mapping leaves out
        return find_reading(self.element, self.resource, mapping)

    def lacking(self) -> BadRequest:
        """Return what to say where the vendor refuses a field that the query is about."""
        return BadRequest(
            f"This {self.element.name} does not tell {' and '.join(self.query.optional)} of "
            f"{self.resource.object}: its version is older than the one that brought it, or the "
            "vendor's user may not see it. Ask by other fields."
        )


def make_read_plan(
    access: HubAccess, opened: Opened, asked: Asked, *, method: Method | None = None
) -> ReadPlan:
    """
    Decide how to read what is asked for; `method` where it turned out before what the vendor can.

    Raises BadRequest for an object that the instance does not have or that is not downloaded in
    bulk, and for what cannot be read of the query.
    """
    made = _make_call(access, opened, asked.object)
    resource, configuration = made.match.resource, opened.connection.configuration
    shown = find_object(opened.element, resource.object)
    _check_enabled(opened.element, shown, asked.object)
    mapping = made.route.mapping
    check_projection(asked.fields, element=opened.element, resource=resource, mapping=mapping)
    dates = find_date_query(shown, configuration)
    increment = _find_increment(asked, dates, method)
    extra: Pairs = ()
    tree = parse_where(asked.where)
    if increment is not None and increment.method == "filter":
        assert dates is not None  # nothing is filtered by no field
        bounds = dates.bounds(increment.begin, increment.end)
        if resource.filtering is None and dates.declared:
            # The element's author names the vendor's own parameter.
            extra = tuple((dates.field, text) for _, text in bounds[:1])
            bounds = bounds[1:]
        own = own_names(mapping, (dates.field,))
        if bounds and not own:
            raise BadRequest(
                f"{asked.object} is mapped without {dates.field}, the field that rows are limited "
                "by. Map it, or ask for the object by the vendor's name."
            )
        predicates: list[Tree] = [Comparison(own[0], sign, Text(text)) for sign, text in bounds]
        parts = [*(() if tree is None else (tree,)), *predicates]
        tree = all_of(parts) if parts else None
    query = compile_query(
        write_where(tree), asked.order, element=opened.element, resource=resource, mapping=mapping
    )
    if query.plan.order_here:
        raise BadRequest(
            f"A bulk download of {asked.object} cannot be sorted by "
            f"{query.plan.order_here[0].field}: the vendor does not sort by it. Leave ORDER BY "
            "out, or sort the file."
        )
    return ReadPlan(
        made=made,
        query=query,
        way=_find_way(resource, query),
        page_size=min(
            page_size_max(resource, configuration.get("pagination.max")),
            vendor_page_size_max(opened.element, resource),
        ),
        extra=extra,
        key_field=_key_field(resource, shown),
        changed_field=(shown.updated_date_name or None) if shown is not None else None,
        created_field=_created_field(shown, configuration.get("bulk.attribute.created_time")),
        increment=increment,
        relations=read_relations(
            configuration.get("bulk.relations"),
            element=opened.element,
            resource=resource,
            shown=shown,
        ),
        statement=_digest(asked),
    )


def _make_call(access: HubAccess, opened: Opened, name: str) -> MadeCall:
    incoming = Incoming(method="GET", path=f"/{name}")
    unknown = BadRequest(
        f"There is no object {name[:80]!r} to download. Objects of {opened.element.name}: "
        f"{', '.join((*top_resources(opened.element), *sorted(opened.mappings.names())))}."
    )
    if "/" in name or "{" in name:
        raise unknown
    route = find_route(opened.element, incoming.path, opened.mappings.find)
    try:
        match = resolve(opened.element, "GET", route.path)
    except (BadRequest, MethodNotAllowed) as error:
        raise unknown from error
    if match.path_parameters:
        raise unknown
    return MadeCall(
        connection=opened.connection,
        incoming=incoming,
        route=route,
        match=match,
        reach=access.reach,
    )


def _check_enabled(element: Element, shown: ElementObject | None, name: str) -> None:
    if not element.bulk_download_enabled:
        raise BadRequest(f"Bulk download is disabled for {element.name}.")
    if shown is not None and not shown.bulk_download_enabled:
        raise BadRequest(
            f"Bulk download is disabled for {name}: its object says bulkDownloadEnabled false."
        )


def _find_increment(
    asked: Asked, dates: DateQuery | None, method: Method | None
) -> Increment | None:
    begin = asked.begin
    if begin is None:
        return None
    found: Method = "compare" if dates is None else "filter"
    return Increment(
        field=None if dates is None else dates.field,
        begin=begin,
        end=asked.end,
        method=method or found,
    )


def _find_way(resource: Resource, query: Query) -> Way:
    if resource.pagination_type == "VENDOR_NOT_SUPPORTED":
        return "whole"
    if has_cursor(resource, query.plan):
        return "keyset"
    return "token" if resource.next_page_key else "number"


def _key_field(resource: Resource, shown: ElementObject | None) -> str:
    if resource.collection is not None and resource.collection.cursor_field:
        return resource.collection.cursor_field
    return shown.primary_key_name if shown is not None else "id"


def _created_field(shown: ElementObject | None, named: str | None) -> str | None:
    if shown is None:
        return named or None
    known = {item.name for item in shown.fields}
    if named and (not known or named in known):
        return named
    return shown.created_date_name or None


def _digest(asked: Asked) -> str:
    said = [asked.object, asked.where, asked.order, sorted(asked.fields)]
    return sha256(orjson.dumps(said)).hexdigest()[:32]
