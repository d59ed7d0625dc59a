"""Splitting a query into what a vendor does and what is done here."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyvalent.ceql import (
    NOTHING,
    Capabilities,
    Encoding,
    Filter,
    Sort,
    Sorting,
    compile_match,
    compile_order,
    explain_plan,
    make_plan,
    parse_order,
    parse_where,
    write_order,
    write_where,
)
from polyvalent.ceql.tree import Comparison, In, IsNull, Like, Text
from tests.kernel.ceql_generate import draw_tree
from tests.kernel.ceql_vendor import MASKS, select

KINDS = {
    "id": "number",
    "price": "number",
    "at": "date",
    "name": "text",
    "on": "boolean",
    "items.n": "number",
}
OPERATORS = (
    *("=", "!=", "<", "<=", ">", ">="),
    *("in", "notIn", "like", "notLike", "isNull", "isNotNull"),
)
DATES = ["2024-02-01", "2024-02-01 10:00", "2024-02-01 10:00:30.250", "2024-02-02", "never"]
VALUES = {
    "id": ["1", "2", "3", "5"],
    "price": ["1", "2.5", "10", "none"],
    "at": [*DATES, "1706745600"],
    "name": ["a", "A", " a", "a,b", "a_b", "aXb", "*"],
    "on": ["true", "0"],
    "items.n": ["1", "3"],
    "free": ["1", "x", "2024-02-01"],
}


def draw_leaf(random):
    field = random.choice([*VALUES, "items[*].n", "id", "price"])
    known = VALUES[field.replace("[*]", "")]
    kind = random.random()
    if kind < 0.1:
        return IsNull(field, random.random() < 0.5)
    if kind < 0.4 and field in ("name", "free"):
        pattern = random.choice(["a%", "%_b", "%", "a_b", "%,%", "*%", "\\%", " a%"])
        return Like(field, Text(pattern), random.random() < 0.3)
    if kind < 0.5:
        values = tuple(Text(random.choice(known)) for _ in range(random.randint(1, 4)))
        return In(field, values, random.random() < 0.25)
    sign = random.choice(["=", "=", "=", "!=", "<", "<=", ">", ">="])
    return Comparison(field, sign, Text(random.choice(known)))


def draw_row(random):
    row = {
        "id": random.choice([1, "2", "3.0", 4, 5]),
        "price": random.choice(["1.0000", 2.5, "10", "0", "n/a"]),
        "at": random.choice([*DATES[:4], "2024-02-01T09:59:59.999Z", 1706745600, "0000-00-00"]),
        "name": random.choice(VALUES["name"]),
        "on": random.choice([True, "0", 1, "x"]),
        "items": [{"n": random.choice([1, "2", 3, None])} for _ in range(random.randint(0, 2))],
        "free": random.choice(["1", 1, "x", "2024-02-01 00:00:00", True]),
    }
    return {key: value for key, value in row.items() if random.random() > 0.1}


def draw_capabilities(random):
    filters = []
    for field in VALUES:
        for _ in range(random.choice([0, 1, 1, 2])):
            exact = tuple(o for o in OPERATORS if random.random() < 0.5)
            filters.append(
                Filter(
                    fields=(field,),
                    exact=exact,
                    superset=tuple(o for o in OPERATORS if random.random() < 0.3),
                    encoding=draw_encoding(random),
                    values_max=random.choice([0, 0, 1, 2]),
                    once=random.random() < 0.2,
                )
            )
    return Capabilities(filters=tuple(filters), any_of=random.random() < 0.3, keyset="id")


def draw_encoding(random):
    return Encoding(
        date=random.choice(["", "epochSeconds", "epochMillis", *MASKS]),
        boolean=random.choice([(), ("1", "0"), ("yes", "no")]),
        trims=random.random() < 0.3,
        forbidden=random.choice(["", ","]),
        wildcard=random.choice(["%", "*"]),
        escaped=random.choice(["", "\\_", "\\_%*"]),
    )


def prove(random, seen, *, count):
    """Show for one draw that the vendor's rows, filtered here, are the rows of the query."""
    rows = [draw_row(random) for _ in range(count)]
    tree = draw_tree(random, draw_leaf)
    capabilities = draw_capabilities(random)

    plan = make_plan(tree, (), capabilities=capabilities, kinds=KINDS)

    came = select(rows, plan, capabilities=capabilities, kinds=KINDS, seed=random.random())
    stays = compile_match(plan.residual, KINDS)
    takes = compile_match(tree, KINDS)
    expected = [at for at, row in enumerate(rows) if takes(row)]
    assert [at for at in came if stays(rows[at])] == expected, (write_where(tree), plan)
    assert bool(plan.reasons) is (plan.residual is not None)
    json.dumps(explain_plan(plan))
    seen["all"] += 1
    seen["pushed"] += bool(plan.pushed)
    seen["done"] += plan.residual is None
    seen["narrowed"] += any(reason.narrowed for reason in plan.reasons)
    seen["fewer"] += len(came) < len(rows)
    seen["found"] += bool(expected)


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_vendors_rows_filtered_here_are_the_rows_of_the_query(random):
    prove(random, Counter(), count=1)


