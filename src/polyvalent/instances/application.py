"""
Read what an application sends to the OAuth calls: its keys at the vendor, and which store.

The short names of the calls stand for configuration keys; any configuration key of the element
may be sent as well, to fill a placeholder or to override an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from polyvalent.auth.oauth1 import ClientCredentials, Transmission
from polyvalent.catalog.element import Element
from polyvalent.errors import BadRequest
from polyvalent.instances.configuration import check, complete, placeholders
from polyvalent.instances.model import Configuration
from polyvalent.instances.site import normalize_site

SHORT_NAMES = {
    "apiKey": "oauth.api.key",
    "apiSecret": "oauth.api.secret",
    "callbackUrl": "oauth.callback.url",
    "scope": "oauth.scope",
}


@dataclass(frozen=True, kw_only=True)
class Application:
    """Hold one application's way to one store, before there is an instance."""

    element: Element
    configuration: Configuration = field(repr=False)
    state: str
    request_token: str | None = field(default=None, repr=False)
    debug: bool = False

    @property
    def client(self) -> ClientCredentials:
        """Return the application's credentials at the vendor."""
        return client_credentials(self.configuration)


def read_application(element: Element, parameters: Mapping[str, str]) -> Application:
    """
    Read the parameters of an OAuth call: apiKey, apiSecret, callbackUrl, siteAddress, ...

    Raises BadRequest if the element has no OAuth 1.0a, naming all parameters that are missing,
    or for an address that cannot be used.
    """
    if element.authentication.type != "oauth1":
        raise BadRequest(
            f"Element {element.key} authenticates by {element.authentication.type}, not by "
            "OAuth 1.0a, so it has no OAuth token and no OAuth URL. POST /instances directly."
        )
    short = site_names(element)
    known = {entry.key for entry in element.configuration}
    given: dict[str, str | None] = {key: parameters[key] for key in known if parameters.get(key)}
    for name, key in short.items():
        if parameters.get(name) and key in known:
            given[key] = parameters[name]
    missing = [
        f"{name} ({entry.name})"
        for name, key in short.items()
        for entry in element.configuration
        if entry.key == key and entry.required and not given.get(key)
    ]
    if missing:
        raise BadRequest(f"Parameters are missing: {', '.join(missing)}.")
    configuration = complete(element, normalize_addresses(element, given))
    check(element, configuration)
    return Application(
        element=element,
        configuration=configuration,
        state=parameters.get("state") or element.key,
        request_token=parameters.get("requestToken") or None,
        debug=parameters.get("debug") == "true",
    )


def site_names(element: Element) -> Mapping[str, str]:
    """
    Return which configuration key each short parameter name stands for.

    `siteAddress` stands for the first placeholder that the element's addresses are built on:
    "{store.url}/oauth/initiate" → store.url.
    """
    key = site_key(element)
    return {**SHORT_NAMES, "siteAddress": key} if key else SHORT_NAMES


def site_key(element: Element) -> str | None:
    """Return the configuration key that holds the store's address, None without one."""
    defaults = {entry.key: entry.default_value or "" for entry in element.configuration}
    for address in ("oauth.request.url", "oauth.authorization.url", "base.url"):
        for name in placeholders(defaults.get(address, "")):
            # "https://{name}.example.com" is built on a name, not on an address.
            if name in defaults and defaults[address].startswith(f"{{{name}}}"):
                return name
    return None


def normalize_addresses(element: Element, configuration: Configuration) -> Configuration:
    """Bring the store's address into its one form; raises BadRequest if it is none."""
    key = site_key(element)
    if key is None or not configuration.get(key):
        return configuration
    return {**configuration, key: normalize_site(configuration[key] or "")}


def client_credentials(configuration: Configuration) -> ClientCredentials:
    """Return the application's key and secret at the vendor, blanks around them removed."""
    return ClientCredentials(
        (configuration.get("oauth.api.key") or "").strip(),
        (configuration.get("oauth.api.secret") or "").strip(),
    )


def transmission(configuration: Configuration) -> Transmission:
    """Return where the OAuth parameters travel: in the header, or in the query."""
    return "query" if configuration.get("oauth.request.authorization.type") == "query" else "header"
