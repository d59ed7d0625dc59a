"""Know how calls of an element's instances show who they are from. Pure."""

from __future__ import annotations

from polyvalent.auth.basic import BasicCredentials, add_basic
from polyvalent.catalog.element import Element
from polyvalent.errors import BadRequest
from polyvalent.exchange import Request
from polyvalent.instances.model import Configuration

SIGNED = "oauth1"
# Whatever such elements need travels in parameters of their own.
_UNAIDED = frozenset(("custom", "none", "apiKey", "customApiKey"))


def scheme_of(element: Element, configuration: Configuration) -> str:
    """
    Return how an instance authenticates: "oauth1", "basic", or "custom" for by parameters alone.

    An element with several ways lets its instances choose by `authentication.type`.
    Raises BadRequest for a way that is not there yet.
    """
    chosen = configuration.get("authentication.type") or element.authentication.type
    if chosen in (SIGNED, "basic"):
        return chosen
    if chosen in _UNAIDED:
        return "custom"
    raise BadRequest(
        f"Element {element.key} authenticates by {chosen[:60]}. Instances can authenticate by "
        "oauth1, basic, or custom (with parameters of the element's own); not by that yet."
    )


def is_signed(element: Element, configuration: Configuration) -> bool:
    """Say whether an instance's calls are signed; raises as `scheme_of`."""
    return scheme_of(element, configuration) == SIGNED


def add_credentials(element: Element, configuration: Configuration, request: Request) -> Request:
    """
    Return a call that is not signed with what shows who it is from.

    A header that the element's parameters have set already stays. Raises BadRequest for basic
    authentication without user name and password, or with characters that cannot be sent.
    """
    if scheme_of(element, configuration) != "basic" or request.header("Authorization"):
        return request
    user = configuration.get("username") or ""
    password = configuration.get("password") or ""
    if not user and not password:
        raise BadRequest(
            f"Element {element.key} authenticates by user name and password: give username, "
            "password or both in `configuration`."
        )
    return add_basic(request, BasicCredentials(user, password))
