"""
Sign requests the OAuth 1.0 way, in the words of RFC 5849.

Client credentials are what the page of a store calls consumer key and secret; temporary
credentials a request token; token credentials an access token. Nonce and timestamp are
given, so the same values always make the same signature. A request is signed anew for every
attempt: servers refuse a nonce that they have seen.
"""

from __future__ import annotations

import hmac
from binascii import b2a_base64
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, assert_never

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import structs

from polyvalent.auth.oauth1_text import (
    FORM,
    apply_repeats,
    is_form,
    is_oauth,
    join_base_string,
    read_form,
    read_pairs,
    read_target,
)
from polyvalent.auth.oauth1_variant import STANDARD, Variant
from polyvalent.auth.percent import percent_encode
from polyvalent.errors import UnsignableRequest
from polyvalent.exchange import Request
from polyvalent.value import Value

SignatureMethod = Literal["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT", "RSA-SHA1"]
Transmission = Literal["header", "query", "body"]

# Some servers keep no more than 32 characters of a nonce and then mistake two for one.
_NONCE_BYTES = 16

_PROTOCOL = frozenset(
    {
        "oauth_callback",
        "oauth_consumer_key",
        "oauth_nonce",
        "oauth_signature",
        "oauth_signature_method",
        "oauth_timestamp",
        "oauth_token",
        "oauth_verifier",
        "oauth_version",
    }
)
# Those whose values are of letters, digits, hyphens and periods.
_PLAIN = frozenset({"oauth_signature_method", "oauth_timestamp", "oauth_version"})


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """Identify the application to a server: consumer key and consumer secret."""

    key: str
    secret: str = field(repr=False)  # for RSA-SHA1 a private key as PEM


@dataclass(frozen=True, slots=True)
class TokenCredentials:
    """Hold a token and its secret: temporary (request token) or lasting (access token)."""

    token: str = field(repr=False)
    secret: str = field(repr=False)


class SignedRequest(Value, frozen=True, kw_only=True):
    """Pair a request that is ready to send with what went into its signature."""

    request: Request
    base_string: str  # empty for PLAINTEXT, which signs no text
    parameters: tuple[tuple[str, str], ...]  # without the signature

    def __repr__(self) -> str:
        """Name method and URL without its query, which may carry the signature."""
        return f"SignedRequest({self.request.method} {self.request.url.partition('?')[0]})"


def make_nonce(entropy: bytes) -> str:
    """
    Write 16 random bytes as the 32 characters of a nonce.

    Raises UnsignableRequest if there are more bytes or fewer.
    """
    if len(entropy) != _NONCE_BYTES:
        raise UnsignableRequest(f"A nonce is made of {_NONCE_BYTES} random bytes.")
    return entropy.hex()


def sign(
    request: Request,
    *,
    client: ClientCredentials,
    nonce: str,
    timestamp: int,
    token: TokenCredentials | None = None,
    signature_method: SignatureMethod = "HMAC-SHA1",
    transmission: Transmission = "header",
    realm: str | None = None,
    callback: str | None = None,
    verifier: str | None = None,
    version: Literal["1.0"] | None = "1.0",
    variant: Variant = STANDARD,
) -> SignedRequest:
    """
    Sign a request and put the protocol parameters into its header, query or form body.

    GET http://a.example/r → the same with `Authorization: OAuth oauth_consumer_key="…", …`.
    The URL must be encoded already, since it is signed and sent as it stands. `timestamp` is
    in seconds since 1970, `nonce` comes from `make_nonce`, `realm` is for the header only,
    `callback` starts an authorization ("oob" without a page to return to), `verifier` ends
    it, and a `version` of None leaves that optional parameter out.

    Raises UnsignableRequest if the URL cannot be signed, the request is signed already or
    carries another `Authorization` where ours belongs, the body is no form though the
    parameters shall travel there, or the private key cannot be used.

    Source: RFC 5849, sections 3.1 to 3.5.
    """
    if not nonce or timestamp <= 0:
        raise UnsignableRequest("A nonce is never empty and a timestamp is positive.")
    host, form = _read_headers(request, transmission)
    uri, query = read_target(request.url, host=host, variant=variant)
    pairs = read_pairs(query, variant=variant)
    if form:
        pairs += read_form(request.body)
    if not _PROTOCOL.isdisjoint([name for name, _ in pairs]):
        raise UnsignableRequest(
            "The request carries OAuth parameters already: sign it before anything adds them,"
            " and give callback and verifier as arguments."
        )

    parameters = [
        ("oauth_consumer_key", client.key),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", signature_method),
        ("oauth_timestamp", str(timestamp)),
    ]
    if token is not None:
        parameters.append(("oauth_token", token.token))
    if callback is not None:
        parameters.append(("oauth_callback", callback))
    if verifier is not None:
        parameters.append(("oauth_verifier", verifier))
    if version is not None:
        parameters.append(("oauth_version", version))
    protocol = [
        (name, value if name in _PLAIN else percent_encode(value)) for name, value in parameters
    ]

    base_string = ""
    token_secret = "" if token is None else token.secret
    if signature_method == "PLAINTEXT":
        signature = _shared_key(client.secret, token_secret)
    else:
        signed = apply_repeats(pairs, variant=variant) + protocol
        base_string = join_base_string(request.method, uri, signed)
        signature = _seal(base_string, signature_method, client.secret, token_secret)
    protocol.append(("oauth_signature", percent_encode(signature)))
    return SignedRequest(
        request=_transmit(request, protocol, transmission=transmission, realm=realm),
        base_string=base_string,
        parameters=tuple(parameters),
    )


