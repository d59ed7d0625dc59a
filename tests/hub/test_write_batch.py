"""What an answer to many changed rows says of each: only of those that it names, and only once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from polyvalent.catalog.load import load_catalog
from polyvalent.catalog.writing import WriteBatch
from polyvalent.exchange import Exchange, Request, Response
from polyvalent.hub.write_batch import read_fates

MAGENTO = load_catalog().find("magento")
BATCH = WriteBatch(
    vendor_path="/items",
    vendor_method="PUT",
    rows_max=9,
    key_field="no",
    written="done.rows",
    failed="done.errors",
    message="text",
    status="code",
)


def answer(body: Any) -> Exchange:
    return Exchange(
        request=Request(method="PUT", url="http://shop.example/items"),
        response=Response(status=200, body=json.dumps(body).encode()),
        elapsed_ms=1,
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"rows": [{"no": 1}, {"no": "2"}]}, {"1": None, "2": None}),
        ({"rows": [1, "2", 3]}, {"1": None, "2": None}),
        ({"errors": [{"no": 1, "text": "No.", "code": 400}]}, {"1": (400, "No.")}),
        ({"errors": [{"no": 1, "text": "No."}]}, {"1": (400, "No.")}),
        ({"errors": [1]}, {"1": (400, None)}),
        (
            {"errors": [{"no": 1, "text": "A."}, {"no": 1, "text": "B."}]},
            {"1": (400, "A.; B.")},
        ),
        # It may be written all the same.
        ({"errors": [{"no": 1, "text": "Resource internal error.", "code": 500}]}, {}),
        ({"errors": [{"no": 1, "text": "Busy.", "code": 429}]}, {}),
        ({"errors": [{"no": 1, "code": 200}]}, {}),
        ({"errors": [{"no": None, "text": "No."}], "rows": [{}]}, {}),
        ({"rows": [{"no": 1}], "errors": [{"no": 1, "text": "No."}]}, {}),
        ({"rows": {"no": 1}, "errors": "1"}, {}),
        (None, {}),
    ],
)
def test_it_reads_what_became_of_each_row(told: Any, expected: dict[str, Any]) -> None:
    fates = read_fates(MAGENTO, BATCH, answer({"done": told}), ids=frozenset(("1", "2")))

    shown = {
        row_id: None if error is None else (error.status, error.provider_message)
        for row_id, error in fates.items()
    }
    assert shown == expected


def test_an_answer_that_is_no_json_names_nothing() -> None:
    exchange = Exchange(
        request=Request(method="PUT", url="http://shop.example/items"),
        response=Response(status=200, body=b"<html>"),
        elapsed_ms=1,
    )

    assert read_fates(MAGENTO, BATCH, exchange, ids=frozenset(("1",))) == {}
