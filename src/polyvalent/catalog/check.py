"""
Check an element folder against every rule that makes it a good one.

One function a rule: it yields a sentence for each fault it finds. What keeps an element from
being read at all is found by `load` already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from polyvalent.catalog.check_calls import CALL_RULES
from polyvalent.catalog.check_folder import FOLDER_RULES
from polyvalent.catalog.check_resource import RESOURCE_RULES
from polyvalent.catalog.element import Element, Parameter
from polyvalent.catalog.load import load_element
from polyvalent.catalog.placeholder import placeholders_of
from polyvalent.errors import Misconfigured

# Configuration keys that go with each way of authenticating.
CREDENTIAL_KEYS = {
    "oauth1": (
        "oauth.request.url",
        "oauth.authorization.url",
        "oauth.token.url",
        "oauth.callback.url",
        "oauth.api.key",
        "oauth.api.secret",
        "oauth.user.token",
        "oauth.user.token.secret",
    ),
    "oauth2": (
        "oauth.authorization.url",
        "oauth.token.url",
        "oauth.callback.url",
        "oauth.api.key",
        "oauth.api.secret",
        "oauth.user.token",
    ),
    "basic": ("username", "password"),
}
# What the hub can turn into a vendor's request; see `hub.build`.
TYPES = frozenset(
    (
        "value",
        "configuration",
        "path",
        "header",
        "query",
        "body",
        "bodyField",
        "form",
        "multipart",
        "prevBody",
        "prevBodyField",
    )
)
VENDOR_TYPES = frozenset(
    ("path", "header", "query", "body", "bodyField", "bodyToken", "form", "multipart", "no-op")
)
# Resources that are called when an instance is created; if one fails, there is none.
PROVING = frozenset(("provisionAuthValidation", "onProvision"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Name one fault of an element: the rule and a sentence that says where and what."""

    rule: str
    text: str


def check_folder(folder: Path) -> tuple[Finding, ...]:
    """
    Return every fault of an element folder; none is what it should be.

    A folder that cannot be read has one fault, the reason. Effects: reads files.
    """
    try:
        element = load_element(folder)
    except Misconfigured as error:
        return (Finding(rule="loads", text=error.message),)
    found = [
        Finding(rule=rule.__name__, text=text)
        for rule in FOLDER_RULES
        for text in rule(element, folder)
    ]
    return (*check_element(element), *found)


def check_element(element: Element) -> tuple[Finding, ...]:
    """Return every fault of an element itself, wherever it came from."""
    return tuple(
        Finding(rule=rule.__name__, text=text)
        for rule in (*ELEMENT_RULES, *RESOURCE_RULES, *CALL_RULES)
        for text in rule(element)
    )


def list_doubts(element: Element) -> tuple[str, ...]:
    """Return what an element says that calls could not do, for whoever brings it along."""
    return tuple(text for rule in CALL_RULES for text in rule(element))


def texts_are_there(element: Element) -> Iterator[str]:
    """Find missing texts: an element and each of its entries say what they are."""
    for what, text in (("name", element.name), ("description", element.description)):
        if not text.strip():
            yield f"The element has no {what}."
    for entry in element.configuration:
        if not entry.name.strip() or not entry.description.strip():
            yield f"Configuration entry {entry.key} lacks its name or description."


def names_are_unique(element: Element) -> Iterator[str]:
    """Find things that answer to the same name."""
    yield from _repeated((item.key for item in element.configuration), "configuration entry")
    yield from _repeated((item.name for item in element.objects), "object")
    for item in element.objects:
        yield from _repeated((field.name for field in item.fields), f"field of {item.name}")


def numbers_are_unique(element: Element) -> Iterator[str]:
    """Find parts with the same number, by which callers address them."""
    parameters = [*element.parameters]
    for resource in element.resources:
        parameters += resource.parameters
    fields = [field for item in element.objects for field in item.fields]
    groups: tuple[tuple[str, Iterable[int]], ...] = (
        ("configuration entry", (item.id for item in element.configuration)),
        ("parameter", (item.id for item in parameters)),
        ("resource", (item.id for item in element.resources)),
        ("field", (item.id for item in fields)),
    )
    for kind, numbers in groups:
        yield from _repeated((str(number) for number in numbers), f"{kind} number")


