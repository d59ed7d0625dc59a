"""
Start an authorization: temporary credentials from the store, then the page for the merchant.

The store's answer to the merchant adds token and verifier to the callback and nothing else, so
the callback that is registered carries what our caller needs besides: the state, and a random
handle that stands for the secret of the temporary credentials. The secret itself is kept sealed
here for an hour and never passes through a browser.

Source: RFC 5849, sections 2.1 and 2.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from polyvalent.auth.oauth1 import TokenCredentials
from polyvalent.auth.oauth1_answer import UnreadableCredentials, parse_credentials
from polyvalent.auth.oauth1_variant import STANDARD
from polyvalent.auth.percent import percent_encode
from polyvalent.authorizations.find import find_request
from polyvalent.authorizations.keep import LIFETIME, keep_request
from polyvalent.authorizations.model import NewAuthorizationRequest
from polyvalent.catalog.element import Element
from polyvalent.errors import BadRequest
from polyvalent.exchange import Request
from polyvalent.instances.application import Application, read_application, site_key, transmission
from polyvalent.instances.configuration import fill, unfilled_path
from polyvalent.instances.ports import Ports
from polyvalent.instances.reach import LARGEST_REPLY_BYTES, SigningKeys, reach
from polyvalent.instances.refuse import refusal_of, wrong_place
from polyvalent.instances.watch import Watch

HANDLE_BYTES = 24


@dataclass(frozen=True, kw_only=True)
class Started:
    """Hold what `GET /elements/{keyOrId}/oauth/token` answers."""

    token: str = field(repr=False)
    secret: str = field(repr=False)


async def request_token(
    ports: Ports, element: Element, parameters: Mapping[str, str], *, watch: Watch
) -> Started:
    """
    Ask the store for temporary credentials and keep their secret, sealed, for an hour.

    Raises BadRequest for missing or unusable parameters and for a site that is no such store,
    VendorRefused with the store's reason, VendorUnreachable and VendorTimeout; then nothing
    is kept. Effects: one or a few signed calls to the store, one row.
    """
    application = read_application(element, parameters)
    ports.mark("token.checked")
    handle = ports.random(HANDLE_BYTES).hex()
    callback = extend_url(
        application.configuration["oauth.callback.url"] or "",
        (("state", application.state), ("secret", handle)),
    )
    ports.mark("token.before_store")
    credentials = await _ask_store(ports, application, callback=callback, watch=watch)
    ports.mark("token.after_store")
    now = ports.now()
    await keep_request(
        ports.database,
        ports.keys,
        NewAuthorizationRequest(
            element_key=element.key,
            store_url=application.configuration.get(site_key(element) or "") or "",
            callback_url=application.configuration["oauth.callback.url"] or "",
            client_key=application.client.key,
            token=credentials.token,
            secret=credentials.secret,
            handle=handle,
            created_at=now,
            expires_at=now + LIFETIME,
        ),
        random=ports.random,
        mark=ports.mark,
    )
    ports.mark("token.after_commit")
    return Started(token=credentials.token, secret=credentials.secret)


async def authorization_url(ports: Ports, element: Element, parameters: Mapping[str, str]) -> str:
    """
    Build the address of the page where the merchant consents.

    → "https://shop.example/admin/oauth_authorize?oauth_token=…&oauth_callback=…"
    Raises BadRequest for missing or unusable parameters and for a request token that expired
    or was used. Effects: none.
    """
    application = read_application(element, parameters)
    if application.request_token is None:
        raise BadRequest(
            "Parameter requestToken is missing: it is the `token` that "
            f"GET /elements/{element.key}/oauth/token answered."
        )
    stored = await find_request(ports.database, ports.keys, token=application.request_token)
    if stored is not None and stored.used_at is not None:
        raise BadRequest("This request token was used already. Ask for a new one.")
    if stored is not None and stored.expires_at <= ports.now():
        raise BadRequest("This request token is older than an hour. Ask for a new one.")
    callback = extend_url(
        application.configuration["oauth.callback.url"] or "", (("state", application.state),)
    )
    page = fill(application.configuration, "oauth.authorization.url")
    if not page.lower().startswith(("http://", "https://")):
        raise BadRequest(
            "The configuration cannot be used: oauth.authorization.url must be an http:// or "
            "https:// address, since browsers are sent there."
        )
    return extend_url(
        page,
        (("oauth_token", application.request_token), ("oauth_callback", callback)),
    )


def extend_url(url: str, pairs: tuple[tuple[str, str], ...]) -> str:
    """Add query pairs to an address: "https://a.example/cb?x=1", state=s → "…?x=1&state=s"."""
    before, mark, query = url.partition("?")
    added = "&".join(f"{percent_encode(name)}={percent_encode(value)}" for name, value in pairs)
    kept = f"{query}&" if mark and query else ""
    return f"{before}?{kept}{added}"


async def _ask_store(
    ports: Ports, application: Application, *, callback: str, watch: Watch
) -> TokenCredentials:
    configuration = application.configuration
    request = Request(
        method="POST",
        url=fill(configuration, "oauth.request.url"),
        headers=(("Accept", "*/*"),),
        template=unfilled_path(configuration, "oauth.request.url"),
    )
    with (
        ports.strangers.passing(urlsplit(request.url).netloc),
        # Anybody may start authorizations, and choose where they fail: that must not let a store
        # rest for those who have an instance of it.
        ports.lookout.calling(application.element, request, blames=False) as answered,
    ):
        reached = await reach(
            ports,
            request,
            keys=SigningKeys(
                client=application.client,
                callback=callback,
                transmission=transmission(configuration),
            ),
            variant=STANDARD,
            max_body_bytes=LARGEST_REPLY_BYTES,
            observe=watch.observe,
        )
        answered(reached.decisive.exchange, attempts=reached.sent)
    if reached.response.status != 200:
        raise refusal_of(reached, step="temporary_credentials", element=application.element)
    try:
        return parse_credentials(reached.response.body).credentials
    except UnreadableCredentials as error:
        raise wrong_place(reached, element=application.element, found=error.found) from error
