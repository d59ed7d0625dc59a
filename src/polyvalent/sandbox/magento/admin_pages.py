"""
The pages where a shop owner logs in and confirms or rejects an application.

Knows sessions, form keys and where each page leads (recording folder oauth-authorize). The same
pages serve customers of the shop below /oauth/authorize, with their e-mail address as the name.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from polyvalent.sandbox.magento import admin_html as html
from polyvalent.sandbox.magento.exchange import NO_CACHE, Answer, Call, redirect
from polyvalent.sandbox.magento.state import Session, Store, Token, new_code

ACTIONS = (
    "index",
    "simple",
    "confirm",
    "confirmSimple",
    "reject",
    "rejectSimple",
)
INVALID = "An error occurred. Your authorization request is invalid."


@dataclass(frozen=True, kw_only=True)
class Place:
    """Say for whom the pages are, and where they lie."""

    who: Literal["admin", "customer"]
    url: str  # of the pages, without a trailing slash
    login_url: str  # where the login form goes
    cookie: str  # name of the session cookie
    dashboard: str


def admin_place(store: Store, call: Call) -> Place:
    """Return where admins authorize."""
    admin = f"{call.base_url}/index.php/{store.options.admin_path}"
    dashboard = f"{admin}/dashboard/index/key/{new_code()}/"
    return Place(
        who="admin",
        url=f"{admin}/oauth_authorize",
        login_url=f"{admin}/oauth_authorize/index/",
        cookie="adminhtml",
        dashboard=dashboard,
    )


def customer_place(call: Call) -> Place:
    """Return where customers of the shop authorize."""
    return Place(
        who="customer",
        url=f"{call.base_url}/oauth/authorize",
        login_url=f"{call.base_url}/customer/account/loginPost/",
        cookie="frontend",
        dashboard=f"{call.base_url}/index.php/customer/account/",
    )


def show_page(store: Store, call: Call, *, action: str, place: Place) -> Answer:
    """Answer one page; `action` is one of ACTIONS."""
    session, cookie = open_session(store, call, place=place)
    fields = dict(parse_qsl(call.query, keep_blank_values=True))
    if call.method == "POST":
        fields |= dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))

    token = store.tokens.get(fields.get("oauth_token", ""))
    if action in ("confirm", "confirmSimple"):
        answer = confirm(
            store, session, token=token, place=place, name=fields.get("oauth_token", "")
        )
    elif action in ("reject", "rejectSimple"):
        answer = reject(store, token)
    elif call.method == "POST" and session.user is not None:
        answer = redirect(place.dashboard)
    elif call.method == "POST" and fields.get("form_key") == session.form_key:
        answer = log_in(store, session, fields=fields, place=place)
    else:
        texts, session.messages = session.messages, []
        if call.method == "POST":
            texts = ["Invalid Form Key. Please refresh the page.", "Request is not GET"]
        suffix = "Simple" if action == "simple" else ""
        answer = ask(store, session, token=token, place=place, texts=texts, suffix=suffix)
    return Answer(
        status=answer.status,
        content_type=answer.content_type,
        body=answer.body,
        headers=(cookie, *(answer.headers or NO_CACHE), ("X-Frame-Options", "SAMEORIGIN")),
    )


def open_session(store: Store, call: Call, *, place: Place) -> tuple[Session, tuple[str, str]]:
    """Return the browser's session, a new one if it has none, and the header that keeps it."""
    sessions = store.admin_sessions if place.who == "admin" else store.customer_sessions
    session_id = call.cookies.get(place.cookie, "")
    if session_id not in sessions:
        session_id = new_code()
        sessions[session_id] = Session(form_key=new_code()[:16])
    cookie = f"{place.cookie}={session_id}; Max-Age=10800; path={call.root or '/'}; HttpOnly"
    return sessions[session_id], ("Set-Cookie", cookie)