def test_the_vendors_rows_filtered_here_are_the_rows_of_the_query_5000_times():
    random, seen = Random(7), Counter()
    for _ in range(5000):
        prove(random, seen, count=30)

    # The proof is worth something only if the vendor is really asked.
    assert seen["pushed"] > 0.4 * seen["all"], seen
    assert seen["done"] > 0.1 * seen["all"], seen
    assert seen["narrowed"] > 0.2 * seen["all"], seen
    assert seen["fewer"] > 0.4 * seen["all"], seen
    assert seen["found"] > 0.5 * seen["all"], seen


NUMBERS = Filter(
    fields=("id", "price"), exact=("=", "!=", "<", "<=", ">", ">=", "in"), values_max=3
)
TIMES = Filter(
    fields=("at",),
    exact=("<", "<=", ">", ">="),
    encoding=Encoding(date="yyyy-MM-dd HH:mm:ss"),
)
TEXTS = Filter(fields=("name", "state"), superset=("=", "in", "like"))
SHOP = Capabilities(filters=(NUMBERS, TIMES, TEXTS))


@pytest.mark.parametrize(
    ("where", "pushed", "residual"),
    [
        # As it stands.
        ("id = 5", ["id = 5"], ""),
        ("price >= 10 and id in (1, 2)", ["price >= 10", "id IN (1, 2)"], ""),
        ("price != 10", ["price != 10"], ""),
        ("name = 'a'", ["name = 'a'"], "name = 'a'"),
        # Not at all.
        ("on = 'true'", [], "on = 'true'"),
        ("name != 'a'", [], "name != 'a'"),
        ("id = 5 and name != 'a'", ["id = 5"], "name != 'a'"),
        ("id = 'x'", [], "id = 'x'"),
        # One of several on one field is a list.
        ("id = 5 or id = 6", ["id IN (5, 6)"], ""),
        ("id = 5 or id in (6, 5)", ["id IN (5, 6)"], ""),
        ("name = 'a' or name = 'b'", ["name IN ('a', 'b')"], "name = 'a' OR name = 'b'"),
        ("id = 5 or id = 5", ["id = 5"], ""),
        ("id in ('x', 5)", ["id = 5"], ""),
        # Lists that are too long, or not there, are ranges.
        ("id in (4, 1, 2, 9)", ["id >= 1", "id <= 9"], "id IN (4, 1, 2, 9)"),
        ("id not in (4)", [], "id NOT IN (4)"),
        ("name in ('a', 'b', 'c', 'd')", ["name IN ('a', 'b', 'c', 'd')"],
         "name IN ('a', 'b', 'c', 'd')"),
        ("at = '2024-02-01'", ["at >= '2024-02-01'", "at <= '2024-02-01'"], "at = '2024-02-01'"),
        # What every branch implies.
        ("(id = 1 and on = 1) or (id = 2 and name = 'x')", ["id IN (1, 2)"], None),
        ("(id = 1 and on = 1) or (price = 2 and on = 0)", [], None),
        ("(id > 5 and on = 1) or id = 2 or id in (9, 3)", ["id >= 2"], None),
        ("(price > 5 and price < 7) or (price >= 1 and price <= 2)",
         ["price >= 1", "price < 7"], None),
        ("price > 5 or price >= 5", ["price >= 5"], None),
        ("(name = 'a' and on = 1) or (name = 'b' and on = 0)", ["name IN ('a', 'b')"], None),
        ("name > 'a' or name > 'b'", [], None),
        ("(id = 1 or id = 2 or on = 1) and price = 1", ["price = 1"], "id = 1 OR id = 2 OR on = 1"),
        ("on is null or name like 'a%'", [], None),
        # Of bounds on one side the tighter.
        ("price > 1 and price > 5 and price < 9", ["price > 5", "price < 9"], ""),
        ("price >= 5 and price > 5", ["price > 5"], ""),
        ("price <= 5 and price < 7 and price <= 5", ["price <= 5"], ""),
        ("name > 'a' and name > 'b'", [], "name > 'a' AND name > 'b'"),
        ("id = 5 and id = 5", ["id = 5"], ""),
        # Moments finer than the vendor's format go outwards.
        ("at > '2024-02-01T00:00:00.000Z'", ["at > '2024-02-01T00:00:00.000Z'"], ""),
        ("at >= '2024-02-01T10:00:00.5Z'", ["at > '2024-02-01T10:00:00+00:00'"],
         "at >= '2024-02-01T10:00:00.5Z'"),
        ("at <= '2024-02-01T10:00:00.5Z'", ["at < '2024-02-01T10:00:01+00:00'"],
         "at <= '2024-02-01T10:00:00.5Z'"),
        ("at < '9999-12-31T23:59:59.5'", [], "at < '9999-12-31T23:59:59.5'"),
    ],
)  # fmt: skip
def test_it_pushes_what_the_vendor_can_do(where, pushed, residual):
    tree = parse_where(where)

    plan = make_plan(tree, (), capabilities=SHOP, kinds={**KINDS, "state": "text"})

    assert [write_where(item.predicate) for item in plan.pushed] == pushed
    if residual is None:
        assert plan.residual == tree
    else:
        assert write_where(plan.residual) == residual
    assert plan.scans is (plan.residual is not None)


