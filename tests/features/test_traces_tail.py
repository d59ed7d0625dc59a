"""`polyvalent traces tail` shows what calls left, beside the platform that serves them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from polyvalent.cli import main
from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.stage import Stage


@pytest.fixture
def own(own_stage: Stage, shop: RunningStore) -> Application:
    return Application(own_stage, shop.store, shop.url)


@pytest.fixture
def tail(own: Application, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*words: str) -> str:
        own.stage.run(own.stage.platform.journal.flush())
        folder = str(own.stage.settings.data_dir)
        capsys.readouterr()  # the log of the platform, which is served beside
        assert main(["traces", "tail", "--no-follow", "--data-dir", folder, *words]) == 0
        return capsys.readouterr().out

    return run


def test_tells_each_call_and_what_it_asked_the_store(
    own: Application, tail: Callable[..., str]
) -> None:
    token = own.connect(traceLoggingEnabled=True)["token"]
    own.stage.call("GET", "/products", query={"pageSize": 3}, element=token)
    refused = own.stage.call("GET", "/products/999999", element=token)
    lines = tail().splitlines()
    assert "200 GET    /products?pageSize=3" in lines[0]
    assert "→ 200 GET    http" in lines[1]
    assert "/api/rest/products" in lines[1]
    assert "404 GET    /products/999999" in lines[2]
    assert "→ 404 GET    http" in lines[3]
    assert refused.json()["message"] in json.loads(lines[4])["message"]
    assert len(lines) == 5


def test_shows_one_instance_as_lines_of_json(own: Application, tail: Callable[..., str]) -> None:
    one, other = own.connect(traceLoggingEnabled=True), own.connect(traceLoggingEnabled=True)
    for path in ("/products", "/orders", "/customers"):
        own.stage.call("GET", path, element=one["token"])
        own.stage.call("GET", path, element=other["token"])
    shown = [json.loads(line) for line in tail(str(other["id"]), "--json", "-n", "2").splitlines()]
    assert [(trace["instanceId"], trace["path"]) for trace in shown] == [
        (other["id"], "/orders"),
        (other["id"], "/customers"),
    ]
    assert shown[0]["exchanges"][0]["signatureBaseString"].startswith("GET&")


def test_follows_new_calls_until_it_is_stopped(own: Application) -> None:
    token = own.connect(traceLoggingEnabled=True)["token"]
    own.stage.call("GET", "/products", element=token)
    own.stage.run(own.stage.platform.journal.flush())
    folder = str(own.stage.settings.data_dir)
    words = [sys.executable, "-m", "polyvalent.cli", "traces", "tail", "--data-dir", folder]
    process = subprocess.Popen([*words, "--json"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["path"] == "/products"
        own.stage.call("GET", "/orders", element=token)
        assert json.loads(process.stdout.readline())["path"] == "/orders"
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


def test_says_that_there_is_no_such_instance(
    own: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(own.stage.settings.data_dir)
    assert main(["traces", "tail", "77", "--data-dir", folder]) == 1
    assert "no instance 77" in capsys.readouterr().err
