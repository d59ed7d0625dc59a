"""
Play the merchant: a browser with cookies that fills in the store's real forms.

Every address it opens or is led to is kept in `seen`, so that a test can look for secrets there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from polyvalent.sandbox.magento import Store
from tests.journeys.stage import Reply, ask

MOST_REDIRECTS = 10


@dataclass
class Form:
    """A form of a page: where it goes, how, and what is filled in already."""

    id: str
    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Forms(HTMLParser):
    """Collect the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            method = given.get("method", "get").upper()
            self.forms.append(Form(given.get("id", ""), method, given.get("action", "")))
        elif tag == "input" and self.forms and given.get("name"):
            self.forms[-1].fields[given["name"]] = given.get("value", "")


@dataclass
class Browser:
    """Open pages and submit forms; stop where a redirect leaves the store."""

    home: str  # addresses that begin so are opened, others are where the journey ends
    cookies: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    page: Reply | None = None

    def open(self, url: str, method: str = "GET", form: dict[str, str] | None = None) -> str:
        """Open an address, follow redirects; return the address where it ended."""
        for _ in range(MOST_REDIRECTS):
            if form is not None and method == "GET":
                url = f"{url}{'&' if '?' in url else '?'}{urlencode(form)}"
            self.seen.append(url)
            if not url.startswith(self.home):
                return url
            headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
            body = None
            if method == "POST":
                body = urlencode(form or {}).encode()
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            self.page = ask(url, method, body=body, headers=headers)
            name, _, value = (
                self.page.headers.get("set-cookie", "").partition(";")[0].partition("=")
            )
            if name:
                self.cookies[name] = value
            if self.page.status not in (301, 302, 303):
                assert self.page.status == 200, self.page
                return url
            url, method, form = urljoin(url, self.page.headers["location"]), "GET", None
        raise AssertionError(f"too many redirects: {self.seen}")

    def submit(self, *, form_id: str = "", **values: str) -> str:
        """Submit the form with this id (by default the first) of the page that is open."""
        assert self.page is not None
        reader = Forms()
        reader.feed(self.page.body.decode())
        form = next(item for item in reader.forms if form_id in ("", item.id))
        action = urljoin(self.seen[-1], form.action)
        return self.open(action, form.method, {**form.fields, **values})


def consent(
    oauth_url: str, store: Store, *, home: str, rejecting: bool = False, user: str | None = None
) -> Browser:
    """Log in as the admin and confirm, or reject; the last address seen is the callback."""
    browser = Browser(home)
    browser.open(oauth_url)
    name = user or store.admin_user
    login = {"login[username]": name, "login[password]": store.admins[name].password}
    browser.submit(**login)
    browser.submit(form_id="oauth_authorize_reject" if rejecting else "oauth_authorize_confirm")
    return browser


def query_of(url: str) -> dict[str, str]:
    """The query of an address by name; no name may come twice."""
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs), url
    return dict(pairs)
