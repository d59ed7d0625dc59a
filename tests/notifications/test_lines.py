"""What is about the same goes one after the other, whatever else is under way."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from polyvalent.notifications.delivery.lines import Lines


def drain(lines: Lines, *, fails: frozenset[int] = frozenset()) -> list[int]:
    sent = []
    while (taken := lines.take()) is not None:
        sent.append(taken)
        if taken not in fails:
            lines.note_arrived(taken)
    return sent


def test_one_of_several_objects_waits_for_each_of_them():
    objects = {1: ("a",), 2: ("b",), 3: ("a", "b"), 4: ("b",), 5: ("c",), 6: ()}
    lines = Lines([1, 2, 3, 4, 5, 6], objects, ())
    first = [lines.take() for _ in range(5)]
    assert first == [1, 2, 5, 6, None]
    lines.note_arrived(1)
    assert lines.take() is None
    lines.note_arrived(2)
    assert lines.take() == 3
    assert lines.take() is None
    lines.note_arrived(3)
    assert lines.take() == 4


def test_what_is_behind_something_blocked_waits_as_well():
    objects = {1: ("a",), 2: ("a", "b"), 3: ("b", "c"), 4: ("c",), 5: ("d",)}
    assert drain(Lines([1, 2, 3, 4, 5], objects, {1})) == [5]
    assert drain(Lines([1, 2, 3, 4, 5], objects, ()), fails=frozenset([2])) == [1, 5, 2]


@given(
    st.lists(st.frozensets(st.sampled_from("abcd"), max_size=3), max_size=20),
    st.sets(st.integers(0, 19)),
    st.randoms(use_true_random=False),
)
def test_an_object_never_overtakes_itself(
    about: list[frozenset[str]], failing: set[int], chance: random.Random
):
    objects = {at: tuple(keys) for at, keys in enumerate(about)}
    lines = Lines(list(objects), objects, ())
    under_way: list[int] = []
    arrived: list[int] = []
    while True:
        while (taken := lines.take()) is not None:
            assert not any(set(objects[taken]) & set(objects[other]) for other in under_way)
            earlier = [at for at in range(taken) if set(objects[at]) & set(objects[taken])]
            assert set(earlier) <= set(arrived)
            under_way.append(taken)
        if not under_way:
            break
        ended = under_way.pop(chance.randrange(len(under_way)))
        if ended not in failing:
            arrived.append(ended)
            lines.note_arrived(ended)
    stuck = {at for at in objects if at not in arrived}
    for at in stuck:  # only for a failure, its own or of one before it
        behind = [one for one in stuck if one < at and set(objects[one]) & set(objects[at])]
        assert at in failing or behind
