"""
The frame around every REST call: routes, callers, permissions, encodings, errors.

The order of steps is the vendor's: Accept, authentication, route, permission, version, dispatch.
"""

import re
from dataclasses import replace
from typing import Any, Literal

from polyvalent.sandbox.magento import faults, php_query
from polyvalent.sandbox.magento.admin_html import report_page
from polyvalent.sandbox.magento.ask import Ask, Handler, Resource, User
from polyvalent.sandbox.magento.attributes import writable
from polyvalent.sandbox.magento.encode import (
    choose_renderer,
    is_associative,
    read_body,
    render,
)
from polyvalent.sandbox.magento.exchange import NO_CACHE, Answer, Call
from polyvalent.sandbox.magento.oauth_verify import OAuthProblem, PhpFatal, verify
from polyvalent.sandbox.magento.php_values import demand_shapes
from polyvalent.sandbox.magento.resources import RESOURCES
from polyvalent.sandbox.magento.rest_errors import (
    ApiError,
    ReportPage,
    invalid_data,
    not_implemented,
)
from polyvalent.sandbox.magento.state import Store, new_code

PRIVILEGES = {"POST": "create", "GET": "retrieve", "PUT": "update", "DELETE": "delete"}


def answer_rest(store: Store, call: Call) -> Answer:
    """Answer a REST call."""
    media_type = choose_renderer(call.headers.get("accept", ""))
    if media_type is None:
        return Answer(status=500, body=b"Service temporary unavailable")
    content_type = f"{media_type}; charset=utf-8"
    try:
        value, status, headers = serve(store, call)
    except ApiError as error:
        messages = [{"code": code, "message": text} for code, text in error.messages]
        body = render({"messages": {"error": messages}}, media_type)
        return Answer(status=error.status, content_type=content_type, body=body)
    except ReportPage:
        return Answer(status=503, body=report_page())
    if store.options.web_server == "fcgid" and any(name == "Location" for name, _ in headers):
        # mod_fcgid takes a path in Location for an internal redirect and runs the request again,
        # as a GET of the original address with the original Authorization.
        return answer_rest(store, replace(call, method="GET", body=b""))
    if PRIVILEGES.get(call.method) != "retrieve":
        if store.happens(store.options.lost_answers):
            return faults.lost_answer()
        if value is None:
            # A session that means nothing, as all of the vendor's.
            cookie = ("Set-Cookie", f"PHPSESSID={new_code()}; Max-Age=10800; path=/; HttpOnly")
            return Answer(status=status, headers=(cookie, *NO_CACHE, *headers))
    return Answer(
        status=status, content_type=content_type, body=render(value, media_type), headers=headers
    )


def serve(store: Store, call: Call) -> tuple[Any, int, tuple[tuple[str, str], ...]]:
    """Carry out a REST call and return the answer's value, status and headers."""
    user = authenticate(store, call)
    path = re.sub(r"/+", "/", call.path).strip("/")
    parts = path.split("/")[2:] if not path.startswith("api.php") else None
    if parts is None:
        raise ApiError((404, "Request does not match type route."))
    resource, kind, route = find_route(store, parts)
    privilege = PRIVILEGES.get(call.method)
    if privilege is None:
        raise ApiError((400, "Invalid request method"))
    if user.role.resources is not None and privilege not in user.role.resources.get(
        resource.name, set()
    ):
        raise ApiError((403, "Access denied"))
    version = call.headers.get("version", "1")
    if not re.fullmatch(r"[1-9]\d*", version):
        raise ApiError((400, f'Invalid version "{version}" requested.'))
    ask = Ask(
        store=store,
        call=call,
        user=user,
        resource=resource.name,
        route=route,
        query=php_query.parse(call.query),
    )
    return dispatch(resource, kind, ask=ask)


