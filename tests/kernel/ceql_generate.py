"""
Draw queries: by hypothesis, which finds odd ones and shrinks them, and by chance from a seed, a
hundred times as many in the same time.
"""

from __future__ import annotations

from hypothesis import strategies as st

from polyvalent.ceql import Sort, Statement, all_of, any_of
from polyvalent.ceql.tree import Bareword, Comparison, In, IsNull, Like, Number, Text

OPERATORS = ("=", "!=", "<", "<=", ">", ">=")

names = st.one_of(
    st.sampled_from(["a", "from", "and", "order", "items[*].sku", "billing.city", "Modified Time"]),
    st.text(min_size=1, max_size=8),
)
values = st.one_of(
    st.text(max_size=8).map(Text),
    st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,4})?", fullmatch=True).map(Number),
    st.from_regex(r"[a-zA-Z_:/+-][a-zA-Z0-9_:/?=.+-]{0,8}", fullmatch=True)
    .filter(lambda word: word.lower() != "null")
    .filter(lambda word: not word.removeprefix("-").replace(".", "").isdigit())
    .map(Bareword),
)
leaves = st.one_of(
    st.builds(Comparison, names, st.sampled_from(OPERATORS), values),
    st.builds(In, names, st.lists(values, min_size=1, max_size=4).map(tuple), st.booleans()),
    st.builds(Like, names, values, st.booleans()),
    st.builds(IsNull, names, st.booleans()),
)


def trees(leaf=leaves):
    """Draw trees of the given predicates."""
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=4).map(all_of),
            st.lists(inner, min_size=2, max_size=4).map(any_of),
        ),
        max_leaves=8,
    )


def draw_tree(random, leaf, depth=3):
    """Draw a tree by chance; `leaf` draws a predicate."""
    if depth == 0 or random.random() < 0.3:
        return leaf(random)
    join = all_of if random.random() < 0.5 else any_of
    return join([draw_tree(random, leaf, depth - 1) for _ in range(random.randint(2, 3))])


def draw_leaf(random):
    """Draw any predicate by chance."""
    field = random.choice(["a", "from", "b-c", "items[*].sku", "Modified Time", "`", "it's", "é"])
    kind = random.randrange(4)
    if kind == 0:
        return Comparison(field, random.choice(OPERATORS), draw_value(random))
    if kind == 1:
        listed = tuple(draw_value(random) for _ in range(random.randint(1, 4)))
        return In(field, listed, random.random() < 0.3)
    if kind == 2:
        return Like(field, draw_value(random), random.random() < 0.3)
    return IsNull(field, random.random() < 0.3)


def draw_value(random):
    """Draw a value by chance: a text of awkward characters, a number, a bare word."""
    text = "".join(random.choice("a'\"`%_\\ ,()=ü\n9") for _ in range(random.randint(0, 6)))
    words = ["paid", "true", "2017-02-28T16:11:29-06:00", "or", "in", "a=b", "-", "1.", "a`b"]
    return random.choice(
        [Text(text), Number(str(random.randint(-99, 99) / 4)), Bareword(random.choice(words))]
    )


def sorts():
    return st.builds(Sort, names, st.booleans())


def statements():
    numbers = st.none() | st.integers(0, 999_999_999)
    return st.builds(
        Statement,
        object=names,
        fields=st.lists(names, max_size=3, unique=True).map(tuple),
        where=st.none() | trees(),
        order=st.lists(sorts(), max_size=3).map(tuple),
        limit=numbers,
        offset=numbers,
    )
