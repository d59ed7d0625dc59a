"""Tell how a search would be answered, without asking the vendor anything. Pure."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from polyvalent.ceql import explain_plan
from polyvalent.hub.build import build_request
from polyvalent.hub.made_call import MadeCall
from polyvalent.hub.model import Pairs
from polyvalent.hub.search_pairs import has_cursor, search_pairs
from polyvalent.hub.search_query import Search
from polyvalent.hub.walk import begin_walk, first_page, largest_page
from polyvalent.instances.configuration import is_secret
from polyvalent.instances.model import Configuration, Connection

_HIDDEN = "hidden"
_FIELDS_SHOWN_MAX = 12


def explain_search(made: MadeCall, search: Search, *, scan_limit: int) -> dict[str, Any]:
    """
    Explain a search as plain JSON.

    {"where": "sku = 'a'", "calls": [{"method": "GET", "url": "https://..."}], "pushed": [...],
    "residual": "sku = 'a'", ..., "scan": {"rowsAtMost": 10000, ...}}: what `explain_plan` tells,
    the query in the caller's own names, and the first call to the vendor, unsigned. Secrets of
    the instance do not show.
    """
    plan = search.query.plan
    whole = made.match.resource.pagination_type == "VENDOR_NOT_SUPPORTED"
    scans = plan.scans and not whole
    most = -(-scan_limit // largest_page(made)) + 1 if scans else 1 if whole else 3
    told = explain_plan(plan)
    return {
        "where": search.query.where or None,
        "orderBy": search.query.order or None,
        "calls": [_show_call(made, _first_pairs(made, search))],
        "callsAtMost": most,
        **told,
        "walk": "whole list" if whole else _describe_walk(made, search),
        "scan": {"rowsAtMost": scan_limit, "then": _describe_limit(search)} if scans else None,
    }


def searchable_fields(made: MadeCall) -> str:
    """Return the names of the fields that the vendor filters by, for a message."""
    filtering = made.match.resource.filtering
    filters = filtering.filters if filtering is not None else ()
    names = list(dict.fromkeys(name for item in filters for name in item.fields))
    mapping = made.route.mapping
    if mapping is not None:
        names = [own for name in names if (own := mapping.to_own_field(name)) is not None]
    return ", ".join(names[:_FIELDS_SHOWN_MAX]) or "no field"


def _describe_walk(made: MadeCall, search: Search) -> str:
    if has_cursor(made.match.resource, search.query.plan):
        return "keyset"
    if made.match.resource.next_page_key:
        return "the vendor's tokens"
    return "rows before" if first_page(made) is None else "page numbers"


def _first_pairs(made: MadeCall, search: Search) -> Pairs:
    plan, largest = search.query.plan, largest_page(made)
    from_start = bool(plan.order_here)
    walk = begin_walk(made, search, from_start=from_start)
    if walk.by_token and not plan.scans:
        return walk.pairs(min(search.page_size, largest))
    if plan.scans:
        blind = plan.order_here or walk.by_number or not plan.pushed or search.page > 1
        size = largest if blind else search.page_size + 1
        return walk.pairs(min(size, largest))
    if not walk.by_number and (search.page == 1 or search.last is not None):
        return walk.pairs(min(search.page_size + 1, largest))
    return search_pairs(
        made.match.resource,
        plan,
        page=search.page,
        page_size=search.page_size,
        first_page=first_page(made),
    )


def _show_call(made: MadeCall, pairs: Pairs) -> dict[str, str]:
    request = build_request(
        made.connection.element,
        made.match.resource,
        configuration=_without_secrets(made.connection),
        path_parameters=made.match.path_parameters,
        incoming=made.incoming,
        pairs=pairs,
    )
    return {"method": request.method, "url": request.url}


def _without_secrets(connection: Connection) -> Configuration:
    shown = {
        name: _HIDDEN
        if value and (value in connection.secrets or is_secret(connection.element, name))
        else value
        for name, value in connection.configuration.items()
    }
    base = urlsplit(shown.get("base.url") or "")
    if "@" in base.netloc:
        shown["base.url"] = base._replace(netloc=base.netloc.rpartition("@")[2]).geturl()
    return shown


def _describe_limit(search: Search) -> str:
    if search.query.plan.order_here:
        return "the search is refused, since the order needs every row that fits"
    return "the page ends early and nextPage reads on"
