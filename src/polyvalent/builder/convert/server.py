"""Read where a document's API answers. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from polyvalent.builder.convert.document import Document
from polyvalent.catalog.element import ConfigurationEntry, Option
from polyvalent.catalog.placeholder import placeholders_of

_SCHEMES = ("https", "http")


@dataclass(frozen=True, kw_only=True)
class Server:
    """
    Hold the entries that make the address.

    `path` goes before the vendor's paths where the document names a path and no host.
    """

    entries: tuple[ConfigurationEntry, ...]
    host: str = ""
    path: str = ""
    warnings: tuple[str, ...] = ()


def read_server(document: Document) -> Server:
    """
    Return where the API answers: the entry base.url, and those of its variables.

    {"host": "shop.example", "basePath": "/v1", "schemes": ["https"]} → base.url with the default
    "https://shop.example/v1". Without a host each instance gives its own.
    """
    return _read_servers(document) if document.newer else _read_host(document.root)


def _read_host(root: Mapping[str, Any]) -> Server:
    schemes = root.get("schemes")
    offered = [item for item in _SCHEMES if isinstance(schemes, list) and item in schemes]
    host, path = str(root.get("host") or ""), str(root.get("basePath") or "").rstrip("/")
    path = path if not path or path.startswith("/") else f"/{path}"
    if not re.fullmatch(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?", host):
        return Server(entries=(_address(None),), path=path)
    return Server(entries=(_address(f"{(*offered, 'https')[0]}://{host}{path}"),), host=host)


def _read_servers(document: Document) -> Server:
    servers = document.root.get("servers")
    told = [item for item in (servers if isinstance(servers, list) else []) if _url(item)]
    if not told:
        return Server(entries=(_address(None),))
    first = told[0]
    url = _url(first).rstrip("/")
    warnings = (
        (f"of {len(told)} servers the first one is used; base.url of an instance may name another",)
        if len(told) > 1
        else ()
    )
    told_of = first.get("variables")
    variables: dict[str, Any] = told_of if isinstance(told_of, dict) else {}
    url = _with_scheme(url, variables)
    entries = []
    for name in dict.fromkeys(placeholders_of(url)):
        about = variables.get(name)
        entry = _variable(name, about if isinstance(about, dict) else {})
        entries.append(entry)
        url = url.replace(f"{{{name}}}", f"{{{entry.key}}}")
    if not url.lower().startswith(("https://", "http://")):
        path = url if not url or url.startswith("/") else f"/{url}"
        return Server(entries=(_address(None),), path=path, warnings=warnings)
    host = urlsplit(re.sub(r"[{}]", "", url)).netloc
    return Server(entries=(_address(url), *entries), host=host, warnings=warnings)


def _with_scheme(url: str, variables: Mapping[str, Any]) -> str:
    """Put a scheme in the place of a variable: "{scheme}://a.example" → "https://a.example"."""
    found = re.match(r"\{([^{}]+)\}://", url)
    if found is None:
        return url
    about = variables.get(found.group(1))
    about = about if isinstance(about, dict) else {}
    choices = about.get("enum")
    offered = [about.get("default"), *(choices if isinstance(choices, list) else ())]
    scheme = next((item for item in _SCHEMES if item in offered), _SCHEMES[0])
    return f"{scheme}://{url[found.end() :]}"


def _url(server: Any) -> str:
    url = server.get("url") if isinstance(server, dict) else None
    return url if isinstance(url, str) else ""


def _variable(name: str, about: Mapping[str, Any]) -> ConfigurationEntry:
    choices = about.get("enum")
    default = str(about.get("default") or "") or None
    options = [str(item) for item in choices] if isinstance(choices, list) else []
    if default is not None and default not in options:
        options = []
    return ConfigurationEntry(
        key=f"server.{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}",
        name=name,
        description=str(about.get("description") or "").strip()[:500]
        or "A part of the address of the API.",
        type="COMBO" if options else "TEXTFIELD_1000",
        default_value=default,
        required=default is None,
        options=tuple(Option(value=item) for item in options),
    )


def _address(default: str | None) -> ConfigurationEntry:
    return ConfigurationEntry(
        key="base.url",
        name="API address",
        description="Where the vendor answers calls.",
        default_value=default,
        required=default is None,
    )
