"""
Complete, check, fill and mask the configuration of an instance.

An instance's configuration is a flat map of texts and nulls: the element's defaults, what the
caller gave, what provisioning obtained. Values may carry {placeholders} of other keys; they are
stored and shown with them and filled only where a call is built.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from polyvalent.catalog.element import ConfigurationEntry, Element
from polyvalent.catalog.instance_configuration import COMMON_CONFIGURATION
from polyvalent.errors import BadRequest
from polyvalent.instances.model import Configuration

MASK = "********"
SHORTEST_FOUND = 6  # characters of a secret that texts are searched for
# A filled value is an address; these keep values that name each other from growing without end.
MOST_PLACEHOLDERS = 100
LONGEST_FILLED = 8192
# Spellings that are taken for another: key, as sent → as kept.
_SPELLINGS = {("event.vendor.type", "webhooks"): "webhook"}
_PLACEHOLDER = re.compile(r"\{([A-Za-z0-9_.-]+)\}")
# Masked whatever the element says of them.
_SECRET_KEYS = frozenset(
    (
        "oauth.api.key",
        "oauth.api.secret",
        "password",
        "oauth.user.token",
        "oauth.user.token.secret",
        "oauth.user.refresh_token",
        "event.notification.signature.key",
        "event.notification.basic.password",
        "event.notification.callback.headers",  # may be an Authorization header
    )
)
_COMMON_KEYS = frozenset(entry.key for entry in COMMON_CONFIGURATION)
# What provisioning obtains: never asked of a caller.
OBTAINED_KEYS = ("oauth.user.token", "oauth.user.token.secret")


def entries_of(element: Element) -> dict[str, ConfigurationEntry]:
    """Return every entry that an instance of the element may have, the platform's own included."""
    return {entry.key: entry for entry in (*COMMON_CONFIGURATION, *element.configuration)}


def is_secret(element: Element, key: str) -> bool:
    """Say whether values of a configuration key are sealed at rest and masked in answers."""
    return _is_secret(entries_of(element), key)


def _is_secret(known: Mapping[str, ConfigurationEntry], key: str) -> bool:
    if key in _SECRET_KEYS or key.endswith(".secret"):
        return True
    entry = known.get(key)
    return entry is not None and entry.type == "PASSWORD"


def secret_values(
    element: Element, configuration: Configuration, *, sealed: Collection[str] = ()
) -> tuple[str, ...]:
    """
    Return the secret values of a configuration that a text can be searched for, the longest first.

    Of user name and password that is also what basic authentication makes of them. Values of less
    than six characters are left out: they stand in any text.
    """
    known = entries_of(element)
    found = {
        value
        for key, value in configuration.items()
        if value and (key in sealed or key not in known or _is_secret(known, key))
    }
    if password := configuration.get("password"):
        pair = f"{configuration.get('username') or ''}:{password}"
        found.add(b64encode(pair.encode("utf-8", "replace")).decode())
    return tuple(sorted((text for text in found if len(text) >= SHORTEST_FOUND), key=len))[::-1]


def is_common(key: str) -> bool:
    """Say whether a configuration key is the platform's own, the same for every element."""
    return key in _COMMON_KEYS


def complete(element: Element, given: Configuration) -> Configuration:
    """
    Lay what was given over the element's defaults, in the element's order.

    Keys the platform has in common are kept only where they were given; their defaults stand in
    the configuration sub-resource. Keys nobody knows are left out; see `unknown_keys`.
    """
    given = _spelled(given)
    known = {entry.key: entry.default_value for entry in element.configuration}
    common = {entry.key for entry in COMMON_CONFIGURATION}
    extra = {key: value for key, value in given.items() if key in common and key not in known}
    return {**{key: given.get(key, default) for key, default in known.items()}, **extra}


def unknown_keys(element: Element, given: Configuration) -> tuple[str, ...]:
    """Return the keys that neither the element nor the platform knows."""
    known = entries_of(element)
    return tuple(key for key in given if key not in known)


def check(element: Element, configuration: Configuration, *, sealed: Collection[str] = ()) -> None:
    """
    Make sure that every required entry is there and every value is one its type takes.

    No value may have the placeholder of a secret: filled into an address, the secret would be
    told to whatever host that address names.
    Raises BadRequest naming all missing entries, key and label, or all bad values.
    """
    obtained = {*OBTAINED_KEYS, *given_by_calls(element)}
    missing = [
        f"{entry.key} ({entry.name})"
        for entry in element.configuration
        if entry.required
        and entry.key not in obtained
        and not (configuration.get(entry.key) or entry.default_value)
    ]
    if missing:
        raise BadRequest(
            f"The configuration lacks {len(missing)} required "
            f"{'entry' if len(missing) == 1 else 'entries'}: {', '.join(missing)}. "
            "Give each a value in `configuration`."
        )
    known = entries_of(element)
    faults = [
        fault
        for key, value in configuration.items()
        if value is not None and key in known and (fault := _fault(known[key], value))
    ]
    faults += [
        f"{key} must not use {{{name}}}, which is a secret and would travel in an address"
        for key, value in configuration.items()
        if value
        for name in dict.fromkeys(placeholders(value))
        if (name in sealed or is_secret(element, name)) and not is_secret(element, key)
    ]
    if faults:
        raise BadRequest("The configuration cannot be used: " + "; ".join(faults) + ".")


