"""Turn a store's refusal of a handshake or a first call into an error that says what to do."""

from __future__ import annotations

from polyvalent.auth.oauth1_answer import OAuthProblem, parse_problem
from polyvalent.auth.oauth1_refusal import Refusal, Step, describe_refusal, explain_refusal
from polyvalent.catalog.classify import classify, provider_message
from polyvalent.catalog.element import Element
from polyvalent.errors import BadRequest, PolyvalentError, VendorFailure, VendorRefused
from polyvalent.exchange import Response
from polyvalent.instances.reach import Reached

# The share of the probability below which a cause is not worth a person's time.
WORTH_NAMING = 0.1
# Problems that the caller mends by changing the request rather than the credentials.
_BAD_REQUESTS = frozenset(("parameter_rejected", "parameter_absent", "version_rejected"))


def refusal_of(reached: Reached, *, step: Step, element: Element) -> PolyvalentError:
    """
    Make the error for an OAuth step that was not answered with 200.

    A named OAuth problem is explained by likelihood; an answer that names none is no OAuth
    server's, or a server that is down.
    """
    response = reached.response
    problem = parse_problem(response.body, response.headers)
    if problem is None or problem.name == "internal_error":
        return _unnamed(reached, element=element, problem=problem)
    refusal = Refusal(
        step=step,
        url=reached.decisive.exchange.request.url.partition("?")[0],
        problem=problem,
        status=response.status,
        skew_s=reached.skew_s,
        proxied=is_proxied(response),
        tried=tuple(attempt.variant for attempt in reached.attempts),
    )
    others = [
        f"{cause.text} {cause.what_to_do}"
        for cause in explain_refusal(refusal)[1:3]
        if cause.weight >= WORTH_NAMING
    ]
    message = describe_refusal(refusal)
    if others:
        message += f" Otherwise: {' Or: '.join(others)}"
    status = 400 if problem.name in _BAD_REQUESTS else 401
    return VendorRefused(message, status=status, provider_message=provider_message(response))


def is_proxied(response: Response) -> bool:
    """Say whether an answer shows that something stands between the store and us."""
    return any(
        response.header(name) is not None for name in ("Via", "X-Cache", "CF-Ray", "X-Varnish")
    )


def wrong_place(reached: Reached, *, element: Element, found: str) -> PolyvalentError:
    """Make the error for an address that answers, but not as this element's vendor does."""
    url = reached.decisive.exchange.request.url.partition("?")[0]
    return BadRequest(
        f"{url} answered {found} where OAuth credentials were expected, so this is probably not "
        f"a {element.name} store, or its API is switched off. Check the store's address: it is "
        "the one its start page has, with the sub-directory if there is one.",
        provider_message=provider_message(reached.response),
    )


def _unnamed(
    reached: Reached, *, element: Element, problem: OAuthProblem | None
) -> PolyvalentError:
    response = reached.response
    url = reached.decisive.exchange.request.url.partition("?")[0]
    words = provider_message(response)
    rule = classify(element, "POST", response)
    if 300 <= response.status < 400:
        target = (response.header("Location") or "elsewhere").partition("?")[0]
        return BadRequest(
            f"{url} redirects to {target}. Signed calls do not follow redirects: give the store's "
            "address as it is after the redirect (https or http, with or without www).",
            provider_message=words,
        )
    if response.status >= 500 or problem is not None:
        return VendorFailure(
            rule.message
            if rule is not None and rule.message
            else f"The store failed with status {response.status} at {url}. Try again later; if "
            "it stays, the store's own error log says why.",
            provider_message=words,
        )
    if response.status in (404, 405, 200, 400):
        return wrong_place(reached, element=element, found=f"status {response.status}")
    return VendorRefused(
        f"{url} answered status {response.status} without naming an OAuth problem. Something in "
        "front of the store (a firewall, a password page, a maintenance page) may answer in its "
        "place, or this is no such store.",
        status=400,
        provider_message=words,
    )