def test_values_go_out_as_the_vendor_reads_them():
    encoding = Encoding(date="dd MMM yyyy", boolean=("1", "0"), escaped="\\_", wildcard="*")
    every = Filter(fields=tuple(KINDS), exact=OPERATORS, encoding=encoding)
    where = (
        "price in (10, '+2.50', ' 7 ', '1e3') and on = true and at = '2024-02-01T01:00+01:00'"
        " and name like 'a_b%\\' and name = ' a ' and id is null"
    )

    plan = make_plan(
        parse_where(where), (), capabilities=Capabilities(filters=(every,)), kinds=KINDS
    )

    assert [item.values for item in plan.pushed] == [
        ("10", "2.5", "7", "1000.0"),
        ("1",),
        ("01 Feb 2024",),
        ("a\\_b*\\\\",),
        (" a ",),
        (),
    ]
    assert plan.residual is None


@pytest.mark.parametrize(
    ("where", "encoding"),
    [
        ("name = ' a'", Encoding(trims=True)),
        ("name like 'a% '", Encoding(trims=True)),
        ("name in ('b', 'a,c')", Encoding(forbidden=",")),
        ("name like '%,%'", Encoding(forbidden=",")),
        ("name like '%*%'", Encoding(wildcard="*")),
        ("at = '2024-02-01 10:00'", Encoding(date="yyyy-MM-dd")),
        ("at = '2024-02-01'", Encoding(date="yyyy-MM-dd HH:mm", forbidden=":")),
        ("on != 'maybe'", Encoding()),
        ("on != 'maybe'", Encoding(boolean=("1", "0"))),
        ("price != 'ten'", Encoding()),
        ("at != 'never'", Encoding(date="yyyy-MM-dd")),
    ],
)
def test_a_value_that_would_be_another_one_there_is_not_pushed(where, encoding):
    every = Filter(
        fields=tuple(KINDS), exact=("=", "!=", "in", "like"), encoding=encoding, values_max=9
    )
    tree = parse_where(where)

    plan = make_plan(tree, (), capabilities=Capabilities(filters=(every,)), kinds=KINDS)

    assert (plan.pushed, plan.residual) == ((), tree)
    assert [reason.cause for reason in plan.reasons] == ["value"]


