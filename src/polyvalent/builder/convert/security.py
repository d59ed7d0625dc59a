"""Read how a document's API authenticates, as an element says it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from polyvalent.builder.convert.document import Document
from polyvalent.catalog.element import ConfigurationEntry, Parameter

# The ways that instances can take, the plainest first.
_ORDER = ("basic", "apiKey", "bearer", "oauth2", "other")
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, kw_only=True)
class Security:
    """Say how an element authenticates, with the entries and parameters that this needs."""

    type: str
    entries: tuple[ConfigurationEntry, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    warnings: tuple[str, ...] = ()


def read_security(document: Document) -> Security:
    """
    Return how calls of a document authenticate; of several ways the one that instances can take.

    {"securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}} → custom,
    with the entry api.key and a parameter that puts it into the header. Without a requirement of
    the whole document the one that most calls have counts.
    """
    schemes = _schemes(document)
    ways = [names for names in _requirements(document) if all(name in schemes for name in names)]
    if not ways and schemes:
        ways = [(name,) for name in schemes]
    if not ways:
        return _of_headers(document)
    if () in ways and len(ways) == 1:
        return Security(type="none")
    ranked = sorted(
        (names for names in ways if names),
        key=lambda names: max(_ORDER.index(_kind(schemes[name])) for name in names),
    )
    return _combine([(name, schemes[name]) for name in ranked[0]])


def _combine(schemes: list[tuple[str, Mapping[str, Any]]]) -> Security:
    kinds = [_kind(scheme) for _, scheme in schemes]
    entries: list[ConfigurationEntry] = []
    parameters: list[Parameter] = []
    warnings: list[str] = []
    keys = kinds.count("apiKey")
    for (name, scheme), kind in zip(schemes, kinds, strict=True):
        about = str(scheme.get("description") or "").strip()[:500]
        if kind == "apiKey":
            entry, parameter = _api_key(scheme, about=about, alone=keys == 1)
            entries.append(entry)
            parameters.append(parameter)
        elif kind == "bearer":
            entries.append(_secret("access.token", "Access token", about))
            parameters.append(_constant("Bearer ${configuration.access.token}", "Authorization"))
        elif kind == "oauth2":
            entries += _oauth2(scheme)
            warnings.append("instances of elements that authenticate by oauth2 cannot be made yet")
        elif kind == "other":
            warnings.append(
                f"the security scheme {name[:60]} is of a kind that is not converted; add what it "
                "needs as configuration and parameters"
            )
    type_ = "basic" if "basic" in kinds else "oauth2" if "oauth2" in kinds else "custom"
    return Security(
        type=type_, entries=tuple(entries), parameters=tuple(parameters), warnings=tuple(warnings)
    )


def _api_key(
    scheme: Mapping[str, Any], *, about: str, alone: bool
) -> tuple[ConfigurationEntry, Parameter]:
    sent = str(scheme.get("name") or "")
    key = "api.key" if alone else f"api.key.{re.sub(r'[^a-z0-9_.-]', '-', sent.lower())}"
    entry = _secret(key, f"API key ({sent[:100]})", about)
    if scheme.get("in") == "cookie":
        return entry, _constant(f"{sent}=${{configuration.{key}}}", "Cookie")
    place = "query" if scheme.get("in") == "query" else "header"
    return entry, Parameter(
        name=key,
        vendor_name=sent,
        type="configuration",
        vendor_type=place,
        required=True,
        description=f"The key as the {place} parameter {sent}.",
    )


def _oauth2(scheme: Mapping[str, Any]) -> Iterator[ConfigurationEntry]:
    flows = scheme.get("flows")
    flow: Mapping[str, Any] = scheme
    if isinstance(flows, dict):
        named = [flows.get(name) for name in ("authorizationCode", "clientCredentials", *flows)]
        flow = next((item for item in named if isinstance(item, dict)), {})
    scopes = flow.get("scopes")
    for key, name, value in (
        ("oauth.authorization.url", "Authorization page", flow.get("authorizationUrl")),
        ("oauth.token.url", "Token address", flow.get("tokenUrl")),
        ("oauth.scope", "Scope", " ".join(scopes) if isinstance(scopes, dict) else None),
    ):
        yield ConfigurationEntry(
            key=key,
            name=name,
            description=f"{name}, as the API's description has it.",
            default_value=str(value) if value else None,
        )


def _secret(key: str, name: str, about: str) -> ConfigurationEntry:
    return ConfigurationEntry(
        key=key,
        name=name,
        description=about or "What the vendor gave to show who calls.",
        type="PASSWORD",
        required=True,
    )


def _constant(text: str, header: str) -> Parameter:
    return Parameter(
        name=text,
        vendor_name=header,
        type="value",
        vendor_type="header",
        description="Shows who calls.",
    )


def _of_headers(document: Document) -> Security:
    # Some documents declare no scheme, and the header on every call instead.
    for _, place, operation in operations_of(document):
        for item in operation.get("parameters") or ():
            told = document.part(item, place=place)
            if told.get("in") == "header" and str(told.get("name")).lower() == "authorization":
                scheme = {**told, "type": "apiKey", "name": "Authorization"}
                return _combine([("Authorization", scheme)])
    return Security(type="none")


def operations_of(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give every operation: its path, "GET /path" for messages, and what the document says."""
    paths = document.root.get("paths")
    for path, item in (paths if isinstance(paths, dict) else {}).items():
        if not path.startswith("/"):
            continue
        methods = document.part(item, place=path[:120])
        for method in _METHODS:
            if isinstance(methods.get(method), dict):
                own = methods[method]
                shared = methods.get("parameters")
                both = [
                    *(shared if isinstance(shared, list) else ()),
                    *(own["parameters"] if isinstance(own.get("parameters"), list) else ()),
                ]
                yield path, f"{method.upper()} {path[:120]}", {**own, "parameters": both}


def _schemes(document: Document) -> dict[str, Mapping[str, Any]]:
    if document.newer:
        place = "components.securitySchemes"
        found = document.part(document.root.get("components"), place=place).get("securitySchemes")
    else:
        place = "securityDefinitions"
        found = document.root.get("securityDefinitions")
    return {
        name: document.part(item, place=place)
        for name, item in (found if isinstance(found, dict) else {}).items()
    }


def _requirements(document: Document) -> list[tuple[str, ...]]:
    told = _read_ways(document.root.get("security"))
    if told:
        return told
    counted: Counter[tuple[str, ...]] = Counter()
    for _, _, operation in operations_of(document):
        counted.update(way for way in _read_ways(operation.get("security")) if way)
    return [way for way, _ in counted.most_common()]


def _read_ways(value: Any) -> list[tuple[str, ...]]:
    items = value if isinstance(value, list) else []
    return [tuple(item) for item in items if isinstance(item, dict)]


def _kind(scheme: Mapping[str, Any]) -> str:
    kind = scheme.get("type")
    if kind == "http":
        kind = str(scheme.get("scheme") or "").lower()
    if kind == "apiKey" and not scheme.get("name"):
        return "other"
    return str(kind) if kind in ("basic", "apiKey", "bearer", "oauth2") else "other"
