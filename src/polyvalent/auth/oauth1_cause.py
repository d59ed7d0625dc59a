"""
Hold the causes that do not depend on anything but the problem and the step.

Data only: which of them apply, and what else does, is the matter of the refusal.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """Name one possible cause of a refusal."""

    text: str  # a sentence: what is the matter
    what_to_do: str  # a sentence: what a person can do about it
    weight: float  # how probable beside the others; shares of 1 once explained


Causes = tuple[Cause, ...]


def cause(weight: float, text: str, what_to_do: str) -> Cause:
    """Build a cause from its weight, its text and what to do."""
    return Cause(text=text, what_to_do=what_to_do, weight=weight)


CLIENT_SECRET = cause(
    6.0,
    "The consumer secret does not belong to the consumer key.",
    "Copy key and secret again from the same entry of the store's administration, without"
    " blanks before or after.",
)
REQUEST_TOKEN_SECRET = cause(
    5.0,
    "The secret used is not the one issued together with this request token.",
    "Send the secret that came with the request token, or start over.",
)
ACCESS_TOKEN_SECRET = cause(
    5.0,
    "The stored token secret does not belong to the access token.",
    "Authorize the instance again.",
)
ADDRESS_REWRITTEN = cause(
    1.0,
    "A proxy in front of the store changes host or path, so the store checks the signature"
    " against another address.",
    "Let the proxy pass host and path unchanged, or use the address that the store itself is"
    " configured with.",
)
PORT_LEFT_OUT = cause(
    4.5,
    "The store leaves the port of its address out when it checks the signature.",
    "Reach the store on its standard port, or let its web server keep the port in the Host header.",
)
TLS_ENDS_EARLY = cause(
    3.0,
    "TLS ends at a proxy and the store believes it was called over http.",
    "Tell the store's web server that the connection is secure (HTTPS=on).",
)
QUERY_AMBIGUOUS = cause(
    3.0,
    'The query can be read in two ways (a raw "+", a repeated name, or one without a value).',
    "Write spaces as %20, arrays with explicit indexes and every parameter as name=value.",
)
CLOCKS_DIFFER = cause(
    6.0,
    "The clocks of the store and of this machine differ.",
    "Compare both with the world's time and synchronize them (NTP).",
)
HELD_BACK = cause(
    2.0,
    "The request was held back on its way for longer than the store allows.",
    "Look for a queueing proxy in between, then try again.",
)

NONCE: Causes = (
    cause(
        5.0,
        "Something between here and the store sent the same request twice.",
        "Turn off automatic retries in the proxy in front of the store, then try again.",
    ),
    cause(
        2.0,
        "The first attempt reached the store though its answer was lost.",
        "Look whether the change was made before trying again.",
    ),
)
CONSUMER_KEY: Causes = (
    cause(
        6.0,
        "The consumer key is mistyped or cut off.",
        "Copy it again from the store's administration, without blanks before or after.",
    ),
    cause(
        3.0,
        "The key belongs to another store, or to its test system.",
        "Check that address and key come from the same store.",
    ),
    cause(
        2.0,
        "The consumer was deleted or disabled in the store.",
        "Look for it in the store's list of OAuth consumers, or register a new one.",
    ),
)
ACCESS_TOKEN: Causes = (
    cause(
        5.0,
        "A newer authorization by the same user for the same consumer replaced this token.",
        "Authorize again, and register a consumer of its own for every system that connects"
        " to the store.",
    ),
    cause(
        3.0,
        "The token was deleted in the store.",
        "Authorize the instance again.",
    ),
    cause(
        1.0,
        "The token belongs to another consumer or another store.",
        "Check that address, consumer key and token come from the same store.",
    ),
)
REQUEST_TOKEN: Causes = (
    cause(
        5.0,
        "The request token was exchanged before: it can be used once.",
        "Start the authorization again.",
    ),
    cause(
        3.0,
        "The request token is too old and was removed.",
        "Start the authorization again and confirm it without a long break.",
    ),
    cause(
        2.0,
        "The request token was issued to another consumer key.",
        "Use the same consumer key and secret for every step.",
    ),
)
REVOKED: Causes = (
    cause(
        5.0,
        "An administrator of the store revoked the access that was granted.",
        "Ask the merchant, then authorize the instance again.",
    ),
)
EXPIRED: Causes = (
    cause(
        5.0,
        "The access was granted for a limited time, which is over.",
        "Authorize the instance again.",
    ),
)
VERIFIER: Causes = (
    cause(
        4.0,
        "The verifier is mistyped or cut off.",
        "Take oauth_verifier from the callback exactly as it arrived.",
    ),
    cause(
        3.0,
        "The merchant has not confirmed the access yet.",
        "Open the authorization page, confirm, and use the verifier that follows.",
    ),
    cause(
        2.0,
        "The verifier belongs to another request token.",
        "Use token and verifier from the same callback.",
    ),
)
PERMISSION: Causes = (
    cause(
        5.0,
        "The user who granted the access may not do this in the store.",
        "Give that user the role and resources needed, then authorize again.",
    ),
)
DECLINED: Causes = (
    cause(
        5.0,
        "The merchant declined the access, or has not granted it yet.",
        "Ask the merchant to authorize, then start again.",
    ),
)
HEADER_DROPPED = cause(
    6.0,
    "The web server or a proxy drops the Authorization header before the store sees it.",
    "Let it pass the header on (for CGI: HTTP_AUTHORIZATION), or send the OAuth parameters in"
    " the query.",
)
CALLBACK = cause(
    2.0,
    "The store does not accept the callback address.",
    "Use a complete http:// or https:// address that the store can parse, the one registered"
    " with the consumer if it compares them.",
)
PARAMETER_FORM = cause(
    2.0,
    "The store does not accept the form of one of the OAuth parameters.",
    "Read the store's own message and compare the parameters that were sent.",
)
VERSION: Causes = (
    cause(
        5.0,
        "The store does not speak version 1.0 of OAuth at this address.",
        "Check the address; the store's documentation names the version it speaks.",
    ),
)
STORE_FAILED = cause(
    2.0,
    "The store failed while it checked the request.",
    "Try again later and read the store's own log if it stays.",
)
CREDENTIALS_UNNAMED = cause(
    2.0,
    "Key, token or their secrets are wrong and the store does not say which.",
    "Copy the credentials again and authorize anew.",
)