def placeholders_are_known(element: Element) -> Iterator[str]:
    """Find {placeholders} of default values that no configuration entry fills."""
    known = {entry.key for entry in element.configuration}
    for entry in element.configuration:
        for name in placeholders_of(entry.default_value or ""):
            if '"' in name:  # JSON, such as the pagination.max of each resource
                continue
            if name not in known:
                yield f"Configuration entry {entry.key} refers to {{{name}}}, which is no entry."
            if name == entry.key:
                yield f"Configuration entry {entry.key} refers to itself."


def defaults_fit(element: Element) -> Iterator[str]:
    """Find default values that their own entry would not take."""
    for entry in element.configuration:
        choices = {option.value for option in entry.options}
        if entry.type == "COMBO" and not choices:
            yield f"Configuration entry {entry.key} is a COMBO without options."
        if choices and entry.default_value and entry.default_value not in choices:
            yield f"Configuration entry {entry.key} has a default that is none of its options."
        if entry.type == "BOOLEAN" and entry.default_value not in (None, "true", "false"):
            yield f"Configuration entry {entry.key} is a BOOLEAN with another default."
        if entry.type == "PASSWORD" and entry.default_value:
            yield f"Configuration entry {entry.key} has a secret as its default."


def secrets_are_passwords(element: Element) -> Iterator[str]:
    """Find entries that hold secrets and would be shown."""
    for entry in element.configuration:
        name = entry.key.lower()
        if name.endswith((".secret", "password", ".token")) and entry.type != "PASSWORD":
            yield f"Configuration entry {entry.key} holds a secret; its type must be PASSWORD."


def credentials_are_asked_for(element: Element) -> Iterator[str]:
    """Find configuration keys that the way of authenticating needs and the element lacks."""
    known = {entry.key for entry in element.configuration}
    for key in (*CREDENTIAL_KEYS.get(element.authentication.type, ()), "base.url"):
        if key not in known:
            yield f"Authentication by {element.authentication.type} needs the entry {key}."


def credentials_are_verified(element: Element) -> Iterator[str]:
    """Find elements that would store an instance without knowing whether it works."""
    proven = bool(element.verification) or any(item.type in PROVING for item in element.resources)
    if element.authentication.type in CREDENTIAL_KEYS and not proven:
        yield (
            "The element needs credentials and has no verification read, and no resource of the "
            "type provisionAuthValidation, that proves them."
        )
    for read in element.verification:
        if read.expect_fields and not read.otherwise:
            yield f"The verification read {read.vendor_path} does not say what a lesser view means."


def failures_say_what_to_do(element: Element) -> Iterator[str]:
    """Find failure rules without a full sentence for a person."""
    for number, rule in enumerate(element.failures, start=1):
        if not rule.message.strip().endswith((".", "?")):
            yield f"Failure rule {number} ({rule.kind}) has no full sentence as its message."
        if not (rule.status or rule.contains or rule.empty_body or rule.content_type):
            yield f"Failure rule {number} ({rule.kind}) has no condition and hides all after it."


def parameters_are_supported(element: Element) -> Iterator[str]:
    """Find parameters that would be ignored."""
    groups: list[tuple[str, tuple[Parameter, ...]]] = [("the element", element.parameters)]
    groups += [(f"{item.method} {item.path}", item.parameters) for item in element.resources]
    for place, parameters in groups:
        for item in parameters:
            if item.type not in TYPES or item.vendor_type not in VENDOR_TYPES:
                yield f"Parameter {item.name} of {place}: {item.type} to {item.vendor_type}?"


ElementRule = Callable[[Element], Iterator[str]]
ELEMENT_RULES: tuple[ElementRule, ...] = (
    texts_are_there,
    names_are_unique,
    numbers_are_unique,
    placeholders_are_known,
    defaults_fit,
    secrets_are_passwords,
    credentials_are_asked_for,
    credentials_are_verified,
    failures_say_what_to_do,
    parameters_are_supported,
)


def _repeated(names: Iterable[str], kind: str) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"The {kind} {name} is there {count} times."
