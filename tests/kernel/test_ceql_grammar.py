"""Reading and writing the query language."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from polyvalent.ceql import (
    QueryError,
    Sort,
    Statement,
    all_of,
    any_of,
    fields_of,
    parse_fields,
    parse_order,
    parse_statement,
    parse_where,
    write_order,
    write_statement,
    write_where,
)
from polyvalent.ceql.tree import And, Bareword, Comparison, In, IsNull, Like, Number, Or, Text
from tests.kernel.ceql_generate import draw_leaf, draw_tree, names, sorts, statements, trees


def equal(field, text):
    return Comparison(field, "=", Text(text))


WHERE = [
    ("email = 'ada@example.test'", equal("email", "ada@example.test")),
    ("lastname='O''Hara'", equal("lastname", "O'Hara")),
    ("total>=250", Comparison("total", ">=", Number("250"))),
    ("total < 99.5", Comparison("total", "<", Number("99.5"))),
    ("status != 'cancelled'", Comparison("status", "!=", Text("cancelled"))),
    ("sku LIKE 'SHIRT-%'", Like("sku", Text("SHIRT-%"))),
    ("name like '%mug%'", Like("name", Text("%mug%"))),
    ("store_id IN (1,2,5)", In("store_id", (Number("1"), Number("2"), Number("5")))),
    ("status in ('pending','processing')", In("status", (Text("pending"), Text("processing")))),
    ("deleted_at IS NULL", IsNull("deleted_at")),
    ("billing.city='Lyon'", equal("billing.city", "Lyon")),
    ("`shipping.method` = 'ground'", equal("shipping.method", "ground")),
    ("created_at >= '2024-02-01T00:00:00Z'",
     Comparison("created_at", ">=", Text("2024-02-01T00:00:00Z"))),
    ("created_at >= '2024-02-01 00:00:00' AND created_at < '2024-03-01 00:00:00'",
     And((Comparison("created_at", ">=", Text("2024-02-01 00:00:00")),
          Comparison("created_at", "<", Text("2024-03-01 00:00:00"))))),
    ("is_active='true'", equal("is_active", "true")),
    ("status='new' OR status='held'", Or((equal("status", "new"), equal("status", "held")))),
    ("status='paid' AND (country='FR' OR country='BE')",
     And((equal("status", "paid"), Or((equal("country", "FR"), equal("country", "BE")))))),
    ("(a='1' or b='2') and c != 'x'",
     And((Or((equal("a", "1"), equal("b", "2"))), Comparison("c", "!=", Text("x"))))),
    ("from = '+15550001'", equal("from", "+15550001")),
    ("order = '1001'", equal("order", "1001")),
    ("communicationItems.value='2'", equal("communicationItems.value", "2")),
    ("frontend_input=text", Comparison("frontend_input", "=", Bareword("text"))),
    # Beyond the examples: what tests of existing clients send.
    ('id="a""b"', equal("id", 'a"b')),
    ("mdate>=2017-02-28T16:11:29-06:00",
     Comparison("mdate", ">=", Bareword("2017-02-28T16:11:29-06:00"))),
    ("'Modified Time'>'2024'", Comparison("Modified Time", ">", Text("2024"))),
    ("`a``b` = -1", Comparison("a`b", "=", Number("-1"))),
    ("'it''s'='x'", equal("it's", "x")),
    ("updated_date__lte <> '1'", Comparison("updated_date__lte", "!=", Text("1"))),
    ("items[*].sku not  like 'a%'", Like("items[*].sku", Text("a%"), negated=True)),
    ("a NOT IN('x')", In("a", (Text("x"),), negated=True)),
    ("a is  Not\nnull", IsNull("a", negated=True)),
    ("activityTypeIds in (5)", In("activityTypeIds", (Number("5"),))),
    ("a='1'and b='2'", And((equal("a", "1"), equal("b", "2")))),
    ("a='1' AND(b='2')", And((equal("a", "1"), equal("b", "2")))),
    ("((a='1'))", equal("a", "1")),
    ("and = 'x' and or = 'y'", And((equal("and", "x"), equal("or", "y")))),
    ("in in (in) or like like like",
     Or((In("in", (Bareword("in"),)), Like("like", Bareword("like"))))),
    ("is IS NULL and not not in (1) and null='null'",
     And((IsNull("is"), In("not", (Number("1"),), negated=True), equal("null", "null")))),
    ("url=https://a.example/x?b=c&d", Comparison("url", "=", Bareword("https://a.example/x?b=c&d"))),
    ("a='1' or b='2' and c='3'",
     Or((equal("a", "1"), And((equal("b", "2"), equal("c", "3")))))),
    ("a='1' and (b='2' and (c='3'))",
     And((equal("a", "1"), equal("b", "2"), equal("c", "3")))),
    ("größe = ''", equal("größe", "")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tree"), WHERE, ids=[text for text, _ in WHERE])
def test_it_reads_a_where(text, tree):
    assert parse_where(text) == tree
    assert parse_where(f"  {text}\t") == tree
    assert parse_where(write_where(tree)) == tree


STATEMENTS = [
    ("select * from orders", Statement(object="orders")),
    (
        """select id, email from customers where updated_at > '2024-05-01'
        order by updated_at desc limit 500""",
        Statement(
            object="customers",
            fields=("id", "email"),
            where=Comparison("updated_at", ">", Text("2024-05-01")),
            order=(Sort("updated_at", descending=True),),
            limit=500,
        ),
    ),
    (
        "SELECT name, price FROM products WHERE price >= 10 AND status = 1",
        Statement(
            object="products",
            fields=("name", "price"),
            where=And(
                (
                    Comparison("price", ">=", Number("10")),
                    Comparison("status", "=", Number("1")),
                )
            ),
        ),
    ),
    ("select *from`my things`", Statement(object="my things")),
    (
        "select from, value from custom-objects order by order asc, desc desc limit 0 offset 20",
        Statement(
            object="custom-objects",
            fields=("from", "value"),
            order=(Sort("order"), Sort("desc", descending=True)),
            limit=0,
            offset=20,
        ),
    ),
    ("select a, a from where where limit = 1 limit 1",
     Statement(
         object="where", fields=("a",), where=Comparison("limit", "=", Number("1")), limit=1)),
    ("select * from 2024 offset 1", Statement(object="2024", offset=1)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "statement"), STATEMENTS, ids=[text for text, _ in STATEMENTS])
def test_it_reads_a_statement(text, statement):
    assert parse_statement(text) == statement
    assert parse_statement(write_statement(statement)) == statement


REFUSED = [
    ("email =", 8, "a value"),
    ("(a='1'", 7, "AND, OR or )"),
    ("a='1' b='2'", 7, "AND, OR or the end"),
    ("name LIKE 'x", 11, "a closing '"),
    ('name = "x', 8, 'a closing "'),
    ("`name = 1", 1, "a closing `"),
    ("a = 'x''y", 5, "a closing '"),
    ("a='1')", 6, "AND, OR or the end"),
    ("a == 'x'", 4, "a value"),
    ("a => 1", 4, "a value"),
    ("a ! 1", 3, "an operator: =, !=, <, <=, >, >=, LIKE, IN or IS NULL"),
    ("a is 5", 3, "an operator: =, !=, <, <=, >, >=, LIKE, IN or IS NULL"),
    ("a", 2, "an operator: =, !=, <, <=, >, >=, LIKE, IN or IS NULL"),
    ("a in 5", 6, "( and a list of values"),
    ("a in ()", 7, "a value"),
    ("a in (1,)", 9, "a value"),
    ("a in (1 2)", 9, "a comma or )"),
    ("a='1' and", 10, "the name of a field"),
    ("or a='1'", 4, "an operator: =, !=, <, <=, >, >=, LIKE, IN or IS NULL"),
    ("()", 2, "the name of a field"),
    ("'' = 1", 1, "the name of a field"),
    ("5 = a", 1, "the name of a field"),
    ("a = null", 5, "a value (null is asked for by IS NULL; the word itself needs quotes)"),
    ("a like", 7, "a value"),
    ("a='1' xor b='2'", 7, "AND, OR or the end"),
    ("a = 1; drop", 8, "AND, OR or the end"),
]


@pytest.mark.parametrize(("text", "position", "expected"), REFUSED, ids=[r[0] for r in REFUSED])
def test_it_refuses_a_where_and_points_at_the_place(text, position, expected):
    with pytest.raises(QueryError) as caught:
        parse_where(text)

    error = caught.value
    assert (error.status, error.position, error.expected) == (400, position, expected)
    first, shown, caret = error.message.split("\n")
    assert first.startswith("Error parsing query")
    assert f"column {position}" in first
    assert shown == text
    assert caret == " " * (position - 1) + "^"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("price between 1 and 2", "not between."),
        ("name != NULL", "not NULL."),
        ("a = 1, drop", "not ,."),
        ("a " + "x" * 5000, f"not {'x' * 20}."),
    ],
)
def test_it_shows_the_word_that_does_not_fit(text, found):
    with pytest.raises(QueryError) as caught:
        parse_where(text)
    assert caught.value.message.split("\n")[0].endswith(found)


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("select * contacts", 10, "FROM"),
        ("select from orders", 13, "a comma or FROM"),
        ("orders", 1, "SELECT"),
        ("select * from", 14, "the name of an object"),
        ("select * from ``", 15, "the name of an object"),
        ("select * from `a", 15, "a closing `"),
        ("select * from a b", 17, "WHERE, ORDER BY, LIMIT, OFFSET or the end"),
        ("select * from a where", 22, "the name of a field"),
        ("select * from a where b=1 c", 27, "AND, OR, ORDER BY, LIMIT, OFFSET or the end"),
        ("select * from a order b", 17, "WHERE, ORDER BY, LIMIT, OFFSET or the end"),
        ("select * from a order by b c", 28, "a comma, LIMIT, OFFSET or the end"),
        ("select * from a limit x", 23, "a whole number of at most nine digits"),
        ("select * from a limit 5.5", 23, "a whole number of at most nine digits"),
        ("select * from a limit 1234567890", 23, "a whole number of at most nine digits"),
        ("select * from a limit 5 where b=1", 25, "OFFSET or the end"),
        ("select * from a offset 5 limit 5", 26, "the end"),
        ("select a from b;", 16, "WHERE, ORDER BY, LIMIT, OFFSET or the end"),
    ],
)
def test_it_refuses_a_statement(text, position, expected):
    with pytest.raises(QueryError, match=r"^Error parsing query") as caught:
        parse_statement(text)

    assert (caught.value.position, caught.value.expected) == (position, expected)


def test_a_blank_where_asks_for_everything():
    assert parse_where("") is None
    assert parse_where(" \n") is None
    assert write_where(None) == ""
    assert fields_of(None) == ()


def test_it_lists_the_fields_of_a_tree_once():
    tree = parse_where("b = 1 and (a = 2 or b is null) and c.d in (1)")

    assert fields_of(tree) == ("b", "a", "c.d")


def test_it_shows_only_the_surroundings_of_a_fault_in_a_long_text():
    text = " or ".join(f"field_{n} = 'x'" for n in range(100)) + "\n and ) or " + "z" * 500

    with pytest.raises(QueryError) as caught:
        parse_where(text)

    _, shown, caret = caught.value.message.split("\n")
    assert shown[len(caret) - 1] == ")"
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) < 100


def test_it_refuses_what_is_too_long_or_too_deep():
    deepest = "(" * 50 + "a=1" + ")" * 50
    assert parse_where(deepest) == Comparison("a", "=", Number("1"))
    with pytest.raises(QueryError, match="no more than 50 parentheses") as caught:
        parse_where(f"({deepest})")
    assert caught.value.position == 51
    with pytest.raises(QueryError, match="no more than 50 parentheses"):
        parse_where("(" * 16_000)
    with pytest.raises(QueryError, match="16385 characters"):
        parse_where("a" * 16_385)


@pytest.mark.parametrize(
    "text",
    [
        "a = '" + "''" * 8000,
        "`" + "``" * 8000,
        "a" * 16_384,
        "a in (" + "1," * 8000,
        "a = 1" + " " * 16_000 + "!",
        " and ".join(["a is not null"] * 900) + " x",
        "a not" + " " * 16_000,
    ],
)
def test_it_refuses_a_hostile_text_at_once(text):
    started = time.perf_counter()
    with pytest.raises(QueryError):
        parse_where(text)

    assert time.perf_counter() - started < 0.5


def test_it_reads_an_order():
    assert parse_order(" ") == ()
    assert parse_order("status, created_at DESC,`a b` asc") == (
        Sort("status"),
        Sort("created_at", descending=True),
        Sort("a b"),
    )
    for text, position in (("a b", 3), (",a", 1), ("a,", 3), ("a desc asc", 8)):
        with pytest.raises(QueryError) as caught:
            parse_order(text)
        assert caught.value.position == position


def test_it_reads_a_projection():
    assert parse_fields("") == parse_fields("*") == ()
    assert parse_fields("id, email ,id,billing.city") == ("id", "email", "billing.city")
    for text, position in (("a b", 3), ("a,,b", 3), ("*,a", 2), ("'a", 1)):
        with pytest.raises(QueryError) as caught:
            parse_fields(text)
        assert caught.value.position == position


def test_what_is_written_reads_as_the_same_tree_5000_times():
    random = Random(4)
    for _ in range(5000):
        tree = draw_tree(random, draw_leaf)
        assert parse_where(write_where(tree)) == tree


@settings(max_examples=200, deadline=None)
@given(trees())
@example(Or((And((IsNull("or"), IsNull("and"))), Like("`", Text("'"), negated=True))))
def test_what_is_written_reads_as_the_same_tree(tree):
    assert parse_where(write_where(tree)) == tree


@settings(max_examples=100, deadline=None)
@given(statements())
def test_what_is_written_reads_as_the_same_statement(statement):
    assert parse_statement(write_statement(statement)) == statement


@settings(max_examples=100, deadline=None)
@given(st.lists(sorts(), max_size=4).map(tuple), st.lists(names, max_size=4, unique=True))
def test_what_is_written_reads_as_the_same_order(order, fields):
    assert parse_order(write_order(order)) == order
    assert parse_fields(", ".join(write_order((Sort(name),)) for name in fields)) == tuple(fields)


PIECES = ["a", "from", " ", "=", "<", "'", '"', "`", "(", ")", ",", "and", "or", "in", "is null"]


@settings(max_examples=1000, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES)).map(" ".join)))
def test_any_text_is_read_or_refused_with_a_place_in_it(text):
    for parse in (parse_where, parse_statement, parse_order, parse_fields):
        error = None
        try:
            parse(text)
        except QueryError as caught:
            error = caught
        assert error is None or 1 <= error.position <= len(text) + 1
        assert error is None or len(error.message.split("\n")) == 3


@settings(max_examples=50, deadline=None)
@given(st.lists(trees(), min_size=1, max_size=4))
def test_joining_keeps_trees_flat(parts):
    for join, node in ((all_of, And), (any_of, Or)):
        tree = join(parts)
        assert not isinstance(tree, node) or not any(isinstance(p, node) for p in tree.parts)
        assert list(fields_of(tree)) == list(dict.fromkeys(f for p in parts for f in fields_of(p)))