def test_an_escaped_wildcard_may_stand_in_a_pattern():
    likes = Filter(fields=("name",), exact=("like",), encoding=Encoding(wildcard="*", escaped="*"))

    plan = make_plan(
        parse_where("name like '*a%'"),
        (),
        capabilities=Capabilities(filters=(likes,)),
        kinds=KINDS,
    )

    assert [item.values for item in plan.pushed] == [("\\*a*",)]


def test_a_vendor_that_only_has_inclusive_bounds_gets_these():
    bounds = Filter(fields=("price",), exact=(">=", "<="))

    plan = make_plan(
        parse_where("price > 5 and price < 9"),
        (),
        capabilities=Capabilities(filters=(bounds,)),
        kinds=KINDS,
    )

    assert [write_where(item.predicate) for item in plan.pushed] == ["price >= 5", "price <= 9"]
    assert write_where(plan.residual) == "price > 5 AND price < 9"


def test_a_vendor_that_minds_one_condition_of_a_sort_gets_one():
    once = Filter(fields=("name",), exact=("=", "like"), superset=("in",), once=True)
    where = "name in ('a', 'b') and name in ('b', 'c') and name = 'b' and name = 'c'"

    plan = make_plan(
        parse_where(where), (), capabilities=Capabilities(filters=(once,)), kinds=KINDS
    )

    assert [write_where(item.predicate) for item in plan.pushed] == [
        "name = 'b'",
        "name IN ('a', 'b')",
    ]
    assert write_where(plan.residual) == (
        "name IN ('a', 'b') AND name IN ('b', 'c') AND name = 'c'"
    )
    assert [(reason.cause, reason.narrowed) for reason in plan.reasons] == [
        ("wider", True),
        ("once", False),
        ("once", False),
    ]


def test_a_vendor_that_takes_or_gets_all_of_it():
    able = msgspec.structs.replace(SHOP, any_of=True)
    where = "(id = 1 and price > 2) or (id = 3 and (price < 1 or at > 2024))"

    plan = make_plan(parse_where(where), (), capabilities=able, kinds=KINDS)

    assert plan.residual is None
    assert explain_plan(plan)["pushed"] == [
        {
            "anyOf": [
                [
                    {"where": "id = 1", "values": ["1"], "exact": True},
                    {"where": "price > 2", "values": ["2"], "exact": True},
                ],
                [
                    {"where": "id = 3", "values": ["3"], "exact": True},
                    {
                        "anyOf": [
                            [{"where": "price < 1", "values": ["1"], "exact": True}],
                            [
                                {
                                    "where": "at > 2024",
                                    "values": ["2024-01-01 00:00:00"],
                                    "exact": True,
                                }
                            ],
                        ]
                    },
                ],
            ]
        }
    ]


def test_a_list_within_rows_is_pushed_whole_but_not_by_its_place():
    items = Filter(fields=("items.n",), exact=("=",))
    capabilities = Capabilities(filters=(items,))

    for where, count in (("items[*].n = 1", 1), ("items[].n = 1", 1), ("items[0].n = 1", 0)):
        plan = make_plan(parse_where(where), (), capabilities=capabilities, kinds=KINDS)
        assert len(plan.pushed) == count


SORTS = Capabilities(
    keyset="id", sorting=Sorting(fields=("id", "price", "sku"), unique=("sku",), keys_max=2)
)


@pytest.mark.parametrize(
    ("order", "keys_max", "pushed", "here", "keyset", "cause"),
    [
        ("", 2, "", "", "id", None),
        ("id", 2, "id", "", "id", None),
        ("id asc, price", 1, "id", "", "id", None),
        ("id desc", 1, "id DESC", "", "", None),
        ("price desc", 2, "price DESC, id", "", "", None),
        ("price desc", 1, "", "price DESC", "id", "ties"),
        ("sku, price, id", 1, "sku", "", "", None),
        ("price, sku desc, name", 2, "price, sku DESC", "", "", None),
        ("price, sku desc", 1, "", "price, sku DESC", "id", "keys"),
        ("name", 2, "", "name", "id", "noSort"),
        ("price, name", 2, "", "price, name", "id", "noSort"),
    ],
)
def test_an_order_is_pushed_if_no_row_can_be_lost(order, keys_max, pushed, here, keyset, cause):
    sorting = msgspec.structs.replace(SORTS.sorting, keys_max=keys_max)
    capabilities = msgspec.structs.replace(SORTS, sorting=sorting)

    plan = make_plan(None, parse_order(order), capabilities=capabilities, kinds=KINDS)

    assert write_order(plan.order_pushed) == pushed
    assert write_order(plan.order_here) == here
    assert plan.keyset == keyset
    assert [reason.cause for reason in plan.reasons] == ([cause] if cause else [])
    assert plan.scans is bool(here)


