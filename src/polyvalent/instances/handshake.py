"""Find out what a merchant's consent brought back: token, verifier and the secret behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from polyvalent.auth.oauth1 import TokenCredentials
from polyvalent.catalog.element import Element
from polyvalent.errors import BadRequest
from polyvalent.instances import sql
from polyvalent.instances.ports import Ports


@dataclass(frozen=True, kw_only=True)
class Handshake:
    """Hold what the exchange for token credentials needs; `request_id` if we started it."""

    temporary: TokenCredentials = field(repr=False)
    verifier: str = field(repr=False)
    request_id: int | None


async def find_handshake(
    ports: Ports, element: Element, provider_data: Mapping[str, str]
) -> Handshake:
    """
    Put the handshake together from `providerData`.

    `secret` may be the handle of the callback, the secret of the first step, or absent, when
    the stored one is taken. Raises BadRequest that tells a declined, an incomplete, an
    expired and a used authorization apart. Effects: reads only.
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
    async with ports.database.reading() as connection:
        stored = await sql.find_request_by_token(connection, ports.keys, token=token)
        known_handle = bool(secret) and await sql.is_handle(connection, ports.keys, text=secret)
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
