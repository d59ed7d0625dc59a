"""
Say what an answer of a vendor means: success, or one known kind of failure.

The element's own rules come first; what HTTP itself says decides where none of them fits. Pure.
"""

from __future__ import annotations

from polyvalent.catalog.element import Element, FailureKind, FailureRule
from polyvalent.catalog.words import provider_message
from polyvalent.errors import VendorBusy, VendorError, VendorFailure, VendorRefused
from polyvalent.exchange import Response

__all__ = ["STATUS_OF_KIND", "classify", "error_of", "provider_message", "status_of"]

# How a kind of failure is told to our caller.
STATUS_OF_KIND: dict[FailureKind, int] = {
    "reauthorize": 401,
    "configuration": 401,
    "permission": 403,
    "refused": 400,
    "absent": 404,
    "duplicate": 409,
    "wait": 503,
    "transient": 502,
    "ambiguous": 502,
}

_READS = frozenset(("GET", "HEAD", "OPTIONS"))

# What the status alone says, where no rule of the element knows better.
_BY_STATUS: tuple[FailureRule, ...] = (
    FailureRule(
        kind="configuration",
        status=(401,),
        message="The vendor did not accept the credentials of this instance. Check them, or "
        "authorize the instance again.",
    ),
    FailureRule(
        kind="permission",
        status=(402, 403, 451),
        message="The vendor does not permit this to the user that authorized the instance.",
    ),
    FailureRule(kind="absent", status=(404, 410), message="The vendor knows no such row."),
    FailureRule(
        kind="refused",
        status=(405, 501),
        answer=405,
        message="The vendor does not offer this method here.",
    ),
    FailureRule(kind="duplicate", status=(409,), message="The vendor says that it exists already."),
    FailureRule(
        kind="wait",
        status=(429,),
        message="The vendor says that it was called too often. Wait a little and try again.",
    ),
    FailureRule(
        kind="transient",
        status=(408, 425, 500, 502, 503, 504),
        methods=("GET", "HEAD", "OPTIONS"),
        message="The vendor's system failed. Try again later.",
    ),
    FailureRule(
        kind="ambiguous",
        status=(408, 500, 502, 503, 504),
        message="The vendor's system failed while it wrote.",
    ),
)
_REDIRECTED = FailureRule(
    kind="configuration",
    answer=502,
    message="The vendor redirects to another address. Signed calls do not follow redirects: set "
    "the vendor's address in the instance's configuration to the one it redirects to.",
)
_REFUSED = FailureRule(kind="refused", message="The vendor refused the request.")
_FAILED_READ = FailureRule(kind="transient", message="The vendor's system failed.")
_FAILED_WRITE = FailureRule(kind="ambiguous", message="The vendor's system failed while it wrote.")


def classify(element: Element, method: str, response: Response) -> FailureRule | None:
    """
    Return the rule that a vendor's answer falls under, or None for a success (any 2xx).

    `method` is the vendor's method, as sent. The element's failure rules are asked in order, then
    the status decides; so a status outside 2xx always has a rule.
    """
    if 200 <= response.status < 300:
        return None
    text = response.body.decode("utf-8", errors="replace")
    content_type = (response.header("Content-Type") or "").lower()
    for rule in (*element.failures, *_BY_STATUS):
        if _fits(rule, method, response, text=text, content_type=content_type):
            return rule
    if 300 <= response.status < 400:
        return _REDIRECTED
    if response.status < 500:
        return _REFUSED
    return _FAILED_READ if method in _READS else _FAILED_WRITE


def status_of(rule: FailureRule) -> int:
    """Return the normalized status that a rule's failures are answered with."""
    return rule.answer or STATUS_OF_KIND[rule.kind]


def error_of(rule: FailureRule, response: Response, *, hint: str = "") -> VendorError:
    """
    Make the error for an answer that fell under a rule; `hint` is appended to its message.

    The vendor's own words come along as `provider_message`.
    """
    status = status_of(rule)
    message = f"{rule.message} {hint}".strip()
    words = provider_message(response)
    if status == VendorBusy.status:
        return VendorBusy(message, retry_after_s=1, provider_message=words)
    if status == VendorFailure.status:
        return VendorFailure(message, provider_message=words)
    return VendorRefused(message, status=status, provider_message=words)


def _fits(
    rule: FailureRule, method: str, response: Response, *, text: str, content_type: str
) -> bool:
    return (
        (not rule.status or response.status in rule.status)
        and (not rule.methods or method in rule.methods)
        and (not rule.content_type or content_type.startswith(rule.content_type.lower()))
        and (not rule.empty_body or not text.strip())
        and rule.contains in text
    )
