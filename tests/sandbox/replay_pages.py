"""
Replay the recordings of the authorization pages, each in its own browser session.

What a session looked like at that moment follows from the recording's name.
"""

import re
import secrets
from typing import Any

from polyvalent.sandbox.magento import RunningStore
from polyvalent.sandbox.magento.state import Token, new_code
from tests.sandbox.wire import Reply, send

CALLBACK = "http://127.0.0.1:9999/auth"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
# Pages that a logged-in admin saw; the others were seen by nobody in particular.
LOGGED_IN = {*map(str, range(11, 24)), "26", "27"}
CALLBACKS = {
    "18": "http://127.0.0.1:9999/auth?state=a%20b&x=1",
    "19": "oob",
    "20": "oob",
    "21": "oob",
    "27": "http://127.0.0.1:9999/auth#frag",
}


def play_page(running: RunningStore, recording: dict[str, Any]) -> Reply:
    """Bring a browser into the recorded situation and repeat the recorded request."""
    number = recording["name"][:2]
    token = request_token(running, number)
    base = running.url
    cookie, form_key = "", ""
    if any(name == "Cookie" for name, _ in recording["request"]["headers"]):
        cookie, form_key = open_session(running, request_token(running, "04"))
        if number in LOGGED_IN:
            log_in(running, cookie, form_key=form_key, password=running.store.admin_password)
        elif number == "06":
            log_in(running, cookie, form_key=form_key, password="wrong")
    if number == "16":
        address = f"{base}/index.php/admin/oauth_authorize/reject/?oauth_token={token}"
        send("GET", address, headers=[("Cookie", cookie)])
    request = recording["request"]
    headers = []
    for name, value in request["headers"]:
        if name == "Cookie":
            headers.append((name, cookie))
        elif name not in ("Host", "Content-Length"):
            headers.append((name, value))
    body = request["body"]
    if body is not None:
        body = body.replace("{form_key}", form_key).replace("{hex32}", token)
        body = body.replace("{admin_password}", running.store.admin_password)
    url = request["url"].replace("{base}", base).replace("{hex32}", token)
    return send(
        request["method"], url, headers=headers, body=None if body is None else body.encode()
    )


def request_token(running: RunningStore, number: str) -> str:
    """Make the request token of a page: fresh, unknown, or authorized before."""
    store = running.store
    if number == "02":
        return secrets.token_hex(16)
    consumer = store.consumers[1 if number == "17" else 0]
    token = Token(
        token=new_code(),
        secret=new_code(),
        consumer_id=consumer.consumer_id,
        callback=CALLBACKS.get(number, CALLBACK),
    )
    store.tokens[token.token] = token
    if number in ("13", "14"):
        store.authorize(token, admin=store.admin_user, customer_id=None)
    return token.token


def open_session(running: RunningStore, token: str) -> tuple[str, str]:
    """Open the login page; return its cookie and form key."""
    page = send("GET", f"{running.url}/admin/oauth_authorize?oauth_token={token}")
    form_key = re.search(r'name="form_key" type="hidden" value="(\w+)"', page.text)
    assert form_key
    return page.headers["set-cookie"].split(";")[0], form_key[1]


def log_in(running: RunningStore, cookie: str, *, form_key: str, password: str) -> None:
    """Send the login form."""
    body = (
        f"form_key={form_key}&login%5Busername%5D={running.store.admin_user}"
        f"&login%5Bpassword%5D={password}&oauth_token={new_code()}"
    )
    address = f"{running.url}/index.php/admin/oauth_authorize/index/"
    send("POST", address, headers=[("Cookie", cookie), FORM], body=body.encode())
