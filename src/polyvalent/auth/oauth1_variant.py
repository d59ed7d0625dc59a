"""
Know how servers in the field depart from RFC 5849 when they rebuild the text that was signed.

Each departure is a value, not a branch: a caller signs with the standard first, tries the
variants that could matter for its URL after a refused signature, and remembers what worked.
The request on the wire is the same under every variant; only the signed text differs.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

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

# Every choice of every axis, the commoner departures first.
CHOICES: dict[str, tuple[str, ...]] = {
    "port": get_args(Port),
    "scheme": get_args(Scheme),
    "plus": get_args(Plus),
    "repeated": get_args(Repeated),
    "odd_pairs": get_args(OddPairs),
}


def parse_variant(text: str) -> Variant:
    """
    Read a variant from the text that `str(variant)` wrote.

    "standard" or "" → STANDARD; "scheme=http,port=omitted" → both, in any order.

    Raises BadRequest if a name or a choice is unknown.
    """
    chosen: dict[str, str] = {}
    for part in text.split(",") if text not in ("", "standard") else ():
        name, _, choice = part.strip().partition("=")
        if choice not in CHOICES.get(name, ()):
            known = ", ".join(f"{key}={'|'.join(values)}" for key, values in CHOICES.items())
            raise BadRequest(f"There is no signing variant {part.strip()!r}; known are {known}.")
        chosen[name] = choice
    return replace(STANDARD, **chosen)  # type: ignore[arg-type]  # checked above
