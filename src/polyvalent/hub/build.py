"""Build the vendor's request for a resource and its parameters, unsigned. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from polyvalent.auth.percent import encode_query, percent_encode
from polyvalent.catalog.element import Element, Parameter, Resource, VerificationRead
from polyvalent.catalog.placeholder import placeholders_of
from polyvalent.errors import BadRequest
from polyvalent.exchange import Headers, Request, Response
from polyvalent.hub.model import Incoming, Pairs, PathParameters
from polyvalent.hub.same import by_identity
from polyvalent.hub.values import Values, check_size
from polyvalent.hub.vendor_body import build_body
from polyvalent.instances.model import Configuration


def build_request(
    element: Element,
    resource: Resource,
    *,
    configuration: Configuration,
    path_parameters: PathParameters,
    incoming: Incoming,
    pairs: Pairs = (),
    echoed: Pairs = (),
    body: bytes = b"",
    previous: Response | None = None,
) -> Request:
    """
    Build the request that a resource stands for.

    GET /products/{id} with {"id": "a/b"} → GET https://shop.example/api/rest/products/a%2Fb, with
    the element's headers. `pairs` are vendor query pairs that come last. `configuration` has its
    placeholders filled; `echoed` are pairs of an address that the vendor gave, of which those
    that parameters give are left out; `previous` is the answer to the call before in a chain.
    Raises BadRequest if the vendor's path needs a value that nothing gives, and as `build_body`.
    """
    values = Values(
        configuration=configuration,
        path=path_parameters,
        incoming=incoming,
        body=body,
        previous=previous,
    )
    plan = _plan(element, resource)
    query = (*_pairs(plan.query, values), *pairs)
    if echoed:
        own = {name for name, _ in query}
        query = (*query, *(pair for pair in echoed if pair[0] not in own))
    path = _fill_path(
        resource.vendor_path,
        plan.placeholders,
        {**path_parameters, **dict(_pairs(plan.path, values))},
        resource=resource,
    )
    method = resource.vendor_method or resource.method
    sent, content_type = b"", ""
    if method != "GET":
        sent, content_type = build_body(resource, plan.parameters, values)
    given = _pairs(plan.headers, values)
    if content_type.startswith("multipart/"):
        # Only this one knows the boundary.
        given = tuple(pair for pair in given if pair[0].lower() != "content-type")
    if content_type and not any(name.lower() == "content-type" for name, _ in given):
        given = (*given, ("Content-Type", content_type))
    return Request(
        method=method,
        url=_join(configuration, path, query),
        headers=_headers(given, with_body=bool(sent)),
        body=sent,
        template=resource.vendor_path,
    )


def build_verification(
    element: Element, read: VerificationRead, *, configuration: Configuration
) -> Request:
    """Build a verification read: GET https://shop.example/api/rest/products?limit=1."""
    values = Values(configuration=configuration, path={}, incoming=_NOTHING)
    of_header = [item for item in element.parameters if item.vendor_type == "header"]
    return Request(
        method="GET",
        url=_join(configuration, read.vendor_path, read.query),
        headers=_headers(_pairs(of_header, values), with_body=False),
        template=read.vendor_path,
    )


_FEW = 20  # values that cannot be too much together, each being as long as a body at most
_NOTHING = Incoming(method="GET", path="/")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    # The request parameters of a resource, and those among them by where they go.
    parameters: tuple[Parameter, ...]
    query: tuple[Parameter, ...]
    path: tuple[Parameter, ...]
    headers: tuple[Parameter, ...]
    placeholders: tuple[str, ...]  # of the vendor's path


@by_identity(kept=1024)
def _plan(element: Element, resource: Resource) -> _Plan:
    declared = (*element.parameters, *resource.parameters)
    parameters = tuple(item for item in declared if item.source == "request")
    query, path, headers = (
        tuple(item for item in parameters if item.vendor_type == kind)
        for kind in ("query", "path", "header")
    )
    return _Plan(
        parameters=parameters,
        query=query,
        path=path,
        headers=headers,
        placeholders=placeholders_of(resource.vendor_path),
    )


def _pairs(parameters: Iterable[Parameter], values: Values) -> Pairs:
    found = tuple(
        [
            (item.vendor_name, value)
            for item in parameters
            if (value := values.find_text(item)) is not None
        ]
    )
    if len(found) > _FEW:
        check_size(sum(len(value) for _, value in found))
    return found


def _headers(given: Pairs, *, with_body: bool) -> Headers:
    defaults = [("Accept", "application/json")]
    if with_body:
        defaults.append(("Content-Type", "application/json"))
    names = {name.lower() for name, _ in given}
    return (*(pair for pair in defaults if pair[0].lower() not in names), *given)


def _fill_path(
    template: str, names: Iterable[str], values: Mapping[str, str], *, resource: Resource
) -> str:
    path = template
    for name in names:
        if name not in values:
            raise BadRequest(
                f"Resource {resource.method} {resource.path}: nothing gives {{{name}}} of its "
                f"vendor path {template} a value."
            )
        path = path.replace(f"{{{name}}}", percent_encode(values[name]))
    return path


def _join(configuration: Configuration, path: str, query: Pairs) -> str:
    base = (configuration.get("base.url") or "").rstrip("/")
    # Without a slash between, a path could make another host of the address.
    url = base + (path if not path or path[0] in "/?" else f"/{path}")
    return f"{url}{'&' if '?' in url else '?'}{encode_query(query)}" if query else url
