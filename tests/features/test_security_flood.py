"""Callers without secrets cannot use up the platform: neither its disk nor its connections."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from polyvalent.api.app import BASE_PATH
from polyvalent.authorizations import sql
from polyvalent.errors import TooOften
from polyvalent.instances.turnstile import Turnstile
from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.impostor import answering
from tests.journeys.stage import Reply, Stage, platform_on_stage, serving

REFUSAL = answering(401, b"oauth_problem=signature_invalid", pause_s=0.4)
CREDENTIALS = b"oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=true"


def begin(stage: Stage, url: str) -> Reply:
    query = {
        "apiKey": "k",
        "apiSecret": "s",
        "callbackUrl": "https://app.example/cb",
        "siteAddress": url,
    }
    return stage.call("GET", "/elements/magento/oauth/token", query=query, authorization="")


def test_tries_every_way_of_signing_within_one_deadline(tmp_path: Path) -> None:
    with platform_on_stage(tmp_path / "p", deadline_s=1) as stage, serving(REFUSAL) as url:
        started_at = time.perf_counter()
        reply = begin(stage, url)
        took_s = time.perf_counter() - started_at
    assert reply.status in (401, 504), reply
    assert took_s < 1.3, took_s


def test_counts_calls_by_host_and_in_all() -> None:
    turnstile = Turnstile(most=3, most_per_host=2)
    with turnstile.passing("a"), turnstile.passing("a"):
        with pytest.raises(TooOften), turnstile.passing("a"):
            pass
        with turnstile.passing("b"), pytest.raises(TooOften), turnstile.passing("c"):
            pass
        with turnstile.passing("c"):
            pass
    for _ in range(10):
        with turnstile.passing("a"):
            pass


def test_lets_slow_hosts_hold_no_more_than_their_share(stage: Stage, shop: RunningStore) -> None:
    replies: list[Reply] = []
    with serving(answering(200, CREDENTIALS, pause_s=1)) as url:
        threads = [
            threading.Thread(target=lambda: replies.append(begin(stage, url))) for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        assert Application(stage, shop.store, shop.url).token().status == 200
        for thread in threads:
            thread.join()
    statuses = sorted(reply.status for reply in replies)
    assert statuses == [200] * 16 + [503] * 4, statuses


def test_keeps_the_youngest_authorizations_alone(stage: Stage, shop: RunningStore) -> None:
    application = Application(stage, shop.store, shop.url)
    for _ in range(5):
        assert application.token().status == 200
    authorized = application.authorize()

    async def forget() -> None:
        async with stage.platform.ports.database.transaction() as connection:
            await sql.delete_surplus_requests(connection, most=1)

    stage.run(forget())
    assert stage.rows()["authorization_request"] == 1
    assert application.create(authorized).status == 200


def test_reads_no_body_of_a_caller_it_does_not_know(stage: Stage) -> None:
    """Otherwise anybody could make the platform hold five megabytes a connection."""
    parts = urlsplit(stage.url)
    for path, authorization, status in (
        ("/instances", "", 401),
        ("/instances", "User x, Organization y", 401),
        ("/nothing/here", "", 404),
        ("/elements/magento/oauth/token", "", 405),
    ):
        with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
            head = f"POST {BASE_PATH}{path} HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n"
            secrets = f"Authorization: {authorization}\r\n" if authorization else ""
            connection.sendall(f"{head}{secrets}\r\n".encode())
            assert connection.recv(4096).startswith(f"HTTP/1.1 {status}".encode()), path


def test_reads_little_of_a_stranger(stage: Stage) -> None:
    body = {"apiKey": "x" * 100_000}
    reply = stage.call("POST", "/elements/magento/oauth/url", body=body, authorization="")
    assert reply.status == 413, reply
