"""
Choose which variants to try after a refused signature, and in which order.

Whoever tries them sends the request anew for each, with a fresh nonce, and remembers for this
kind of address what worked: a server may read the port at its OAuth endpoints in one way and
at its resources in another.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from urllib.parse import urlsplit

from polyvalent.auth.oauth1_text import apply_repeats, join_base_string, read_pairs, read_target
from polyvalent.auth.oauth1_variant import CHOICES, STANDARD, Variant
from polyvalent.errors import UnsignableRequest

_DEFAULT_PORTS = {"http": 80, "https": 443}

# One attempt is one request that the server may count, log or delay.
_ATTEMPTS_MAX = 8


def variants_for(url: str) -> tuple[Variant, ...]:
    """
    List the variants worth trying for this URL: standard first, fewest departures next.

    "https://a.example/r" → standard, scheme=http
    "http://a.example:8080/r" → standard, port=omitted, scheme=https, port=omitted,scheme=https
    A variant that would sign the same text as an earlier one is left out; at most 8 are
    listed. A URL that cannot be signed has only the standard.
    """
    found: dict[str, Variant] = {}
    for variant in _EVERY_VARIANT:
        try:
            uri, query = read_target(url, host=None, variant=variant)
        except UnsignableRequest:
            return (STANDARD,)
        pairs = apply_repeats(read_pairs(query, variant=variant), variant=variant)
        found.setdefault(join_base_string("GET", uri, pairs), variant)
    return tuple(found.values())[:_ATTEMPTS_MAX]


def has_own_port(url: str) -> bool:
    """Tell whether the URL names a port that is not its scheme's own; false if it is no URL."""
    try:
        parts = urlsplit(url)
        return parts.port not in (None, _DEFAULT_PORTS.get(parts.scheme))
    except ValueError:
        return False


def _rank(variant: Variant) -> tuple[int, tuple[int, ...]]:
    """Order by the number of departures, then by how common they are."""
    chosen = [choices.index(getattr(variant, name)) for name, choices in CHOICES.items()]
    departing = tuple(axis for axis, choice in enumerate(chosen) if choice)
    return len(departing), departing


_EVERY_VARIANT = tuple(
    sorted(
        (
            replace(STANDARD, **dict(zip(CHOICES, choices, strict=True)))  # type: ignore[arg-type]
            for choices in product(*CHOICES.values())
        ),
        key=_rank,
    )
)
