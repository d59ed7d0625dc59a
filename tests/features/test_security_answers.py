"""A malicious store can make a call fail, and nothing else."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from polyvalent.auth.oauth1_answer import measure_skew_s, parse_problem
from polyvalent.catalog.words import provider_message
from polyvalent.egress.retry import asked_pause_s
from polyvalent.exchange import Response
from polyvalent.sandbox.magento import RunningStore
from tests.journeys.application import Application
from tests.journeys.impostor import answering
from tests.journeys.stage import Clock, Stage, serving

BOMB_S = 0.25  # the largest of these takes a twentieth of that; quadratic ones took seconds
FAR_ZONE = "Mon, 01 Jan 2024 00:00:00 +99999999999999"
DEPTHS = (200, 300, 600, 1000, 3000, 100_000)


def application(url: str, **more: str) -> dict[str, str]:
    return {
        "apiKey": "k",
        "apiSecret": "s",
        "callbackUrl": "https://app.example/cb",
        "siteAddress": url,
        **more,
    }


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<head",
        "<!--",
        "<title",
        "<script>",
        "</head ",
        "<style></style ",
        "<title></title ",
        "&",
    ],
)
def test_reads_no_words_for_long(piece: str) -> None:
    sentences = [piece * (9_990 // len(piece)) + str(number) for number in range(19)]
    pages = (json.dumps({"errors": sentences}), "<html>" + piece * (199_000 // len(piece)))
    for page in pages:
        started_at = time.perf_counter()
        provider_message(Response(status=400, body=page.encode()))
        assert time.perf_counter() - started_at < BOMB_S, piece


def test_looks_for_no_problem_for_long() -> None:
    body = b"oauth_problem=x&" + b"message=a&" * 3_000_000
    taken_s = []
    for _ in range(3):  # a machine may be busy with something else for one of them
        started_at = time.perf_counter()
        problem = parse_problem(body)
        taken_s.append(time.perf_counter() - started_at)
        assert problem is not None
        assert problem.name == "x"
    assert min(taken_s) < BOMB_S


def test_takes_no_date_for_a_defect(stage: Stage) -> None:
    assert measure_skew_s(FAR_ZONE, received_at=Clock()()) is None
    late = Response(status=503, headers=(("Retry-After", FAR_ZONE),))
    assert asked_pause_s(late, now=Clock()()) is None
    store = answering(401, b"oauth_problem=signature_invalid", headers=(("Date", FAR_ZONE),))
    with serving(store, date_header=False) as url:
        reply = stage.call("GET", "/elements/magento/oauth/token", query=application(url))
        assert reply.status == 401, reply


@pytest.mark.parametrize("size", [10_000, 20_000_000])
def test_keeps_no_credentials_that_only_fill_the_disk(stage: Stage, size: int) -> None:
    before = stage.rows()
    with serving(answering(200, b"oauth_token=%s&oauth_token_secret=s" % (b"t" * size))) as url:
        reply = stage.call(
            "GET", "/elements/magento/oauth/token", query=application(url), authorization=""
        )
    assert reply.status in (400, 502), reply.status
    assert len(reply.body) < 5_000
    assert stage.rows() == before


@pytest.mark.parametrize(
    "row",
    [*(b"[" * depth + b"]" * depth for depth in DEPTHS), b'"\xff"', b"9" * 5000, b'"\\ud800"'],
    ids=[*(str(depth) for depth in DEPTHS), "bytes", "number", "surrogate"],
)
def test_answers_odd_rows_in_words(stage: Stage, shop: RunningStore, row: bytes) -> None:
    connected = Application(stage, shop.store, shop.url).connect()
    store = Rows(b'[{"status":1,"entity_id":"1"}]')
    with serving(store) as url:
        changes = {"configuration": {"base.url": url}}
        path = f"/instances/{connected['id']}"
        assert stage.call("PATCH", path, body=changes).status == 200
        for shape in (b'{"1":{"entity_id":"1","status":%s}}', b'[{"status":%s}]'):
            store.body = shape % row
            for call in ("/ping", "/hubs/ecommerce/products", "/hubs/ecommerce/products/1"):
                reply = stage.call("GET", call, element=connected["token"])
                assert reply.status != 500, (call, reply.body[:300])
            reply = stage.call("PATCH", path, body={"configuration": {"base.url": url + "/x"}})
            assert reply.status != 500, reply.body[:300]


class Rows:
    """A store whose every answer is the same rows, as they are at the moment."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await answering(200, self.body, content_type="application/json")(scope, receive, send)