def test_an_order_without_a_unique_field_is_kept_here():
    capabilities = Capabilities(sorting=Sorting(fields=("price",), keys_max=9))

    plan = make_plan(None, parse_order("price"), capabilities=capabilities, kinds=KINDS)

    assert (plan.order_here, plan.reasons[0].cause) == ((Sort("price"),), "ties")


def test_a_pushed_order_is_the_order_of_the_query():
    random = Random(3)
    rows = [{"id": n, "price": random.randint(1, 4), "sku": f"s{n * 7 % 50}"} for n in range(50)]
    for order in ("price desc", "sku desc", "id desc, price", "price, sku", "id"):
        plan = make_plan(None, parse_order(order), capabilities=SORTS, kinds=KINDS)
        assert plan.order_pushed
        expected = sorted(rows, key=compile_order(parse_order(order), KINDS))
        shuffled = random.sample(rows, len(rows))
        assert sorted(shuffled, key=compile_order(plan.order_pushed, KINDS)) == expected


def test_it_explains_in_words():
    here, there = "filtered here: the", "sorted here: the vendor"
    where = "id = 5 and name like '%mug%' and on = 1 and (price > 1 or on = 0) and name != 'x'"

    plan = make_plan(parse_where(where), parse_order("name desc"), capabilities=SHOP, kinds=KINDS)

    assert explain_plan(plan) == {
        "pushed": [
            {"where": "id = 5", "values": ["5"], "exact": True},
            {"where": "name LIKE '%mug%'", "values": ["%mug%"], "exact": False},
        ],
        "residual": "name LIKE '%mug%' AND on = 1 AND (price > 1 OR on = 0) AND name != 'x'",
        "orderPushed": None,
        "orderHere": "name DESC",
        "keyset": None,
        "scans": True,
        "reasons": [
            f"name LIKE '%mug%' is also {here} vendor's filter may let more rows through.",
            f"on = 1 is {here} vendor does not filter by this field.",
            f"price > 1 OR on = 0 is {here} vendor cannot be asked for one of several conditions.",
            f"name != 'x' is {here} vendor filters by this field, but not with this operator.",
            f"name DESC is {there} does not sort by this field, or sorts it differently.",
        ],
    }


def test_a_vendor_that_can_do_nothing_gets_nothing():
    plan = make_plan(parse_where("id = 5"), (), capabilities=NOTHING, kinds={})

    assert (plan.pushed, write_where(plan.residual), plan.keyset) == ((), "id = 5", "")
    assert not make_plan(None, (), capabilities=NOTHING, kinds={}).scans


def test_capabilities_are_data_of_an_element():
    text = b"""{"filters": [{"fields": ["at"], "exact": [">="], "superset": ["="],
        "encoding": {"date": "yyyy-MM-dd"}, "valuesMax": 5}], "anyOf": true, "keyset": "id",
        "sorting": {"fields": ["id"], "keysMax": 2}}"""

    capabilities = msgspec.json.decode(text, type=Capabilities)

    assert capabilities.filters[0].encoding.date == "yyyy-MM-dd"
    assert capabilities.filters[0].values_max == 5
    assert msgspec.json.decode(msgspec.json.encode(capabilities), type=Capabilities) == capabilities


@pytest.mark.parametrize(
    "encoding",
    [
        b'{"date": "yyyy-MM-dd hh:mm"}',
        b'{"date": "MM-dd"}',
        b'{"date": "HH:mm"}',
        b'{"date": "yyyy-dd"}',
        b'{"date": "yyyy-MM-dd mm:ss"}',
        b'{"date": "yyyy-MM-dd\'T"}',
        b'{"date": "dd/MM/yy"}',
        b'{"boolean": ["1"]}',
    ],
)
def test_a_format_that_nobody_could_write_is_refused_at_once(encoding):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(encoding, type=Encoding)
