"""
Know how servers in the field depart from RFC 5849 when they rebuild the text that was signed.

Each departure is a value, not a branch: a caller signs with the standard first, tries the
variants that could matter for its URL after a refused signature, and remembers what worked.
The request on the wire is the same under every variant; only the signed text differs.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Literal, get_args
from urllib.parse import urlsplit

from polyvalent.errors import BadRequest

Port = Literal["as_sent", "omitted"]
Scheme = Literal["as_sent", "http", "https"]
Plus = Literal["space", "plus"]
Repeated = Literal["all", "last", "indexed"]
OddPairs = Literal["signed", "left_out"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """Describe one way in which a server reads a request before it checks the signature."""

    port: Port = "as_sent"  # omitted: the server checks the host without its port
    scheme: Scheme = "as_sent"  # http: TLS ends at a proxy that the server does not know of
    plus: Plus = "space"  # plus: a raw "+" in the query stays a plus
    repeated: Repeated = "all"  # last: one value a name; indexed: "a[]" is read as "a[0]", ...
    odd_pairs: OddPairs = "signed"  # left_out: "?a" and "?a=b=c" in the query are not signed

    def __str__(self) -> str:
        """
        Write what departs from the standard, as text to remember per instance.

        Variant(port="omitted", scheme="http") → "port=omitted,scheme=http";
        the standard itself → "standard". `parse_variant` reads it back.
        """
        departures = [
            f"{field.name}={getattr(self, field.name)}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return ",".join(departures) or "standard"


STANDARD = Variant()

_CHOICES: dict[str, tuple[str, ...]] = {
    "port": get_args(Port),
    "scheme": get_args(Scheme),
    "plus": get_args(Plus),
    "repeated": get_args(Repeated),
    "odd_pairs": get_args(OddPairs),
}
_DEFAULT_PORTS = {"http": 80, "https": 443}

# One attempt is one request that the server may count, log or delay.
_ATTEMPTS_MAX = 8


def parse_variant(text: str) -> Variant:
    """
    Read a variant from the text that `str(variant)` wrote.

    "standard" or "" → STANDARD; "scheme=http,port=omitted" → both, in any order.

    Raises BadRequest if a name or a choice is unknown.
    """
    chosen: dict[str, str] = {}
    for part in text.split(",") if text not in ("", "standard") else ():
        name, _, choice = part.strip().partition("=")
        if choice not in _CHOICES.get(name, ()):
            known = ", ".join(f"{key}={'|'.join(values)}" for key, values in _CHOICES.items())
            raise BadRequest(f"There is no signing variant {part.strip()!r}; known are {known}.")
        chosen[name] = choice
    return replace(STANDARD, **chosen)  # type: ignore[arg-type]  # checked above


def variants_for(url: str) -> tuple[Variant, ...]:
    """
    List the variants worth trying for this URL: standard first, fewest departures next.

    "https://a.example/r" → standard, scheme=http
    "http://a.example:8080/r" → standard, port=omitted, scheme=https, port=omitted,scheme=https
    A variant that would sign the same text as another is not listed; at most 8 are.
    """
    parts = urlsplit(url)
    names = [piece.partition("=")[0] for piece in parts.query.split("&") if piece]
    axes: list[tuple[str, list[str]]] = []
    if has_own_port(url):
        axes.append(("port", ["omitted"]))
    axes.append(("scheme", ["http" if parts.scheme == "https" else "https"]))
    if "+" in parts.query:
        axes.append(("plus", ["plus"]))
    repeated = ["last"] if len(names) != len(set(names)) else []
    if any(name.endswith(("[]", "%5B%5D", "%5b%5d")) for name in names):
        repeated.append("indexed")
    if repeated:
        axes.append(("repeated", repeated))
    if any(piece.count("=") != 1 for piece in parts.query.split("&") if piece):
        axes.append(("odd_pairs", ["left_out"]))

    # Departures earlier in the list of axes are the commoner ones; sorting keeps their order.
    picks = list(product(*([(name, None), *((name, c) for c in some)] for name, some in axes)))
    picks.sort(key=lambda pick: _rank(tuple(choice is not None for _, choice in pick)))
    found = (
        replace(STANDARD, **{name: choice for name, choice in pick if choice is not None})  # type: ignore[arg-type]
        for pick in picks
    )
    return tuple(found)[:_ATTEMPTS_MAX]


def has_own_port(url: str) -> bool:
    """Tell whether the URL names a port that is not its scheme's own; false if it is no URL."""
    parts = urlsplit(url)
    try:
        return parts.port not in (None, _DEFAULT_PORTS.get(parts.scheme))
    except ValueError:
        return False


def _rank(departs: tuple[bool, ...]) -> tuple[int, tuple[int, ...]]:
    """Order by the number of departures, then by how early the departing axes are listed."""
    return sum(departs), tuple(index for index, departing in enumerate(departs) if departing)
