"""
Consent as a merchant would: open the store's page, log in, press the button.

A robot without a browser. It reads the forms that the page really has, fills them in, keeps
cookies and follows redirects, until one leads to the callback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin

from polyvalent.egress import Door
from polyvalent.errors import VendorRefused
from polyvalent.exchange import Exchange, Request

MOST_REDIRECTS = 10
LOGIN_FORM, CONFIRM_FORM = "loginForm", "oauth_authorize_confirm"


@dataclass(frozen=True, kw_only=True)
class Form:
    """Hold one form of a page: where it leads, how, and the fields it carries."""

    id: str
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict, repr=False)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.is_inside = True
            self.found.append(
                Form(
                    id=values.get("id", ""),
                    action=values.get("action", ""),
                    method=values.get("method", "get").upper(),
                )
            )
        elif tag == "input" and self.is_inside and values.get("name"):
            self.found[-1].fields[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False


def read_forms(page: str) -> dict[str, Form]:
    """Return the forms of an HTML page by their id."""
    reader = _Forms()
    reader.feed(page)
    return {form.id: form for form in reader.found}


@dataclass(frozen=True, kw_only=True)
class Merchant:
    """Be somebody with an account in the store's admin, and a door to go through."""

    door: Door
    user: str
    password: str = field(repr=False)
    cookies: dict[str, str] = field(default_factory=dict, repr=False)

    async def consent(self, oauth_url: str, *, callback: str) -> tuple[str, tuple[str, ...]]:
        """
        Go through the pages; return the address of the callback and what was done on the way.

        The callback itself is not called. Raises VendorRefused when a page has not the form that
        is expected, VendorUnreachable and others as the door does.
        """
        done = ["opens the page"]
        page = await self._open(oauth_url)
        login = _form(page, LOGIN_FORM)
        name, password = (one for one in login.fields if one.startswith("login["))
        filled = {**login.fields, name: self.user, password: self.password}
        page = await self._submit(login, filled, at=page.request.url)
        done.append(f"logs in as {self.user}")
        confirm = _form(page, CONFIRM_FORM)
        page = await self._submit(confirm, confirm.fields, at=page.request.url, until=callback)
        done.append("presses Authorize")
        location = page.response.header("Location") or ""
        if not location.startswith(callback):
            raise VendorRefused("The store did not lead back to the callback.", status=400)
        return location, tuple(done)

    async def follow(self, location: str) -> None:
        """Call the address that the store led back to, as a browser does."""
        await self.door.send(self._request(location, None))

    async def _submit(
        self, form: Form, fields: Mapping[str, str], *, at: str, until: str | None = None
    ) -> Exchange:
        url = urljoin(at, form.action)
        if form.method == "POST":
            return await self._open(url, body=urlencode(fields).encode(), until=until)
        joint = "&" if "?" in url else "?"
        return await self._open(f"{url}{joint}{urlencode(fields)}", until=until)

    async def _open(
        self, url: str, *, body: bytes | None = None, until: str | None = None
    ) -> Exchange:
        for _ in range(MOST_REDIRECTS):
            exchange = await self.door.send(self._request(url, body))
            for name, value in exchange.response.headers:
                if name.lower() == "set-cookie":
                    self.cookies.update(
                        {key: morsel.value for key, morsel in SimpleCookie(value).items()}
                    )
            location = exchange.response.header("Location")
            if location is None or (until and location.startswith(until)):
                return exchange
            url, body = urljoin(url, location), None
        raise VendorRefused("The store's pages redirect in a circle.", status=400)

    def _request(self, url: str, body: bytes | None) -> Request:
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = (("Accept", "text/html"), *((("Cookie", kept),) if kept else ()))
        if body is None:
            return Request(method="GET", url=url, headers=headers)
        form = ("Content-Type", "application/x-www-form-urlencoded")
        return Request(method="POST", url=url, headers=(*headers, form), body=body)


def _form(page: Exchange, name: str) -> Form:
    form = read_forms(page.response.body.decode("utf-8", "replace")).get(name)
    if form is None:
        raise VendorRefused(
            f"The store's page (status {page.response.status}) has no form {name!r}.", status=400
        )
    return form
