"""The reference page's examples, taken literally, give the page's answers."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application, Authorized
from tests.journeys.merchant import consent, query_of
from tests.journeys.page import EXAMPLES, PAGE, differences, example
from tests.journeys.stage import Reply, Stage, ask

# Constants of the example that are this store's, this instance's or this user's own.
VARYING = frozenset(("id", "name", "token", "createdDate", "user.id", "configuration.store.url"))


def send(stage: Stage, shown: dict[str, Any], *, element: str = "magento") -> Reply:
    """Send a request of an example as it stands."""
    target = shown["target"].replace("/elements/magento/", f"/elements/{element}/")
    url = stage.url + target
    return ask(url, shown["method"], body=shown.get("body"), headers=shown["headers"])


@pytest.mark.parametrize("element", ["magento", "356"])
def test_gives_the_answers_of_the_page(either: Stage, shop: RunningStore, element: str) -> None:
    store = shop.store
    app = {
        "INSERT_MAGENTO_API_KEY": store.consumer_key,
        "INSERT_MAGENTO_API_SECRET": store.consumer_secret,
        "siteAddress=https%3A%2F%2Fwww.mycoolapp.com": f"siteAddress={quote(shop.url, safe='')}",
    }
    # Step 1
    first = example("1-token", **app)
    started = send(either, first["request"], element=element)
    assert started.status == first["response"]["status"]
    anything = frozenset(("token", "secret"))
    assert differences(started.json(), first["response"]["body"], varying=anything) == []
    token, secret = started.json()["token"], started.json()["secret"]

    # Step 2
    second = example("2-url", **app, INSERT_REQUEST_TOKEN=token)
    led = send(either, second["request"], element=element)
    assert led.status == second["response"]["status"]
    wanted = second["response"]["body"]
    wanted["oauthUrl"] = wanted["oauthUrl"].replace(
        "https://www.mycoolapp.com/admin", f"{shop.url}/admin", 1
    )
    assert differences(led.json(), wanted) == []

    # The merchant
    browser = consent(led.json()["oauthUrl"], store, home=shop.url)
    arrived, shown = urlsplit(browser.seen[-1]), urlsplit(example("3-callback")["url"])
    assert (arrived.scheme, arrived.netloc, arrived.path) == (
        shown.scheme,
        shown.netloc,
        shown.path,
    )
    callback = query_of(browser.seen[-1])
    assert set(callback) == {"state", "oauth_token", "oauth_verifier", "secret"}
    assert set(callback) == set(query_of(example("3-callback")["url"]))
    assert callback["state"] == "magento"
    assert callback["oauth_token"] == token
    assert not any(secret in url for url in browser.seen), "the true secret was in an address"

    # Step 3
    third = example(
        "4-instance",
        INSERT_USER_SECRET=either.user,
        INSERT_ORGANIZATION_SECRET=either.organization,
        OAUTH_TOKEN_RETURNED_IN_OAUTH_EXCHANGE=callback["oauth_token"],
        OAUTH_VERIFIER_RETURNED_IN_OAUTH_EXCHANGE=callback["oauth_verifier"],
        SECRET_RETURNED_IN_OAUTH_EXCHANGE=callback["secret"],
        INSERT_MAGENTO_API_KEY=store.consumer_key,
        INSERT_MAGENTO_API_SECRET=store.consumer_secret,
        INSERT_CALLBACK_URL="https://www.mycoolapp.com/auth",
        INSERT_MAGENTO_STORE_URL=shop.url,
        INSERT_TAGS="test",
        INSERT_INSTANCE_NAME="Test",
    )
    created = send(either, third["request"])
    assert created.status == third["response"]["status"], created
    assert created.headers["content-type"] == "application/json;charset=UTF-8"
    instance = created.json()
    assert differences(instance, third["response"]["body"], varying=VARYING) == []
    assert instance["name"] == "Test"
    assert instance["configuration"]["store.url"] == shop.url
    assert list(instance["configuration"]) == list(third["response"]["body"]["configuration"])
    assert len(base64.b64decode(instance["token"], validate=True)) == 32

    # What was promised: the token opens the store.
    orders = either.call("GET", "/hubs/ecommerce/orders", element=instance["token"])
    assert orders.status == 200
    assert len(orders.json()) == 3


def test_takes_the_handle_once(application: Application) -> None:
    authorized = application.authorize()
    assert application.create(authorized).status == 200
    before = application.stage.rows()
    again = application.create(authorized)
    assert again.status == 400
    assert "used already" in again.message
    assert "/oauth/token" in again.message
    assert application.stage.rows() == before


def secret_forms(authorized: Authorized) -> dict[str, str | None]:
    return {
        "handle": authorized.callback["secret"],
        "step 1": authorized.secret,
        "left out": None,
        "empty": "",
    }


@pytest.mark.parametrize("form", ["handle", "step 1", "left out", "empty"])
def test_takes_every_form_of_the_secret(application: Application, form: str) -> None:
    authorized = application.authorize()
    secret = secret_forms(authorized)[form]
    data = {name: authorized.callback[name] for name in ("oauth_token", "oauth_verifier")}
    if secret is not None:
        data["secret"] = secret
    assert application.create(authorized, providerData=data).status == 200


@pytest.mark.parametrize(
    "pattern",
    ["User {u}, Organization {o}", "Organization {o}, User {u}", "organization {o},user {u}"],
)
def test_takes_the_secrets_in_any_order(application: Application, pattern: str) -> None:
    stage = application.stage
    header = pattern.format(u=stage.user, o=stage.organization)
    assert stage.call("GET", "/instances", authorization=header).status == 200


def test_keeps_page_and_examples_the_same() -> None:
    text = PAGE.read_text("utf-8")
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    told = [example(name)["response"]["body"] for name in ("1-token", "2-url", "4-instance")]
    body = example("4-instance")["request"]["body"]
    assert blocks == [told[0], told[1], body, told[2]]
    for name in ("1-token", "2-url", "4-instance"):
        assert example(name)["request"]["target"] in text
    assert example("3-callback")["url"] in text
    assert sorted(path.name for path in EXAMPLES.iterdir()) == [
        "1-token.yaml",
        "2-url.yaml",
        "3-callback.yaml",
        "4-instance.yaml",
    ]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_understands_curl_with_a_file_for_the_body(
    application: Application, tmp_path: Path
) -> None:
    stage, authorized = application.stage, application.authorize()
    file = tmp_path / "instance.json"
    file.write_text(json.dumps(application.body(authorized), indent=2), "utf-8")
    command = ["curl", "-s", "-X", "POST"]
    command += ["-H", f"Authorization: {stage.authorization}"]
    command += ["-H", "Content-Type: application/json", "-d", f"@{file}"]
    command += [f"{stage.url}/elements/api-v2/instances"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    assert json.loads(done.stdout)["name"] == "Shop"
    # Without the header curl says that it sends a form, and the answer tells what is missing.
    del command[6:8]
    bare = subprocess.run(command, capture_output=True, check=True, timeout=30)
    assert "Content-Type: application/json" in json.loads(bare.stdout)["message"]
