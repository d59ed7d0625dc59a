"""Find out what a merchant's consent brought back: token, verifier and the secret behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from polyvalent.auth.oauth1 import TokenCredentials
from polyvalent.authorizations.find import find_request, knows_handle
from polyvalent.authorizations.model import AuthorizationRequest
from polyvalent.catalog.element import Element
from polyvalent.errors import BadRequest
from polyvalent.instances.application import client_credentials, site_key
from polyvalent.instances.model import Configuration
from polyvalent.instances.ports import Ports


@dataclass(frozen=True, kw_only=True)
class Handshake:
    """Hold what the exchange for token credentials needs; `request_id` if we started it."""

    temporary: TokenCredentials = field(repr=False)
    verifier: str = field(repr=False)
    request_id: int | None


async def find_handshake(
    ports: Ports,
    element: Element,
    provider_data: Mapping[str, str],
    *,
    configuration: Configuration,
) -> Handshake:
    """
    Put the handshake together from `providerData`.

    `secret` may be the handle of the callback, the secret of the first step, or absent, when
    the stored one is taken. Raises BadRequest that tells a declined, an incomplete, an
    expired, a used and a foreign authorization apart: one that was begun for another store or
    with another application's key than `configuration` has. Effects: reads only.
    """
    start = f"GET /elements/{element.key}/oauth/token"
    token = provider_data.get("oauth_token", "").strip()
    verifier = provider_data.get("oauth_verifier", "").strip()
    secret = provider_data.get("secret", "").strip()
    if provider_data.get("rejected", "").strip() not in ("", "0", "false"):
        raise BadRequest(
            "The merchant declined the access (the callback carried rejected=1), so there is "
            f"nothing to create an instance from. Ask them, then start again with {start}."
        )
    missing = [
        name for name, text in (("oauth_token", token), ("oauth_verifier", verifier)) if not text
    ]
    if missing:
        raise BadRequest(
            f"providerData lacks {' and '.join(missing)}. Copy them from the query of the "
            f"callback that came after the merchant's consent; it all starts with {start}."
        )
    stored = await find_request(ports.database, ports.keys, token=token)
    known_handle = bool(secret) and await knows_handle(ports.database, ports.keys, text=secret)
    if stored is None or stored.element_key != element.key:
        if known_handle:
            raise BadRequest(
                "providerData.secret belongs to another authorization than oauth_token. Copy "
                "both from the query of the same callback."
            )
        if not secret:
            raise BadRequest(
                "providerData.secret is missing, and no secret is kept for this oauth_token. "
                f"Send the secret that {start} answered, or start again with it."
            )
        return Handshake(
            temporary=TokenCredentials(token, secret), verifier=verifier, request_id=None
        )
    if stored.used_at is not None:
        raise BadRequest(
            "This authorization was used already: an instance exists from it, and a verifier "
            f"works once. To connect again, start with {start}."
        )
    if stored.expires_at <= ports.now():
        raise BadRequest(
            "This authorization was started more than an hour ago and has expired. "
            f"Start again with {start}."
        )
    if not _begun_with(configuration, stored, element=element):
        raise BadRequest(
            "This authorization was started for another store, or with another consumer key, than "
            f"the configuration has. Use the values of {start}, or start again with it."
        )
    if known_handle and secret != stored.handle:
        raise BadRequest(
            "providerData.secret belongs to another authorization than oauth_token. Copy both "
            "from the query of the same callback."
        )
    if secret in ("", stored.handle):
        secret = stored.secret
    return Handshake(
        temporary=TokenCredentials(token, secret), verifier=verifier, request_id=stored.id
    )


def _begun_with(
    configuration: Configuration, stored: AuthorizationRequest, *, element: Element
) -> bool:
    # Host and port alone are compared: stores answer over http and https, and in several folders.
    site = configuration.get(site_key(element) or "") or ""
    same_host = urlsplit(site).netloc == urlsplit(stored.store_url).netloc
    return same_host and client_credentials(configuration).key == stored.client_key
