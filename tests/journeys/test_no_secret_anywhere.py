"""No secret is in any log, trace, error or, in the clear, in the database."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import structlog

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Stage, platform_on_stage

OWN = {
    "event.notification.signature.key": "signature-key-5f0d7c",
    "event.notification.basic.password": "basic-password-91ab3e",
}


class Breaker:
    """Break the platform at one named point of its work, as a defect would."""

    def __init__(self) -> None:
        self.point = ""
        self.secret = ""

    def __call__(self, point: str) -> None:
        if point == self.point:
            raise RuntimeError(f"defect with {self.secret} in its text")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that structlog and the standard library's loggers write, at any level."""
    stream = io.StringIO()
    # A command that ran in this process may have tied loggers to its own stream for good.
    for module in tuple(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("polyvalent."):
            vars(vars(module).get("_log", io.StringIO())).pop("bind", None)
    structlog.configure(
        processors=[
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=repr),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        logger_factory=structlog.PrintLoggerFactory(file=stream),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(before)
    root.removeHandler(handler)
    structlog.reset_defaults()


def forms(secret: str) -> set[str]:
    """Every form that a secret may hide in."""
    raw = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        quote(quote(secret, safe=""), safe=""),
        json.dumps(secret)[1:-1],
        base64.b64encode(raw).decode(),
        raw.hex(),
    }


def leaks(text: str, secrets: dict[str, str]) -> list[str]:
    """Name the secrets that a text has, with the place."""
    return [
        f"{name}: …{text[max(0, text.index(form) - 120) : text.index(form) + 60]}…"
        for name, secret in secrets.items()
        for form in forms(secret)
        if form in text
    ]


def play(stage: Stage, shop: RunningStore, breaker: Breaker) -> tuple[dict[str, str], list[Any]]:
    """Go through everything that goes well and wrong; return the secrets used and the traces."""
    store = shop.store
    application = Application(stage, store, shop.url)
    application.extra = OWN
    one = application.authorize()
    secrets = {
        "consumer key": store.consumer_key,
        "consumer secret": store.consumer_secret,
        "admin password": store.admin_password,
        "user secret": stage.user,
        "organization secret": stage.organization,
        "request token secret": one.secret,
        "handle": one.callback["secret"],
        "verifier": one.callback["oauth_verifier"],
        **OWN,
    }
    debug = {**application.body(one)["providerData"], "debug": True}
    query = {**application.parameters, "debug": "true"}
    stage.call("GET", "/elements/magento/oauth/token", query=query)

    # Refusals of every kind, with a trace where one is kept
    for wrong in ({"oauth_verifier": "0" * 32}, {"secret": "0" * 32}, {"oauth_token": "0" * 32}):
        application.create(one, providerData={**debug, **wrong})
    configuration = application.configuration
    for name, value in (
        ("oauth.api.secret", "0" * 32),
        ("oauth.api.key", "x"),
        ("store.url", "::"),
    ):
        changed = {**configuration, name: value}
        application.create(one, configuration=changed, providerData=debug)
    application.token(apiSecret="0" * 32)
    application.token(siteAddress="http://10.0.0.1")
    body = json.dumps(application.body(one)).encode()
    stage.call("POST", "/instances", body=body[:-1])
    stage.call("POST", "/instances", body=body, headers={"Content-Type": "text/xml"})
    stage.call("POST", "/instances", body=body, authorization=f"User {stage.user}")
    stage.call("POST", "/instances", body=body, authorization=f"Bearer {stage.user}")
    stage.call("POST", "/nix", body=body, query=application.parameters, authorization="")
    stage.call("DELETE", "/instances", body=body, query=application.parameters)

    # Defects
    for breaker.point, breaker.secret in (
        ("provision.named", stage.user),
        ("provision.before_exchange", store.consumer_secret),
        ("provision.before_transaction", one.secret),
        ("provision.before_commit", one.callback["oauth_verifier"]),
    ):
        again = one if breaker.point != "provision.before_commit" else application.authorize()
        broken = application.create(again, providerData=application.body(again)["providerData"])
        assert broken.status in (500, 401), broken
        for token in store.tokens.values():
            secrets[f"token {len(secrets)}"] = token.secret
    breaker.point = ""

    # Success, with a trace
    two = application.authorize()
    secrets["second request token secret"] = two.secret
    secrets["second verifier"] = two.callback["oauth_verifier"]
    done = application.create(
        two, providerData={**application.body(two)["providerData"], "debug": True}
    )
    assert done.status == 200, done
    instance = done.json()
    secrets["element token"] = instance["token"]
    lasting = [token for token in store.tokens.values() if token.is_access]
    for number, token in enumerate(lasting):
        secrets[f"lasting token {number}"] = token.token
        secrets[f"lasting token secret {number}"] = token.secret
    stage.call("GET", "/orders", element=instance["token"])
    stage.call("GET", "/nix", element=instance["token"])
    # The same with everything in the query, where addresses carry what headers did
    application.extra = {**OWN, "oauth.request.authorization.type": "query"}
    three = application.authorize()
    secrets["third request token secret"] = three.secret
    secrets["third verifier"] = three.callback["oauth_verifier"]
    data = {**application.body(three)["providerData"], "debug": True}
    assert application.create(three, providerData={**data, "secret": "0" * 32}).status == 401
    renewed = {"providerData": data, "configuration": application.configuration}
    path = f"/instances/{instance['id']}"
    assert stage.call("PATCH", path, body=renewed).status == 200
    for token in [token for token in store.tokens.values() if token.is_access]:
        secrets[f"lasting token {len(secrets)}"] = token.token
        secrets[f"lasting token secret {len(secrets)}"] = token.secret
    stage.call("PATCH", path, body={"configuration": {"oauth.api.secret": "0" * 32}})
    store.revoke_tokens()
    stage.call("GET", "/orders", element=instance["token"])
    traces = [
        stage.call("GET", f"/elements/magento/trace/{reply.headers['elements-trace-id']}")
        for reply in list(stage.heard)
        if "elements-trace-id" in reply.headers
    ]
    return secrets, traces


def test_keeps_secrets_out_of_logs_traces_errors_and_files(
    tmp_path: Path, open_shop: Callable[..., RunningStore], log: io.StringIO
) -> None:
    breaker = Breaker()
    with ExitStack() as stack:
        shop = open_shop()
        stage = stack.enter_context(platform_on_stage(tmp_path / "data", mark=breaker))
        secrets, traces = play(stage, shop, breaker)
        refused = [reply for reply in stage.heard if reply.status != 200]
    assert len(secrets) > 15
    assert {400, 401, 404, 405, 415, 500} <= {reply.status for reply in refused}

    # The net catches what is there: a word that is no secret is found in each place.
    written = log.getvalue()
    assert "request.answered" in written
    assert "request.broke" in written
    assert "/elements/magento/oauth/token" in written
    assert len(traces) >= 5
    shown = "\n".join(trace.body.decode() for trace in traces)
    assert all(trace.status == 200 for trace in traces)
    assert "POST:/oauth/token" in shown
    assert "signatureBaseString" in shown
    assert "oauth_verifier" in shown

    assert leaks(written, secrets) == []
    assert leaks(shown, secrets) == []
    assert leaks("\n".join(reply.body.decode() for reply in refused), secrets) == []
    headers = "\n".join(str(reply.headers) for reply in stage.heard)
    assert leaks(headers, secrets) == []

    files = [path for path in (tmp_path / "data").iterdir() if path.name != "keys.json"]
    assert any(path.name == "polyvalent.db" for path in files)
    stored = "\n".join(path.read_bytes().decode("latin-1") for path in files)
    assert "pagination.max" in stored
    assert leaks(stored, secrets) == []


def test_keeps_the_key_file_to_its_owner(own_stage: Stage) -> None:
    assert own_stage.settings.key_path.stat().st_mode & 0o777 == 0o600
    assert own_stage.settings.data_dir.stat().st_mode & 0o777 == 0o700


def test_answers_a_defect_without_a_word_about_it(
    tmp_path: Path, shop: RunningStore, log: io.StringIO
) -> None:
    breaker = Breaker()
    breaker.point, breaker.secret = "token.before_store", "s3cret-of-the-defect"
    with platform_on_stage(tmp_path / "data", mark=breaker) as stage:
        before = stage.rows()
        reply = Application(stage, shop.store, shop.url).token()
        assert stage.rows() == before
    assert reply.status == 500
    assert "defect of ours" in reply.message
    request_id = reply.json()["requestId"]
    lines = [line for line in log.getvalue().splitlines() if request_id in line]
    broke = next(json.loads(line) for line in lines if "request.broke" in line)
    assert broke["error"] == "RuntimeError"
    assert re.search(r'authorize\.py", line \d+', broke["frames"])
    assert "s3cret" not in log.getvalue()
