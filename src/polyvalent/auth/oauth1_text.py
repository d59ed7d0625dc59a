"""
Know the text that an OAuth 1 signature covers: base string URI, parameters, their order.

Knows nothing of secrets, nonces or where the signature travels. Names and values are handled
in their one normal encoding throughout, so nothing is decoded and encoded twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from polyvalent.auth.oauth1_variant import STANDARD, Variant
from polyvalent.auth.percent import normalize_text, percent_encode
from polyvalent.errors import UnsignableRequest
from polyvalent.exchange import Request

Pairs = list[tuple[str, str]]

FORM = "application/x-www-form-urlencoded"

# What a shared base string must not show: whoever has them may act in somebody's name.
CONCEALED = frozenset({"oauth_token", "oauth_verifier", "oauth_callback", "oauth_signature"})

_split_url = re.compile(r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?", re.IGNORECASE).fullmatch
_split_authority = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::([0-9]*))?").fullmatch
# Says quickly of nearly every URL that it is sound. Possessive, so it cannot backtrack.
_is_legal = re.compile(r"(?:[!#$&-;=?-\[\]_a-z~]++|%[0-9A-Fa-f]{2})*+").fullmatch
_is_encoded = re.compile(r"[A-Za-z0-9._~%-]*").fullmatch
_find_illegal = re.compile(r'[^\x21-\x7e]|["<>\\^`{|}]|%(?![0-9A-Fa-f]{2})').search
_split_parameters = re.compile(r'\s*([^=\s,]+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)').match
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PORT_MAX = 65_535


def signature_base_string(request: Request, *, variant: Variant = STANDARD) -> str:
    """
    Build the text that the OAuth 1 signature of this request signs.

    Method, base string URI and normalized parameters, each percent-encoded, joined by "&":
    GET http://a.example/r?b=5 → "GET&http%3A%2F%2Fa.example%2Fr&b%3D5"
    Protocol parameters count from wherever the request carries them, the signature never.

    Raises UnsignableRequest if the URL or the `Authorization` header cannot be read.

    Source: RFC 5849, section 3.4.1; the vectors are tests/vectors/oauth1.json.
    """
    uri, _ = read_target(request.url, host=request.header("Host"), variant=variant)
    return join_base_string(request.method, uri, collect_parameters(request, variant=variant))


def base_string_uri(url: str, *, host: str | None = None, variant: Variant = STANDARD) -> str:
    """
    Reduce a URL to scheme, host, port and path, the way it is signed.

    "HTTP://EXAMPLE.COM:80/r%20v/X?id=123" → "http://example.com/r%20v/X"
    `host` is the `Host` header where it differs from the URL.

    Raises UnsignableRequest if there is no host, or a fragment, user or illegal character.

    Source: RFC 5849, section 3.4.1.2.
    """
    return read_target(url, host=host, variant=variant)[0]


def collect_parameters(request: Request, *, variant: Variant = STANDARD) -> Pairs:
    """
    Collect what is signed from query, `Authorization` header and form body, each encoded.

    "?b5=%3D%253D&a3=a" → [("b5", "%3D%253D"), ("a3", "a")], in the order found. `realm` and
    `oauth_signature` are left out; a body counts only with a form's content type.

    Raises UnsignableRequest if the URL, the OAuth header or the form cannot be read.

    Source: RFC 5849, section 3.4.1.3.1.
    """
    _, query = read_target(request.url, host=None, variant=variant)
    header = request.header("Authorization")
    protocol = read_authorization(header) if header is not None and is_oauth(header) else []
    pairs = read_pairs(query, variant=variant)
    if is_form(request.header("Content-Type")):
        pairs += read_form(request.body)
    pairs = [pair for pair in pairs if pair[0] != "oauth_signature"]
    return apply_repeats(pairs, variant=variant) + protocol


def join_base_string(method: str, uri: str, pairs: Iterable[tuple[str, str]]) -> str:
    """
    Sort encoded pairs by name, then value, and join them to method and URI.

    ("get", "http://a.example/r", [("b", "5")]) → "GET&http%3A%2F%2Fa.example%2Fr&b%3D5"

    Source: RFC 5849, sections 3.4.1.1 and 3.4.1.3.2.
    """
    normalized = "&".join([f"{name}={value}" for name, value in sorted(pairs)])
    # The pairs are encoded already, so these are the only characters left to encode.
    encoded = normalized.replace("%", "%25").replace("&", "%26").replace("=", "%3D")
    # Most addresses have no other characters to encode than these.
    target = uri.replace("%", "%25").replace(":", "%3A").replace("/", "%2F")
    if not _is_encoded(target):
        target = percent_encode(uri)
    return f"{percent_encode(method.upper())}&{target}&{encoded}"


def conceal_base_string(base_string: str, *, names: frozenset[str] = CONCEALED) -> str:
    """
    Hide the values of these parameters, so that a base string can be shown to a person.

    "GET&…&oauth_token%3Dkkk9d7dh3k39sjv7" → "GET&…&oauth_token%3Dkkk9***"
    The first four characters stay where that is less than a third of the value.
    """
    method, found, rest = base_string.partition("&")
    uri, found, parameters = rest.partition("&")
    if not found:
        return base_string
    shown = []
    for pair in parameters.split("%26"):
        name, _, value = pair.partition("%3D")
        concealed = f"{value[:4] if len(value) > 12 else ''}***"
        shown.append(f"{name}%3D{concealed if unquote(name) in names and value else value}")
    return f"{method}&{uri}&{'%26'.join(shown)}"


def read_target(url: str, *, host: str | None, variant: Variant) -> tuple[str, str]:
    """
    Split a URL into its base string URI and its query, still encoded.

    "https://Shop.example:8443/api?page=2" → ("https://shop.example:8443/api", "page=2")

    Raises UnsignableRequest as `base_string_uri` does.
    """
    illegal = None if _is_legal(url) else _find_illegal(url)
    if illegal is not None:
        raise UnsignableRequest(
            f"The URL holds {illegal[0]!r} at position {illegal.start()}: percent-encode it,"
            " because a signature covers the exact characters that are sent."
        )
    parts = _split_url(url)
    if parts is None:
        raise UnsignableRequest("The URL must be http:// or https:// and carry no fragment (#).")
    scheme, authority, path, query = parts.groups()
    named = _split_authority(authority if host is None else host)
    if named is None:
        raise UnsignableRequest("The URL must name a host, at most with a port and no user.")
    scheme = scheme.lower()
    signed_scheme = scheme if variant.scheme == "as_sent" else variant.scheme
    netloc = named[1].lower()
    if named[2] and variant.port == "as_sent":
        port = int(named[2]) if len(named[2]) <= 5 else 0
        if not 0 < port <= _PORT_MAX:
            raise UnsignableRequest(f"A port lies between 1 and {_PORT_MAX}.")
        if port not in (_DEFAULT_PORTS[scheme], _DEFAULT_PORTS[signed_scheme]):
            netloc = f"{netloc}:{port}"
    return f"{signed_scheme}://{netloc}{path or '/'}", query or ""


def read_pairs(query: str, *, variant: Variant) -> Pairs:
    """
    Read a query into encoded pairs: "a=r+b&c" → [("a", "r%20b"), ("c", "")].

    A name without "=" has an empty value; a value may hold further "=".
    """
    pairs: Pairs = []
    if not query:
        return pairs
    if variant.plus == "plus":
        query = query.replace("+", "%2B")
    for piece in query.split("&"):
        if piece and (variant.odd_pairs == "signed" or piece.count("=") == 1):
            name, _, value = piece.partition("=")
            pairs.append((normalize_text(name), normalize_text(value)))
    return pairs


def read_form(body: bytes) -> Pairs:
    """
    Read a form body into encoded pairs, a plus being a space under every variant.

    Raises UnsignableRequest if the body is not ASCII, as an encoded form always is.
    """
    try:
        return read_pairs(body.decode("ascii"), variant=STANDARD)
    except UnicodeDecodeError:
        raise UnsignableRequest(
            "The form body holds bytes that are not percent-encoded: encode it first."
        ) from None


def read_authorization(header: str) -> Pairs:
    """
    Read the parameters of an OAuth `Authorization` header, encoded, without the realm.

    'OAuth realm="Photos", oauth_nonce="a%20b"' → [("oauth_nonce", "a%20b")]

    Raises UnsignableRequest if the header is not a list of name="value".

    Source: RFC 5849, section 3.5.1.
    """
    pairs: Pairs = []
    rest = header[len("OAuth") :].lstrip()
    while rest:
        found = _split_parameters(rest)
        if found is None or not found[2].isascii():
            raise UnsignableRequest('The OAuth header is not a list of name="value".')
        if found[1].lower() != "realm" and found[1] != "oauth_signature":
            # Here, unlike in a query, a plus is a plus.
            name, value = (part.replace("+", "%2B") for part in found.groups())
            pairs.append((normalize_text(name), normalize_text(value)))
        rest = rest[found.end() :]
    return pairs


def apply_repeats(pairs: Pairs, *, variant: Variant) -> Pairs:
    """Keep, drop or number repeated names the way the server reads them."""
    if variant.repeated == "last":
        return list(dict(pairs).items())
    if variant.repeated == "indexed":
        counts: dict[str, int] = {}
        numbered: Pairs = []
        for name, value in pairs:
            if name.endswith("%5B%5D"):
                index = counts[name] = counts.get(name, -1) + 1
                numbered.append((f"{name.removesuffix('%5D')}{index}%5D", value))
            else:
                numbered.append((name, value))
        return numbered
    return pairs


def is_oauth(authorization: str) -> bool:
    """Tell whether an `Authorization` header speaks OAuth 1; the scheme's case is ignored."""
    return authorization.partition(" ")[0].lower() == "oauth"


def is_form(content_type: str | None) -> bool:
    """Tell whether a content type, parameters aside, is that of an encoded form."""
    return content_type is not None and content_type.partition(";")[0].strip().lower() == FORM