def _read_headers(request: Request, transmission: Transmission) -> tuple[str | None, bool]:
    """Return the `Host` header and whether the body is a form, in one pass over the headers."""
    host, form, typed = None, False, False
    for name, value in request.headers:
        lowered = name.lower()
        if lowered == "host":
            host = value
        elif lowered == "content-type":
            form, typed = is_form(value), True
        elif lowered == "authorization":
            if is_oauth(value):
                raise UnsignableRequest("The request is signed already: sign the original anew.")
            if transmission == "header":
                raise UnsignableRequest(
                    "The request has another Authorization header: send the OAuth parameters"
                    " in the query or the body instead."
                )
    if transmission == "body":
        if request.method.upper() in ("GET", "HEAD"):
            raise UnsignableRequest("OAuth parameters cannot travel in the body of a GET.")
        if not form and (typed or request.body):
            raise UnsignableRequest(f"OAuth parameters can only join a body of type {FORM}.")
    return host, form


def _seal(
    base_string: str, method: Literal["HMAC-SHA1", "HMAC-SHA256", "RSA-SHA1"], *secrets: str
) -> str:
    """Compute the signature of a base string from client and token secret, as base64."""
    text = base_string.encode("ascii")
    match method:
        case "HMAC-SHA1":
            digest = hmac.digest(_shared_key(*secrets).encode("ascii"), text, "sha1")
        case "HMAC-SHA256":
            digest = hmac.digest(_shared_key(*secrets).encode("ascii"), text, "sha256")
        case "RSA-SHA1":
            digest = _read_private_key(secrets[0]).sign(text, PKCS1v15(), SHA1())  # noqa: S303
        case _:  # pragma: no cover
            assert_never(method)
    return b2a_base64(digest, newline=False).decode("ascii")


def _shared_key(client_secret: str, token_secret: str) -> str:
    """Join the two secrets; the "&" stays where one is empty (RFC 5849, section 3.4.2)."""
    return f"{percent_encode(client_secret)}&{percent_encode(token_secret)}"


# Reading and checking a key takes far longer than signing with it.
@lru_cache(maxsize=16)
def _read_private_key(pem: str) -> RSAPrivateKey:
    """Read an RSA private key; no part of it may show in an error."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise UnsignableRequest(
            "RSA-SHA1 needs an unencrypted RSA private key in PEM form as the client secret."
        )
    return key


def _transmit(
    request: Request,
    protocol: list[tuple[str, str]],
    *,
    transmission: Transmission,
    realm: str | None,
) -> Request:
    """Write the encoded protocol parameters where they shall travel (RFC 5849, section 3.5)."""
    if transmission == "header":
        listed = ", ".join([f'{name}="{value}"' for name, value in protocol])
        value = f"OAuth {listed}" if realm is None else f"OAuth {_quote_realm(realm)}, {listed}"
        return Request(
            method=request.method,
            url=request.url,
            headers=(*request.headers, ("Authorization", value)),
            body=request.body,
        )
    text = "&".join([f"{name}={value}" for name, value in protocol])
    if transmission == "query":
        _, found, query = request.url.partition("?")
        joint = "" if found and (not query or query.endswith("&")) else "&" if found else "?"
        return structs.replace(request, url=f"{request.url}{joint}{text}")
    # A length that was counted before is wrong now; whoever sends counts again.
    kept = tuple(pair for pair in request.headers if pair[0].lower() != "content-length")
    body = request.body + (b"&" if request.body else b"") + text.encode("ascii")
    unsent = structs.replace(request, headers=kept, body=body)
    return unsent if request.header("Content-Type") else unsent.with_header("Content-Type", FORM)


def _quote_realm(realm: str) -> str:
    """Write the realm as a quoted string (RFC 2617, section 1.2)."""
    if not realm.isprintable() or not realm.isascii():
        raise UnsignableRequest("A realm is printable ASCII.")
    escaped = realm.replace("\\", "\\\\").replace('"', '\\"')
    return f'realm="{escaped}"'