def ask(
    store: Store,
    session: Session,
    *,
    token: Token | None,
    place: Place,
    texts: list[str],
    suffix: str,
) -> Answer:
    """Show the login form, or the question once somebody is logged in."""
    is_form_error = "Request is not GET" in texts
    if token is None or token.is_authorized:
        heading = "Authorize application" if session.user is not None else ""
        return Answer(body=html.refused_page(heading, INVALID))
    application = store.consumer_by_id(token.consumer_id).name
    if session.user is None:
        reject_url = f"{place.url}/reject{suffix}/?oauth_token={token.token}"
        if place.who == "customer":
            session.next_url = f"{place.url}/?oauth_token={token.token}"
            body = html.customer_login_page(
                action=place.login_url,
                reject_url=reject_url,
                application=application,
                form_key=session.form_key,
                texts=texts,
            )
            return Answer(body=body)
        body = html.login_page(
            action=place.login_url,
            reject_url=reject_url,
            application="" if is_form_error else application,
            form_key=session.form_key,
            token=token.token,
            texts=texts,
        )
        return Answer(body=body)
    return Answer(
        body=html.consent_page(
            confirm_url=f"{place.url}/confirm{suffix}/",
            reject_url=f"{place.url}/reject{suffix}/",
            application=application,
            token=token.token,
        )
    )


def log_in(store: Store, session: Session, *, fields: dict[str, str], place: Place) -> Answer:
    """Check name and password and lead back to the question, right or wrong."""
    name, password = fields.get("login[username]", ""), fields.get("login[password]", "")
    admin = store.admins.get(name)
    session.user = name if admin is not None and admin.password == password else None
    if session.user is None:
        session.messages = [
            "You did not sign in correctly or your account is temporarily disabled."
        ]
    return redirect(f"{place.url}/?oauth_token={fields.get('oauth_token', '')}")


def log_in_customer(store: Store, call: Call) -> Answer:
    """Check the shop's own login form and lead back to the question, right or wrong."""
    place = customer_place(call)
    session, cookie = open_session(store, call, place=place)
    fields = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    customer_id = store.customer_emails.get(fields.get("login[username]", "").lower())
    if (
        fields.get("form_key") == session.form_key
        and customer_id is not None
        and fields.get("login[password]") == store.customer_password
    ):
        session.user = str(customer_id)
    else:
        session.messages = ["Invalid login or password."]
    return redirect(session.next_url or place.dashboard, headers=(cookie,))


def confirm(
    store: Store, session: Session, *, token: Token | None, place: Place, name: str
) -> Answer:
    """Authorize a request token and lead back to the application with a verifier."""
    if session.user is None:
        return redirect(f"{place.url}/?oauth_token={name}")
    if token is None or token.is_authorized:
        text = "An error occurred on confirm authorize."
        return Answer(body=html.refused_page("Confirmation Of Authorization", text))
    if place.who == "admin":
        store.authorize(token, admin=session.user, customer_id=None)
    else:
        store.authorize(token, admin=None, customer_id=int(session.user))
    if token.callback == "oob":
        return Answer(body=html.verifier_page(token.verifier or ""))
    query = f"oauth_token={token.token}&oauth_verifier={token.verifier}"
    return redirect(joined(token.callback, query))


def reject(store: Store, token: Token | None) -> Answer:
    """
    Lead back to the application with rejected=1; nobody need be logged in.

    The request token stays usable.
    """
    if token is None or token.is_authorized:
        text = "An error occurred on reject authorize."
        return Answer(body=html.refused_page("Rejection Of Authorization", text))
    rejected_url = store.consumer_by_id(token.consumer_id).rejected_url
    if rejected_url is None and token.callback == "oob":
        return Answer(body=html.rejected_page())
    return redirect(joined(rejected_url or token.callback, f"oauth_token={token.token}&rejected=1"))


def joined(url: str, query: str) -> str:
    """Append a query as the vendor does: a fragment is not noticed."""
    return f"{url}{'&' if '?' in url else '?'}{query}"
