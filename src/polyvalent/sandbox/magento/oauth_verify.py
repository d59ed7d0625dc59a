"""
The store's own check of OAuth 1.0a signatures, with the deviations from the standard it has.

Knows how the vendor reads protocol parameters, builds its base string and judges nonces. Signs
nothing. Deviations are those of the recordings (oauth-initiate, oauth-token, oauth-resource) and
of OpenMage's server model and its Zend library.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Literal
from urllib.parse import quote, unquote, unquote_plus

from polyvalent.sandbox.magento.exchange import FORM, Call
from polyvalent.sandbox.magento.state import Consumer, Store, Token

Kind = Literal["initiate", "token", "resource"]

CODE_LENGTH = 32
FUTURE_S = 600
NONCE_LENGTH = 32
NONCE_LIFE_S = 120 * 60
METHODS = ("HMAC-SHA1", "RSA-SHA1", "PLAINTEXT")

NONCE_STATEMENT = "INSERT INTO `oauth_nonce` (`nonce`, `timestamp`) VALUES (?, ?)"

PROTOCOL_NAME = re.compile(r"oauth_[a-z_-]+")
# What the vendor's URI class lets pass in a path or a query.
URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()\[\];/?:@&=+$,]|%[0-9A-Fa-f]{2})*")
CALLBACK = re.compile(
    r"https?://[A-Za-z0-9._-]+(?::\d{1,5})?"
    r"(?:/(?:[A-Za-z0-9\-_.!~*'():@&=+$,;/]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\?(?:[A-Za-z0-9\-_.!~*'()\[\];/?:@&=+$,]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\#(?:[A-Za-z0-9\-_.!~*'()\[\];/?:@&=+$,]|%[0-9A-Fa-f]{2})*)?",
    re.IGNORECASE,
)


class OAuthProblem(Exception):
    """
    Refuse a call in the vendor's words.

    `status` is that of /oauth/*; REST answers every one of them with 401. `text` is the problem
    with its details: "parameter_absent&oauth_parameters_absent=oauth_nonce".
    """

    def __init__(self, text: str, *, status: int) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


class PhpFatal(Exception):
    """End the request the way a PHP fatal error does: status 500, nothing in the body."""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """Hold who called."""

    consumer: Consumer
    token: Token | None
    parameters: dict[str, str]


def verify(store: Store, call: Call, *, kind: Kind) -> Verified:
    """
    Check a call in the vendor's order; the nonce is burnt before the signature is looked at.

    Raises OAuthProblem, and PhpFatal where the vendor's code dies on PHP 8.
    """
    protocol, plain = read_parameters(call, header_only=kind == "resource")
    version = protocol.get("oauth_version")
    if version is not None and version != "1.0":
        raise OAuthProblem("version_rejected", status=400)
    for name in ("oauth_consumer_key", "oauth_signature_method", "oauth_signature"):
        if not protocol.get(name):
            raise absent(name)
    if len(protocol["oauth_consumer_key"]) != CODE_LENGTH:
        raise OAuthProblem("consumer_key_rejected", status=401)
    if protocol["oauth_signature_method"] not in METHODS:
        raise OAuthProblem("signature_method_rejected", status=400)
    if protocol["oauth_signature_method"] != "PLAINTEXT":
        burn_nonce(store, protocol)

    consumer = next((c for c in store.consumers if c.key == protocol["oauth_consumer_key"]), None)
    if consumer is None:
        raise OAuthProblem("consumer_key_rejected", status=401)
    token = None
    if kind == "initiate":
        check_callback(protocol)
    else:
        token = find_token(store, protocol, consumer=consumer, kind=kind)

    expected = signature(
        store, call, parameters=protocol | plain, kind=kind, consumer=consumer, token=token
    )
    if not hmac.compare_digest(expected.encode(), protocol["oauth_signature"].encode()):
        raise OAuthProblem("signature_invalid", status=401)
    return Verified(consumer=consumer, token=token, parameters=protocol)


def absent(name: str) -> OAuthProblem:
    """Name a protocol parameter that is missing or empty."""
    return OAuthProblem(f"parameter_absent&oauth_parameters_absent={name}", status=400)


def read_parameters(call: Call, *, header_only: bool) -> tuple[dict[str, str], dict[str, str]]:
    """
    Split what was sent into protocol parameters and ordinary ones.

    Header, form body and query are asked in this order for protocol parameters, and the first that
    has any wins; protocol parameters elsewhere are dropped. Of a repeated name the last value
    stays, a query part without exactly one "=" is left out, and "+" in the query stays a plus.
    """
    protocol: dict[str, str] = {}
    plain: dict[str, str] = {}
    scheme, _, rest = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "oauth":
        for part in rest.split(","):
            name, sep, value = part.strip().partition("=")
            if sep and PROTOCOL_NAME.search(name):
                protocol[name] = unquote(value.strip('"'))

    if call.headers.get("content-type", "").startswith(FORM):
        found = {}
        for part in call.body.decode("utf-8", "replace").split("&"):
            name, _, value = part.partition("=")
            name = unquote_plus(name)
            if PROTOCOL_NAME.search(name):
                found[name] = unquote_plus(value)
            elif name:
                plain[name] = unquote_plus(value)
        if not protocol and not header_only:
            protocol = found

    if not URI_CHARACTERS.fullmatch(call.raw_path) or not URI_CHARACTERS.fullmatch(call.query):
        raise OAuthProblem("internal_error&message=Invalid URI supplied", status=500)
    found = {}
    for part in call.query.split("&"):
        pieces = part.split("=")
        if len(pieces) != 2:
            continue
        if PROTOCOL_NAME.search(pieces[0]):
            found[unquote_plus(pieces[0])] = unquote_plus(pieces[1])
        else:
            plain[unquote(pieces[0])] = unquote(pieces[1])
    if not protocol and not header_only:
        protocol = found
    return protocol, plain


def burn_nonce(store: Store, protocol: dict[str, str]) -> None:
    """
    Check timestamp and nonce and store the nonce.

    The future is bounded, the past is not. The column holds 32 characters and is unique alone:
    another timestamp, or another nonce with the same start, runs into the database's error.
    """
    nonce = protocol.get("oauth_nonce", "")
    if not nonce:
        raise absent("oauth_nonce")
    text = protocol.get("oauth_timestamp", "")
    if not text or text == "0":
        raise absent("oauth_timestamp")
    digits = re.match(r"\s*[+-]?\d+", text)
    timestamp = int(digits.group()) if digits else 0
    now = store.now_s()
    if timestamp <= 0 or timestamp > now + FUTURE_S:
        raise OAuthProblem("timestamp_refused", status=400)
    if store.nonces.get(nonce) == timestamp:
        raise OAuthProblem("nonce_used", status=401)
    cut = nonce[:NONCE_LENGTH]
    if cut in store.nonces:
        message = (
            "SQLSTATE[23000]: Integrity constraint violation: 1062 Duplicate entry "
            f"'{cut}' for key 'UNQ_OAUTH_NONCE_NONCE', query was: {NONCE_STATEMENT}"
        )
        raise OAuthProblem(f"internal_error&message={message}", status=500)
    store.nonces[cut] = timestamp
    if store.happens(0.01):
        for old in [n for n, at in store.nonces.items() if at < now - NONCE_LIFE_S]:
            del store.nonces[old]


def check_callback(protocol: dict[str, str]) -> None:
    """Demand a callback: "oob" or an http(s) address; it is compared with nothing."""
    callback = protocol.get("oauth_callback")
    if callback is None:
        raise absent("oauth_callback")
    if callback != "oob" and not CALLBACK.fullmatch(callback):
        raise OAuthProblem("parameter_rejected&message=oauth_callback", status=400)


def find_token(store: Store, protocol: dict[str, str], *, consumer: Consumer, kind: Kind) -> Token:
    """Find the token that a call names and check that it may be used for this."""
    name = protocol.get("oauth_token")
    if not name:
        raise absent("oauth_token")
    rejected = OAuthProblem("token_rejected", status=401)
    token = store.tokens.get(name) if len(name) == CODE_LENGTH else None
    if token is None:
        raise rejected
    if kind == "token":
        verifier = protocol.get("oauth_verifier")
        if not verifier:
            raise absent("oauth_verifier")
        if len(verifier) != CODE_LENGTH:
            raise OAuthProblem("verifier_invalid", status=401)
        if token.verifier is None and store.options.php8:
            raise PhpFatal
        if token.verifier != verifier:
            raise OAuthProblem("verifier_invalid", status=401)
        if token.consumer_id != consumer.consumer_id:
            raise rejected
        if token.is_access:
            raise OAuthProblem("token_used", status=401)
        return token
    if token.consumer_id != consumer.consumer_id or not token.is_access:
        raise rejected
    if token.is_revoked:
        raise OAuthProblem("token_revoked", status=401)
    return token


def signature(
    store: Store,
    call: Call,
    *,
    parameters: dict[str, str],
    kind: Kind,
    consumer: Consumer,
    token: Token | None,
) -> str:
    """Work out the signature that this store expects for a call."""
    method = parameters["oauth_signature_method"]
    key = encode(consumer.secret) + "&" + (encode(token.secret) if token else "")
    if method == "PLAINTEXT":
        return key
    if method == "RSA-SHA1":
        # The shared secret is no RSA key; the vendor's code dies on it.
        raise PhpFatal
    text = base_string(store, call, parameters=parameters, kind=kind)
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def base_string(store: Store, call: Call, *, parameters: dict[str, str], kind: Kind) -> str:
    """Build the text that is signed, the way the vendor does."""
    scheme = call.scheme
    if store.options.trust_forwarded_proto and call.headers.get("x-forwarded-proto") == "https":
        scheme = "https"
    host = call.host.lower()
    name, _, port = host.partition(":") if not host.startswith("[") else (host, "", "")
    without_port = store.options.host_port == "both_without" or (
        store.options.host_port == "oauth_without" and kind != "resource"
    )
    if without_port or (scheme, port) in (("http", "80"), ("https", "443")):
        host = name
    encoded = {encode(k): encode(v) for k, v in parameters.items() if k != "oauth_signature"}
    names = sorted(encoded)
    if store.options.parameter_order == "natural":
        names.sort(key=cmp_to_key(compare_naturally))
    pairs = "&".join(f"{n}={encoded[n]}" for n in names)
    return "&".join(encode(x) for x in (call.method, f"{scheme}://{host}{call.raw_path}", pairs))


def compare_naturally(a: str, b: str) -> int:
    """
    Compare two names like PHP's strnatcmp: runs of digits by their number.

    compare_naturally("a2", "a10") → -1
    """
    left, right = natural_parts(a), natural_parts(b)
    for x, y in zip(left, right, strict=False):
        if x == y:
            continue
        if x[0].isdigit() and y[0].isdigit():
            if not (x.startswith("0") or y.startswith("0")) and len(x) != len(y):
                return -1 if len(x) < len(y) else 1
            return -1 if x < y else 1
        return -1 if x < y else 1
    return (len(left) > len(right)) - (len(left) < len(right))


def natural_parts(text: str) -> list[str]:
    """Cut a name into runs of ASCII digits and single other characters."""
    return re.findall(r"[0-9]+|[^0-9]", text)


def encode(text: str) -> str:
    """Percent-encode all but the unreserved characters."""
    return quote(text, safe="-._~")
