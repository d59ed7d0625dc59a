"""
Read what a server answers to an OAuth 1 request: credentials, or the name of a problem.

The names follow the OAuth Problem Reporting extension, which servers use freely: in a form
body, in `WWW-Authenticate`, or as a sentence inside a JSON document of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, unquote, unquote_plus

from polyvalent.auth.oauth1 import TokenCredentials
from polyvalent.errors import VendorFailure
from polyvalent.exchange import Headers

_MARK = "oauth_problem="
_FIELDS = (
    "oauth_problem|oauth_problem_advice|oauth_parameters_absent|oauth_parameters_rejected"
    "|oauth_acceptable_timestamps|oauth_acceptable_versions|message"
)
_find_fields = re.compile(rf"(?:^|&)({_FIELDS})=(.*?)(?=&(?:{_FIELDS})=|$)", re.DOTALL).finditer
_find_quoted = re.compile(rf'\b({_FIELDS})\s*=\s*"?([^",]*)"?').finditer
_starts_as_form = re.compile(r"\w+=").match
_read_name = re.compile(r"\s*([A-Za-z]\w*)(?:\W|$)").match
# Token and secret that servers issue have 64 to some hundred characters together; what is longer
# would only fill disks.
LONGEST_CREDENTIALS = 8192
# A problem report is a line or two; this bounds what looking for it costs.
_LARGEST_REPORT_BYTES = 65_536
_read_range = re.compile(r"\s*(\d{1,15})\s*-\s*(\d{1,15})\s*").fullmatch


class UnreadableCredentials(VendorFailure):
    """Report an answer that should hold OAuth credentials and does not; `found` says what it is."""

    def __init__(self, message: str, *, found: str) -> None:
        super().__init__(message)
        self.found = found


@dataclass(frozen=True, kw_only=True, slots=True)
class OAuthProblem:
    """Hold what a server said about a refused OAuth request."""

    name: str  # such as signature_invalid, in lower case
    message: str | None = None  # the server's own words or its advice
    absent: tuple[str, ...] = ()  # parameters that it missed
    rejected: tuple[str, ...] = ()  # parameters that it did not accept
    acceptable_timestamps: tuple[int, int] | None = None  # first and last, seconds since 1970


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedCredentials:
    """Hold the credentials that a server issued."""

    credentials: TokenCredentials
    callback_confirmed: bool  # true for temporary credentials from a server of revision A
    extra: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # what else it sent


def parse_credentials(body: bytes) -> IssuedCredentials:
    """
    Read temporary or token credentials from the body that issues them.

    b"oauth_token=hh5s93&oauth_token_secret=hdhd02&oauth_callback_confirmed=true" →
    IssuedCredentials(credentials=TokenCredentials("hh5s93", "hdhd02"), callback_confirmed=True)

    Raises UnreadableCredentials if the body is a problem report, a page, JSON, or lacks
    the token or its secret. The error never repeats the body, which may hold a secret.

    Source: RFC 5849, sections 2.1 and 2.3.
    """
    try:
        text = body.decode("utf-8").strip()
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        text, pairs = "", []
    values = dict(pairs)
    token = values.get("oauth_token")
    secret = values.get("oauth_token_secret")
    readable = len(text) <= LONGEST_CREDENTIALS and not text.startswith(("<", "{", "["))
    if token and secret is not None and readable:
        known = {"oauth_token", "oauth_token_secret", "oauth_callback_confirmed"}
        return IssuedCredentials(
            credentials=TokenCredentials(token, secret),
            callback_confirmed=values.get("oauth_callback_confirmed", "").lower() == "true",
            extra=tuple(pair for pair in pairs if pair[0] not in known),
        )
    found = _describe_body(body, names=tuple(values))
    raise UnreadableCredentials(
        f"The server answered {found} where OAuth credentials belong"
        " (oauth_token=...&oauth_token_secret=...): check that the address is that of its"
        " OAuth endpoint and that nothing in front of it answers in its place.",
        found=found,
    )


def parse_problem(body: bytes, headers: Headers = ()) -> OAuthProblem | None:
    """
    Read the problem that a refusal names, or None when it names none.

    b"oauth_problem=parameter_absent&oauth_parameters_absent=oauth_callback" →
    OAuthProblem(name="parameter_absent", absent=("oauth_callback",))
    Looked for in the body (a form, or any text of a JSON document), then in
    `WWW-Authenticate`. A `message` may or may not be percent-encoded.
    """
    for text in _texts(body):
        if _MARK in text:
            start = 0 if _starts_as_form(text) else text.index(_MARK)
            cut = re.split(r"[<\r\n]", text[start:], maxsplit=1)[0]
            problem = _read_fields([(found[1], found[2]) for found in _find_fields(cut)])
            if problem is not None:
                return problem
    for name, value in headers:
        if name.lower() == "www-authenticate" and "oauth_problem" in value:
            problem = _read_fields([(found[1], found[2]) for found in _find_quoted(value)])
            if problem is not None:
                return problem
    return None


def measure_skew_s(date: str | None, *, received_at: datetime) -> float | None:
    """
    Measure how far a server's clock is ahead of ours, in seconds, from its `Date` header.

    ("Sun, 06 Nov 1994 08:49:37 GMT", 08:49:07 UTC) → 30.0; None without a readable date.
    The header has whole seconds and includes the way back: below two seconds means nothing.
    """
    if date is None:
        return None
    try:
        told_at = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    if told_at.tzinfo is None:
        told_at = told_at.replace(tzinfo=UTC)
    return (told_at - received_at).total_seconds()


def _texts(body: bytes) -> Iterator[str]:
    """Yield the texts in which a problem may be named, a JSON document text by text."""
    text = body[:_LARGEST_REPORT_BYTES].decode("utf-8", errors="replace").strip()
    if _MARK not in text:
        return
    if text.startswith(("{", "[", '"')):
        try:
            yield from _leaves(json.loads(text))
        except (ValueError, RecursionError):
            pass
        else:
            return
    yield text


def _leaves(document: object) -> Iterator[str]:
    """Yield every text in a JSON document, depth first."""
    match document:
        case str():
            yield document
        case dict():
            for value in document.values():
                yield from _leaves(value)
        case list():
            for value in document:
                yield from _leaves(value)


def _read_fields(pairs: list[tuple[str, str]]) -> OAuthProblem | None:
    """Build a problem from the fields found; None if the name is not one."""
    values = dict(pairs)
    name = _read_name(unquote(values.get("oauth_problem", "")))
    if name is None:
        return None
    span = _read_range(unquote(values.get("oauth_acceptable_timestamps", "")))
    message = values.get("message") or values.get("oauth_problem_advice")
    if message is not None and " " not in message:
        # A raw space proves that nothing was encoded; without one, decoding does no harm.
        message = unquote_plus(message)
    return OAuthProblem(
        name=name[1].lower(),
        message=message or None,
        absent=_read_names(values.get("oauth_parameters_absent", "")),
        rejected=_read_names(values.get("oauth_parameters_rejected", "")),
        acceptable_timestamps=(int(span[1]), int(span[2])) if span else None,
    )


def _read_names(text: str) -> tuple[str, ...]:
    """Read parameter names, divided by "&" (itself encoded, a raw one ends them) or commas."""
    listed = unquote(text.partition("&")[0])
    return tuple(name for name in re.split(r"[&,\s]+", listed) if name)


def _describe_body(body: bytes, *, names: tuple[str, ...]) -> str:
    """Say what a body is, without repeating anything of it but known names."""
    start = body[:500].lstrip().lower()
    if not start:
        return "nothing"
    problem = parse_problem(body)
    if problem is not None:
        return f"the problem {problem.name}"
    if start.startswith(b"<"):
        return "an HTML or XML page"
    if start.startswith((b"{", b"[")):
        return "JSON"
    if len(body) > LONGEST_CREDENTIALS:
        return f"more than {LONGEST_CREDENTIALS} characters"
    if "oauth_token" in names or "oauth_token_secret" in names:
        return "a form without oauth_token or oauth_token_secret"
    return "another text"
