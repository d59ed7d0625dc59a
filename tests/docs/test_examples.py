"""Every example of the documentation that is marked as runnable runs, and prints what is shown."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.docs.pages import Fence, Page, pages
from tests.docs.runner import compare, compare_fence, make_place, run_page

# The examples of the reference page that the platform imitates have tests of their own.
OWN = [page for page in pages() if not page.path.startswith("docs/reference/create-instance")]
RUNNABLE = [page for page in OWN if any(fence.is_run for fence in page.fences())]
# These start everything themselves, as their reader does; the others find a platform running.
BARE = ("README.md", "docs/tutorial/", "docs/reference/sandbox.md")


@pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("bash", "curl")),
    reason="the examples of the documentation need bash and curl",
)
@pytest.mark.parametrize("page", RUNNABLE, ids=[page.path for page in RUNNABLE])
def test_the_examples_run(page, request, tmp_path):
    environment = make_place(tmp_path)
    if not page.path.startswith(BARE):
        environment |= request.getfixturevalue("stage")

    complaints = run_page(page, folder=tmp_path, environment=environment)

    assert not complaints, "\n".join(complaints)


def test_every_json_example_is_json():
    wrong = []
    for page in OWN:
        for fence in page.fences():
            if fence.words[:1] == ("json",):
                try:
                    json.loads(fence.text)
                except ValueError as error:
                    wrong.append(f"{page.path}:{fence.line} {error}")

    assert not wrong, "\n".join(wrong)


def test_every_fence_is_of_a_known_kind():
    known = {"bash", "json", "text", "yaml", "python", "http", "ini", "sql", "nginx"}
    wrong = [
        f"{page.path}:{fence.line} {' '.join(fence.words) or 'no kind'}"
        for page in OWN
        for fence in page.fences()
        if not fence.words
        or fence.words[0] not in known
        or fence.words[1:] not in ((), ("run",), ("answer",))
    ]

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("shown", "real", "agrees"),
    [
        ({"a": "…"}, {"a": "x", "b": 1}, True),
        ({"a": "…"}, {"a": 1}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": "x…z"}, {"a": "xyz"}, True),
        ({"a": True}, {"a": 1}, False),
        ({"a": 0}, {"a": 0.0}, True),
        ([1, "…"], [1, 2, 3], True),
        ([1], [1, 2], False),
        ([{"a": None}], [{"a": None}], True),
    ],
)
def test_an_answer_is_compared_member_by_member(shown, real, agrees):
    assert (not compare(shown, real, place="the answer")) is agrees


def test_a_text_answer_is_looked_for_line_by_line():
    fence = Fence(words=("text", "answer"), text="listens on … port\nready\n", line=1)

    assert not compare_fence(fence, "x\nlistens on some port\nready", renamed={})
    assert compare_fence(fence, "listens on some port", renamed={})


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_a_failing_example_is_a_complaint(tmp_path):
    text = '```bash run\nx=5\n```\n\n```bash run\nfalse; echo "$x"\n```\n'
    good = (
        '```bash run\nx=5\n```\n\n```bash run\necho "{\\"a\\": $x}"\n```\n\n'
        '```json answer\n{"a": 5}\n```\n'
    )

    assert run_page(
        Page(path="bad.md", text=text), folder=tmp_path, environment=make_place(tmp_path)
    )
    fresh = tmp_path / "fresh"
    assert not run_page(
        Page(path="good.md", text=good), folder=fresh, environment=make_place(fresh)
    )
