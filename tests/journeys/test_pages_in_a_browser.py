"""See the pages as people see them: in a real browser."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from polyvalent.api.app import OPERATIONS
from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.chromium import browsing, find_chromium
from tests.journeys.stage import Stage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_chromium() is None, reason="no Chromium on this machine"),
]


async def test_the_api_reference_shows_every_operation_without_a_foreign_host(
    stage: Stage, tmp_path: Path
) -> None:
    home = stage.url

    async with browsing(tmp_path / "profile") as page:
        await page.open(f"{home}/docs")
        # Folded by kind, since there are too many operations to draw at once.
        kinds = len({operation.tag for operation in OPERATIONS})
        await page.wait_for(f"document.querySelectorAll('.opblock-tag').length == {kinds}")
        await page.evaluate("document.querySelector('#operations-tag-OAuth').click()")
        await page.wait_for("document.querySelectorAll('.opblock').length >= 3")
        paths = await page.evaluate("document.body.innerText")

    assert "/elements/{keyOrId}/oauth/token" in paths.replace("\u200b", "")
    foreign = [url for url in page.requested if not url.startswith((home, "data:", "about:"))]
    assert foreign == []


async def test_a_merchant_consents_in_a_browser(
    application: Application, shop: RunningStore, tmp_path: Path
) -> None:
    # An address that this machine answers, if only with 404: the browser shall not look elsewhere.
    callback = f"{shop.url}/an-application"
    token = application.token(callbackUrl=callback).json()
    url = application.url(token["token"], callbackUrl=callback).json()["oauthUrl"]

    async with browsing(tmp_path / "profile") as page:
        await page.open(url)
        await page.wait_for("!!document.querySelector('#loginForm')")
        name, password = shop.store.admin_user, shop.store.admin_password
        await page.evaluate(
            f"document.querySelector('[name=\"login[username]\"]').value = {name!r};"
            f"document.querySelector('[name=\"login[password]\"]').value = {password!r};"
            "document.querySelector('#loginForm').submit()"
        )
        await page.wait_for("!!document.querySelector('#oauth_authorize_confirm')")
        await page.evaluate("document.querySelector('#oauth_authorize_confirm').submit()")
        await page.wait_for("location.pathname == '/an-application'")
        arrived = await page.evaluate("location.href")

    brought = parse_qs(urlsplit(arrived).query)
    assert set(brought) == {"state", "secret", "oauth_token", "oauth_verifier"}
    assert token["secret"] not in " ".join(page.requested)
