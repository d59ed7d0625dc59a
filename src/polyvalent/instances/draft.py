"""
Read the bodies of `POST`, `PUT` and `PATCH /instances` into a draft.

Knows the members that the wire names and their types. Wrong types are refused, each named with
its place; members nobody knows are left out and reported, so that a typing error is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from polyvalent.errors import BadRequest

# Handshake results that a caller may pass on; everything else in providerData is unknown.
# fmt: off
PROVIDER_MEMBERS = frozenset((
    "code", "apikey", "access_token", "refresh_token", "expires_in", "state", "oauth_token",
    "oauth_verifier", "secret", "realmId", "dataSource", "org", "token", "debug", "rejected",
    "error", "error_description",
))
MEMBERS = frozenset((
    "name", "element", "configuration", "providerData", "tags", "externalAuthentication",
    "oauthProxy", "debug", "retrieveObjectsAfterInstantiation", "eventsEnabled",
    "traceLoggingEnabled", "cachingEnabled", "maxCacheSize", "cacheTimeToLive",
))
# What an instance's answer carries beside them: a caller may send an answer back as it came.
ECHOED = frozenset((
    "id", "token", "createdDate", "updatedDate", "elementId", "provisionInteractions", "valid",
    "disabled", "user", "invalidReason", "invalidDate",
))
# fmt: on
LARGEST_TEXT = 65_536
LONGEST_TAG = 255  # tags are indexed, and an index takes no long texts
LARGEST_CACHE = 10_000  # answers
LONGEST_LIFE_S = 86_400


@dataclass(frozen=True, kw_only=True)
class Draft:
    """
    Hold what a caller asks an instance to be; None stands for a member that was not sent.

    `provider_data` and `configuration` hold secrets. `warnings` go out as `Elements-Error`.
    """

    name: str | None = None
    element: str | None = None
    configuration: Mapping[str, str | None] | None = field(default=None, repr=False)
    provider_data: Mapping[str, str] | None = field(default=None, repr=False)
    tags: tuple[str, ...] | None = None
    external_authentication: str | None = None
    debug: bool = False
    trace_logging_enabled: bool | None = None
    caching_enabled: bool | None = None
    max_cache_size: int | None = None  # answers; 0: as many as the platform keeps by itself
    cache_time_to_live: int | None = None  # seconds; 0: as long as the platform keeps by itself
    warnings: tuple[str, ...] = ()


def read_json_object(body: bytes) -> dict[str, Any]:
    """
    Decode a request body that must be a JSON object.

    Raises BadRequest saying where the JSON breaks.
    """
    if not body.strip():
        raise BadRequest("The request has no body. Send a JSON object.")
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(
            f"The request body is not valid JSON: {error}. "
            "Check for curly quotes, missing commas and unescaped characters."
        ) from error
    if not isinstance(value, dict):
        raise BadRequest(f"The request body must be a JSON object, but it is {_kind(value)}.")
    return value


def read_draft(body: bytes) -> Draft:
    """
    Read a draft: `{"name": "Test", "element": {"key": "…"}, "configuration": {…}}`.

    Raises BadRequest naming every member of a wrong type at once.
    """
    return draft_of(read_json_object(body))


def draft_of(members: Mapping[str, Any]) -> Draft:
    """Make a draft of members that are decoded already; raises as `read_draft`."""
    faults: list[str] = []
    warnings = [
        f"unknown member {name[:80]!r} was ignored"
        for name in members
        if name not in MEMBERS and name not in ECHOED
    ]
    provider = _provider_data(members.get("providerData"), faults=faults, warnings=warnings)
    draft = Draft(
        name=_text(members, "name", faults),
        element=_element(members.get("element"), faults),
        configuration=_configuration(members.get("configuration"), faults),
        provider_data=provider,
        tags=_tags(members.get("tags"), faults),
        external_authentication=_external(members, faults),
        debug=_flag(members, "debug", faults) or (provider or {}).get("debug") == "true",
        trace_logging_enabled=_flag(members, "traceLoggingEnabled", faults),
        caching_enabled=_flag(members, "cachingEnabled", faults),
        max_cache_size=_count(members, "maxCacheSize", most=LARGEST_CACHE, faults=faults),
        cache_time_to_live=_count(members, "cacheTimeToLive", most=LONGEST_LIFE_S, faults=faults),
        warnings=tuple(warnings),
    )
    if faults:
        raise BadRequest("The request body cannot be used: " + "; ".join(faults) + ".")
    return draft


def _text(members: Mapping[str, Any], name: str, faults: list[str]) -> str | None:
    value = members.get(name)
    if value is None or isinstance(value, str):
        if value is not None and len(value) > LARGEST_TEXT:
            faults.append(f"`{name}` is longer than {LARGEST_TEXT} characters")
        return value
    faults.append(f"`{name}` must be text, but it is {_kind(value)}")
    return None


def _flag(members: Mapping[str, Any], name: str, faults: list[str]) -> bool | None:
    value = members.get(name)
    if value is None:
        return None
    if value is True or value == "true":
        return True
    if value is False or value == "false":
        return False
    faults.append(f"`{name}` must be true or false, but it is {_kind(value)}")
    return None


def _count(members: Mapping[str, Any], name: str, *, most: int, faults: list[str]) -> int | None:
    value = members.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if value is None or (isinstance(value, int) and value is not True and 0 <= value <= most):
        return None if value is None else int(value)
    faults.append(f"`{name}` must be a whole number from 0 to {most}")
    return None


def _external(members: Mapping[str, Any], faults: list[str]) -> str | None:
    value = _text(members, "externalAuthentication", faults)
    if value is not None and value not in ("none", "initial"):
        faults.append('`externalAuthentication` must be "none" or "initial"')
    return value


def _element(value: Any, faults: list[str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        faults.append(
            f'`element` must be an object such as {{"key": "…"}}, but it is {_kind(value)}'
        )
        return None
    named = value.get("key", value.get("id"))
    if isinstance(named, bool) or not isinstance(named, str | int) or named == "":
        faults.append("`element` must name a `key` (text) or an `id` (number)")
        return None
    return str(named)


def _configuration(value: Any, faults: list[str]) -> Mapping[str, str | None] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        faults.append(
            f"`configuration` must be an object of keys and values, but it is {_kind(value)}"
        )
        return None
    entries: dict[str, str | None] = {}
    for key, entry in value.items():
        text = _scalar(entry)
        if entry is not None and text is None:
            faults.append(
                f"`configuration` entry {key[:80]!r} must be text, a number, true, false or null, "
                f"but it is {_kind(entry)}"
            )
        elif text is not None and (len(text) > LARGEST_TEXT or "\x00" in text):
            faults.append(f"`configuration` entry {key[:80]!r} is too long or has a NUL character")
        else:
            entries[key] = text
    return entries


def _provider_data(
    value: Any, *, faults: list[str], warnings: list[str]
) -> Mapping[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        faults.append(f"`providerData` must be an object, but it is {_kind(value)}")
        return None
    entries: dict[str, str] = {}
    for key, entry in value.items():
        if key not in PROVIDER_MEMBERS:
            warnings.append(f"unknown member {('providerData.' + key)[:90]!r} was ignored")
            continue
        text = _scalar(entry)
        if text is not None and "\x00" not in text and len(text) <= LARGEST_TEXT:
            entries[key] = text
        elif entry is not None:
            faults.append(f"`providerData.{key}` must be text, but it is {_kind(entry)}")
    return entries


def _tags(value: Any, faults: list[str]) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        faults.append("`tags` must be a list of texts")
        return None
    if any("\x00" in tag or not 1 <= len(tag) <= LONGEST_TAG for tag in value):
        faults.append(f"`tags` must have 1 to {LONGEST_TAG} characters each, none of them NUL")
        return None
    return tuple(dict.fromkeys(value))


def _scalar(value: Any) -> str | None:
    """Return a JSON scalar as the text it is kept as: true → "true", 5 → "5"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    return None


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"
