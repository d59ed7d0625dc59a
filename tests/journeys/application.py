"""Play the application: its keys at one store, and the three steps of connecting to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from polyvalent.sandbox.magento import Store
from tests.journeys.merchant import Browser, consent, query_of
from tests.journeys.stage import Reply, Stage

CALLBACK = "https://www.mycoolapp.com/auth"


@dataclass
class Application:
    """One application that is registered with one store and connects it to one platform."""

    stage: Stage
    store: Store
    site: str  # the store's address, as the application writes it
    home: str = ""  # the store's address as a browser sees it
    extra: dict[str, str] = field(default_factory=dict)  # more configuration

    @property
    def parameters(self) -> dict[str, str]:
        """What the OAuth calls are given."""
        return {
            "apiKey": self.store.consumer_key,
            "apiSecret": self.store.consumer_secret,
            "callbackUrl": CALLBACK,
            "siteAddress": self.site,
            **self.extra,
        }

    @property
    def configuration(self) -> dict[str, str]:
        """What `POST /instances` is given."""
        return {
            "oauth.api.key": self.store.consumer_key,
            "oauth.api.secret": self.store.consumer_secret,
            "oauth.callback.url": CALLBACK,
            "store.url": self.site,
            **self.extra,
        }

    def token(self, element: str = "magento", **changes: str) -> Reply:
        """Step 1."""
        query = {**self.parameters, **changes}
        return self.stage.call(
            "GET", f"/elements/{element}/oauth/token", query=query, authorization=""
        )

    def url(self, request_token: str, element: str = "magento", **changes: str) -> Reply:
        """Step 2."""
        query = {**self.parameters, "requestToken": request_token, **changes}
        return self.stage.call(
            "GET", f"/elements/{element}/oauth/url", query=query, authorization=""
        )

    def authorize(self, *, rejecting: bool = False, user: str | None = None) -> Authorized:
        """Steps 1 and 2, and the merchant's consent."""
        started = self.token()
        assert started.status == 200, started
        led = self.url(started.json()["token"])
        assert led.status == 200, led
        browser = consent(
            led.json()["oauthUrl"],
            self.store,
            home=self.home or self.site,
            rejecting=rejecting,
            user=user,
        )
        return Authorized(started.json()["token"], started.json()["secret"], browser)

    def body(self, authorized: Authorized, **changes: Any) -> dict[str, Any]:
        """The body of step 3 for what an authorization brought."""
        callback = authorized.callback
        return {
            "element": {"key": "magento"},
            "providerData": {
                name: callback[name]
                for name in ("oauth_token", "oauth_verifier", "secret")
                if name in callback
            },
            "configuration": self.configuration,
            "tags": ["shop"],
            "name": "Shop",
            **changes,
        }

    def create(self, authorized: Authorized | None = None, **changes: Any) -> Reply:
        """Step 3."""
        body = self.body(authorized or self.authorize(), **changes)
        return self.stage.call("POST", "/instances", body=body)

    def connect(self, **changes: Any) -> dict[str, Any]:
        """All the steps; returns the instance."""
        created = self.create(**changes)
        assert created.status == 200, created
        instance: dict[str, Any] = created.json()
        return instance


@dataclass
class Authorized:
    """What an authorization brought: the temporary credentials, and the browser's way."""

    token: str
    secret: str
    browser: Browser

    @property
    def callback(self) -> dict[str, str]:
        """The query of the callback."""
        assert self.browser.seen[-1].startswith(CALLBACK), self.browser.seen
        return query_of(self.browser.seen[-1])