def given_by_calls(element: Element) -> Iterator[str]:
    """Give the keys whose values the element's own calls at provisioning bring."""
    for resource in element.resources:
        if resource.type == "onProvision":
            for item in (*element.parameters, *resource.parameters):
                if item.source == "response" and item.type == "configuration":
                    yield item.name


def fill(configuration: Configuration, key: str) -> str:
    """
    Return a value with its {placeholders} filled, also nested ones.

    {"base.url": "{store.url}/api", "store.url": "https://a.example"}, "base.url"
    → "https://a.example/api".
    Raises BadRequest if a placeholder has no value, if they refer to each other in a circle, or
    if there are more than 100 of them or the value gets longer than 8192 characters.
    """
    return _Filling(configuration, key).fill(configuration.get(key) or "", seen=(key,))


def unfilled_path(configuration: Configuration, key: str) -> str:
    """
    Return the path of an address whose {placeholders} are not filled, so that it names no store.

    {"oauth.token.url": "{store.url}/oauth/token"}, "oauth.token.url" → "/oauth/token".
    """
    text = (configuration.get(key) or "").partition("?")[0]
    if text.startswith("{"):
        return text.partition("}")[2]
    return "/" + text.partition("://")[2].partition("/")[2]


def fill_all(configuration: Configuration) -> Configuration:
    """Return the configuration with the placeholders of every value filled where they can be."""
    return {
        key: _Filling(configuration, key, lenient=True).fill(value, seen=(key,)) if value else value
        for key, value in configuration.items()
    }


def placeholders(text: str) -> tuple[str, ...]:
    """Return the names in braces: "{store.url}/oauth/initiate" → ("store.url",)."""
    return tuple(_PLACEHOLDER.findall(text))


def merge(stored: Configuration, changes: Configuration, *, known: Iterable[str]) -> Configuration:
    """Lay changes over a stored configuration; a value sent back masked keeps what is stored."""
    names = set(known)
    kept = {
        key: stored.get(key) if value == MASK else value
        for key, value in _spelled(changes).items()
        if key in names
    }
    return {**stored, **kept}


def mask(
    element: Element, configuration: Configuration, *, sealed: Collection[str] = ()
) -> Configuration:
    """
    Return the configuration fit to be shown: secrets as "********", nulls as they are.

    `sealed` are the keys that were secrets when they were given.
    """
    known = entries_of(element)

    # What the element does not know any more may have been a secret.
    def hides(key: str) -> bool:
        return key in sealed or key not in known or _is_secret(known, key)

    return {key: MASK if value and hides(key) else value for key, value in configuration.items()}


def _spelled(configuration: Configuration) -> Configuration:
    return {
        key: _SPELLINGS.get((key, value), value) if value else value
        for key, value in configuration.items()
    }


class _Filling:
    """Fill one value; a lenient filling leaves what it cannot fill as it is."""

    def __init__(self, configuration: Configuration, key: str, *, lenient: bool = False) -> None:
        self._configuration = configuration
        self._key = key
        self._lenient = lenient
        self._placeholders = 0
        self._characters = 0

    def fill(self, text: str, *, seen: tuple[str, ...]) -> str:
        """Return a text with its placeholders filled; `seen` are the keys on the way to it."""

        def value_of(match: re.Match[str]) -> str:
            name = match.group(1)
            value = self._configuration.get(name)
            if name in seen:
                return self._leave(match, f"needs {name}, which refers back to it.")
            if value is None:
                return self._leave(match, f"needs {name}, which has no value.")
            self._placeholders += 1
            self._characters += len(value)
            if self._placeholders > MOST_PLACEHOLDERS or self._characters > LONGEST_FILLED:
                return self._leave(match, "grows too long when its placeholders are filled.")
            return self.fill(value, seen=(*seen, name))

        return _PLACEHOLDER.sub(value_of, text)

    def _leave(self, match: re.Match[str], reason: str) -> str:
        if self._lenient:
            return match.group(0)
        raise BadRequest(f"Configuration entry {self._key} {reason}")


def _fault(entry: ConfigurationEntry, value: str) -> str | None:
    """Say what is wrong with a value for its entry, None if nothing is."""
    if entry.type == "BOOLEAN" and value not in ("true", "false"):
        return f"{entry.key} must be true or false, but it is {value[:40]!r}"
    if entry.options and value and value not in {option.value for option in entry.options}:
        choices = ", ".join(option.value for option in entry.options)
        return f"{entry.key} must be one of {choices}, but it is {value[:40]!r}"
    if entry.key == "pagination.max" and value and not _are_page_sizes(value):
        return (
            f"{entry.key} must be a whole number from 1, or a JSON object of such numbers by the "
            f"names of resources, but it is {value[:40]!r}"
        )
    if entry.key.endswith("callback.url") and value:
        return _url_fault(entry.key, value)
    return None


def _are_page_sizes(value: str) -> bool:
    try:
        read = msgspec.json.decode(value)
    except msgspec.DecodeError:
        return False
    sizes = list(read.values()) if isinstance(read, dict) else [read]
    return all(type(size) is int and size >= 1 for size in sizes)


def _url_fault(key: str, value: str) -> str | None:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        fragment, credentials = parts.fragment, "@" in parts.netloc
    except ValueError:
        usable, fragment, credentials = False, "", False
    if credentials:
        return f"{key} must not carry a user name or password, which addresses show to anybody"
    if not usable or any(character.isspace() or ord(character) < 32 for character in value):
        return f"{key} must be an http:// or https:// address, but it is {value[:120]!r}"
    if fragment:
        return f"{key} must not have a # part, since stores append their answer behind it"
    return None
