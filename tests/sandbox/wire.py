"""
A small client for the simulator's tests: http.client for the wire, oauthlib for the signatures.

Neither shares code with the simulator or with the platform.
"""

import http.client
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from oauthlib.oauth1 import Client

from polyvalent.sandbox.magento import RunningStore


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Hold an answer; header names are lower case, of repeated ones the last counts."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """Return a form-encoded body."""
        return {k: v[0] for k, v in parse_qs(self.text).items()}


def send(
    method: str,
    url: str,
    *,
    headers: list[tuple[str, str]] | None = None,
    body: bytes | None = None,
    host: str | None = None,
) -> Reply:
    """Send one request exactly as given: no header is added but Host and Content-Length."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    target = url.split(parts.netloc, 1)[1] or "/"
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", host or parts.netloc)
    for name, value in headers or []:
        connection.putheader(name, value)
    if body is not None or method in ("POST", "PUT"):
        connection.putheader("Content-Length", str(len(body or b"")))
    connection.endheaders(body)
    answer = connection.getresponse()
    reply = Reply(
        status=answer.status,
        headers={k.lower(): v for k, v in answer.getheaders()},
        body=answer.read(),
    )
    connection.close()
    return reply


def without_port(url: str) -> str:
    """Return the address that a stock store signs for /oauth/*."""
    return re.sub(r"^(https?://[^/:]+):\d+", r"\1", url)


@dataclass(kw_only=True)
class Shop:
    """Talk to a running store, signed as its first application."""

    running: RunningStore
    token: str | None = None
    secret: str | None = None
    is_port_signed: dict[str, bool] = field(default_factory=lambda: {"oauth": False, "rest": True})

    @property
    def url(self) -> str:
        """Return the store's address."""
        return self.running.url

    def authorization(
        self,
        method: str,
        url: str,
        *,
        nonce: str | None = None,
        timestamp: str | None = None,
        callback: str | None = None,
        verifier: str | None = None,
        consumer: tuple[str, str] | None = None,
        signature_method: str = "HMAC-SHA1",
        body: str | None = None,
    ) -> str:
        """Return an Authorization header signed by oauthlib for a given address."""
        key, secret = consumer or (
            self.running.store.consumer_key,
            self.running.store.consumer_secret,
        )
        client = Client(
            key,
            client_secret=secret,
            resource_owner_key=self.token,
            resource_owner_secret=self.secret if self.token else None,
            callback_uri=callback,
            verifier=verifier,
            signature_method=signature_method,
            nonce=nonce,
            timestamp=timestamp,
        )
        form = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        _, headers, _ = client.sign(url, method, body=body, headers=form)
        return str(headers["Authorization"])

    def rest(
        self,
        method: str,
        path: str,
        *,
        data: Any = None,
        accept: str | None = "application/json",
        nonce: str | None = None,
        timestamp: str | None = None,
    ) -> Reply:
        """Make a signed call below /api/rest."""
        url = f"{self.url}/api/rest/{path}"
        signed = url if self.is_port_signed["rest"] else without_port(url)
        authorization = self.authorization(method, signed, nonce=nonce, timestamp=timestamp)
        headers = [("Authorization", authorization)]
        if accept is not None:
            headers.append(("Accept", accept))
        body = None
        if data is not None:
            headers.append(("Content-Type", "application/json"))
            body = data if isinstance(data, bytes) else json.dumps(data).encode()
        return send(method, url, headers=headers, body=body)

    def oauth(
        self,
        name: str,
        *,
        method: str = "POST",
        callback: str | None = None,
        verifier: str | None = None,
        nonce: str | None = None,
        timestamp: str | None = None,
        consumer: tuple[str, str] | None = None,
        signature_method: str = "HMAC-SHA1",
    ) -> Reply:
        """Make a signed call to /oauth/initiate or /oauth/token."""
        url = f"{self.url}/oauth/{name}"
        authorization = self.authorization(
            method,
            url if self.is_port_signed["oauth"] else without_port(url),
            callback=callback,
            verifier=verifier,
            nonce=nonce,
            timestamp=timestamp,
            consumer=consumer,
            signature_method=signature_method,
        )
        return send(method, url, headers=[("Authorization", authorization)])

    def request_token(self, callback: str = "http://127.0.0.1:9/back?state=1") -> str:
        """Fetch a request token and keep it."""
        self.token = self.secret = None
        granted = self.oauth("initiate", callback=callback).form()
        self.token, self.secret = granted["oauth_token"], granted["oauth_token_secret"]
        return self.token

    def log_in(self, request_token: str) -> tuple[str, str]:
        """Log in as the admin through the real form; return the session cookie and the page."""
        store = self.running.store
        path = store.options.admin_path
        page = send("GET", f"{self.url}/{path}/oauth_authorize?oauth_token={request_token}")
        cookie = page.headers["set-cookie"].split(";")[0]
        form_key = re.search(r'name="form_key" type="hidden" value="(\w+)"', page.text)
        action = re.search(r'action="([^"]+)" id="loginForm"', page.text)
        assert form_key
        assert action
        body = (
            f"form_key={form_key[1]}&login%5Busername%5D={store.admin_user}"
            f"&login%5Bpassword%5D={store.admin_password}&oauth_token={request_token}"
        )
        headers = [("Cookie", cookie), ("Content-Type", "application/x-www-form-urlencoded")]
        answer = send("POST", action[1], headers=headers, body=body.encode())
        assert answer.status == 302
        asked = send("GET", answer.headers["location"], headers=[("Cookie", cookie)])
        return cookie, asked.text

    def confirm(self, request_token: str) -> str:
        """Log in and confirm; return where the browser is sent."""
        cookie, page = self.log_in(request_token)
        action = re.search(r'id="oauth_authorize_confirm" action="([^"]+)"', page)
        assert action
        answer = send(
            "GET", f"{action[1]}?oauth_token={request_token}", headers=[("Cookie", cookie)]
        )
        return answer.headers["location"]

    def connect(self) -> None:
        """Go through the whole authorization."""
        target = self.confirm(self.request_token())
        verifier = parse_qs(urlsplit(target).query)["oauth_verifier"][0]
        granted = self.oauth("token", verifier=verifier).form()
        self.token, self.secret = granted["oauth_token"], granted["oauth_token_secret"]