def authenticate(store: Store, call: Call) -> User:
    """
    Find out who calls: only an OAuth header counts, anything else is a guest.

    Raises ApiError 401 with the vendor's problem text, 500 for an admin without a REST role.
    """
    header = call.headers.get("authorization", "")
    if header[:5].lower() != "oauth":
        return User(kind="guest", role=store.guest)
    try:
        token = verify(store, call, kind="resource").token
    except OAuthProblem as problem:
        raise ApiError((401, f"oauth_problem={problem.text}")) from problem
    assert token is not None
    if token.customer_id is not None:
        return User(kind="customer", role=store.customer_role, customer_id=token.customer_id)
    role = store.admins[token.admin or store.admin_user].role
    if role is None:
        raise ApiError((0, "Admin role not found"))
    return User(kind="admin", role=role)


def find_route(
    store: Store, parts: list[str]
) -> tuple[Resource, Literal["entity", "collection"], dict[str, str]]:
    """Match a path to a resource; names are case-sensitive."""
    is_classic = store.options.flavor == "classic"
    for resource in RESOURCES:
        for pattern, kind in resource.routes:
            if is_classic and pattern in resource.only_newer:
                continue
            wanted = pattern.strip("/").split("/")
            if len(wanted) != len(parts):
                continue
            pairs = list(zip(wanted, parts, strict=True))
            if all(w.startswith(":") or w == p for w, p in pairs):
                return resource, kind, {w[1:]: p for w, p in pairs if w.startswith(":")}
    raise ApiError((404, "Request does not match any route."))


def dispatch(
    resource: Resource, kind: Literal["entity", "collection"], *, ask: Ask
) -> tuple[Any, int, tuple[tuple[str, str], ...]]:
    """Call the resource's function for a method."""
    method = ask.call.method
    if method == "GET":
        handler = find_handler(resource, ask, name="retrieve" if kind == "entity" else "list")
        return handler(ask), 200, ()
    if method == "DELETE":
        handler = find_handler(resource, ask, name="delete" if kind == "entity" else "multi_delete")
        handler(ask)
        return None, 200, ()
    if method == "PUT":
        if kind == "entity":
            handler = find_handler(resource, ask, name="update")
            handler(filter_body(ask, read_data(ask)))
            return None, 200, ()
        handler = find_handler(resource, ask, name="multi_update")
        return handler(with_body(ask, members(read_data(ask)))), 207, ()
    if kind == "entity":
        raise not_implemented()
    if not {"create", "multi_create"} & set(resource.handlers):
        raise not_implemented()
    data = read_data(ask)
    if not is_associative(data):
        handler = find_handler(resource, ask, name="multi_create")
        return handler(with_body(ask, members(data))), 207, ()
    handler = find_handler(resource, ask, name="create")
    location = handler(filter_body(ask, data))
    return None, created_status(ask.store), (("Location", f"/api/rest/{location}"),)


def find_handler(resource: Resource, ask: Ask, *, name: str) -> Handler:
    """Return a resource's function, or refuse as not implemented."""
    is_missing = ask.store.options.flavor == "classic" and name in resource.only_newer
    if name not in resource.handlers or is_missing:
        raise not_implemented()
    return resource.handlers[name]


def read_data(ask: Ask) -> Any:
    """Read the body and refuse an empty one."""
    data = read_body(ask.call.headers.get("content-type", ""), ask.call.body)
    if data in (None, False, 0, "", "0") or data in ([], {}):
        raise invalid_data()
    return data


def members(data: Any) -> list[Any]:
    """Return the members of a PHP array; a scalar is fatal."""
    if not isinstance(data, (dict, list)):
        raise PhpFatal
    return list(data.values()) if isinstance(data, dict) else list(data)


def filter_body(ask: Ask, data: Any) -> Ask:
    """Drop what may not be written, and refuse if nothing is left."""
    if not isinstance(data, (dict, list)):
        is_associative(data)
    names = writable(ask.resource, user=ask.user.kind, role=ask.user.role)
    kept = {k: v for k, v in data.items() if k in names} if isinstance(data, dict) else {}
    if not kept:
        raise invalid_data()
    demand_shapes(kept)
    return with_body(ask, kept)


def with_body(ask: Ask, body: Any) -> Ask:
    """Return the same call with a body."""
    return replace(ask, body=body)


def created_status(store: Store) -> int:
    """Return the status that the web server makes of a 200 with a Location."""
    return 302 if store.options.web_server == "nginx" else 200
