"""The comparison behind the replay notices what it is there to notice."""

import json
from typing import Any

import pytest

from tests.sandbox.replay_compare import differences

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=UTF-8"


def answer(body: Any, *, status: int = 200, content_type: str = JSON, **more: str) -> Any:
    """Make one side of a comparison."""
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"content-type": content_type, **more}
    return {"status": status, "headers": headers, "body": text}


ROW = {"entity_id": "1", "price": "9.0000", "weight": None}


def test_it_finds_nothing_between_equal_shapes() -> None:
    other = ROW | {"price": "5.0000"}

    assert differences(answer({"1": ROW}), answer({"1": other})) == []


@pytest.mark.parametrize(
    "got",
    [
        {"1": ROW | {"price": 9}},
        {"1": ROW | {"weight": "1"}},
        {"1": {"entity_id": "1", "price": "9.0000"}},
        {"1": ROW | {"extra": "x"}},
        {"2": ROW},
        {"1": ROW, "2": ROW},
        [ROW],
        [],
    ],
    ids=str,
)
def test_it_sees_another_shape(got: Any) -> None:
    assert differences(answer({"1": ROW}), answer(got))


def test_it_sees_another_order_of_rows() -> None:
    assert differences(answer({"1": ROW, "2": ROW}), answer({"2": ROW, "1": ROW}))


def test_it_forgives_the_order_of_equal_values_only() -> None:
    first = {"1": {"name": "a"}, "2": {"name": "a"}}
    tied = {"2": {"name": "a"}, "1": {"name": "a"}}
    wrong = {"2": {"name": "b"}, "1": {"name": "a"}}

    assert differences(answer(first), answer(tied), order="name") == []
    assert differences(answer(first), answer(wrong), order="name")


def test_it_sees_other_statuses_types_locations_and_texts() -> None:
    error = {"messages": {"error": [{"code": 400, "message": "a"}]}}
    other = {"messages": {"error": [{"code": 400, "message": "b"}]}}

    assert differences(answer(ROW), answer(ROW, status=404))
    assert differences(answer(ROW), answer(ROW, content_type=HTML))
    assert differences(answer(ROW, location="/a/1"), answer(ROW))
    assert differences(answer(error), answer(other))


def test_it_sees_other_forms_and_messages_of_a_page() -> None:
    form = '<form method="post" action="http://127.0.0.1:1/x" id="a"><input name="n"></form>'
    moved = form.replace("127.0.0.1:1", "127.0.0.1:2")
    for change in (("/x", "/y"), ('id="a"', 'id="b"'), ('name="n"', 'name="m"')):
        page = answer(form.replace(*change), content_type=HTML)
        assert differences(answer(form, content_type=HTML), page)

    assert differences(answer(form, content_type=HTML), answer(moved, content_type=HTML)) == []
    assert differences(
        answer("<li><span>one</span></li>", content_type=HTML),
        answer("<li><span>two</span></li>", content_type=HTML),
    )
