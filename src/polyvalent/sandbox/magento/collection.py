"""
Collections: filters, order and pages over rows, as the vendor's database layer does them.

Knows nothing of resources; a View says which rows and which columns there are.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from polyvalent.sandbox.magento.oauth_verify import PhpFatal
from polyvalent.sandbox.magento.rest_errors import ApiError, ReportPage
from polyvalent.sandbox.magento.state import Row, Table

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
STATEMENT = "SELECT `main_table`.* FROM `main_table`"
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.IGNORECASE)
NUMBER_START = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)")
DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?Z?)?")
OPERATORS = [
    "eq",
    "neq",
    "like",
    "nlike",
    "in",
    "nin",
    "is",
    "null",
    "notnull",
    "gt",
    "lt",
    "gteq",
    "lteq",
    "finset",
    "regexp",
    "from",
    "to",
    "seq",
    "sneq",
]

Test = Callable[[Any], bool]


@dataclass(frozen=True, kw_only=True)
class View:
    """
    Describe what a collection is made of.

    `is_eav` tells how a filter without a condition dies; `numeric` names decimal columns, whose
    values are text; `unfilterable` are readable attributes that are no column of the main table.
    """

    ids: list[int]
    row: Callable[[int], Row]
    allowed: set[str]
    is_eav: bool
    numeric: frozenset[str] = frozenset()
    unfilterable: frozenset[str] = frozenset()
    unsortable: frozenset[str] = frozenset()
    key: str = "entity_id"
    # Columns that can be looked up: from a folded value to the id of its row. The key always can.
    lookups: Mapping[str, Callable[[str], int | None]] = field(default_factory=dict)
    table: Table | None = None  # remembers results until a row changes
    scope: str = ""  # tells views of one table apart that hold different rows


def select(view: View, query: Mapping[str, Any]) -> list[int]:
    """
    Return the ids of one page.

    A page past the end is the last page again; without an order rows come by id.

    Raises ApiError for paging, ordering and filtering mistakes, PhpFatal where abs() of a text
    ends a PHP 8 process, ReportPage where a broken SQL statement ends an EAV collection.
    """
    page = magnitude(query.get("page", "1"))
    if page < 0:
        raise ApiError((400, "Resource collection paging error."))
    limit: float = DEFAULT_LIMIT
    if query.get("limit", "") != "":
        limit = magnitude(query["limit"])
        if limit < 0 or limit > MAX_LIMIT:
            raise ApiError((400, "The paging limit exceeds the allowed number."))
    order = query.get("order")
    if order is not None and (not isinstance(order, str) or order not in view.allowed):
        raise ApiError((400, "Resource collection ordering error."))

    def find() -> list[int]:
        ids = filtered(view, query.get("filter"))
        if order is None or order in view.unsortable:
            return ids
        return ordered(view, ids, name=order, is_ascending=query.get("dir") == "asc")

    question = repr((view.scope, query.get("filter"), order, query.get("dir") == "asc"))
    ids = find() if view.table is None else view.table.recall(question, find)
    return page_of(ids, page=page, limit=int(limit))


def magnitude(text: Any) -> float:
    """Read a paging number; "1.5" is one, "" and "10abc" are fatal."""
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        raise PhpFatal
    return float(text)


def page_of(ids: list[int], *, page: float, limit: int) -> list[int]:
    """Cut one page; limit 0 is everything."""
    if limit == 0:
        return ids
    last = max(1, -(-len(ids) // limit))
    current = min(max(page, 1), last)
    start = int((current - 1) * limit)
    return ids[start : start + limit]


def ordered(view: View, ids: list[int], *, name: str, is_ascending: bool) -> list[int]:
    """Sort ids by a column; a missing value sorts as the smallest."""
    if name == view.key:
        return ids if is_ascending else ids[::-1]

    def weight(row_id: int) -> tuple[int, Any]:
        value = view.row(row_id).get(name)
        if value is None:
            return (0, 0)
        if isinstance(value, int) or name in view.numeric:
            return (1, float(value))
        return (2, folded(str(value)))

    return sorted(ids, key=weight, reverse=not is_ascending)


def filtered(view: View, given: Any) -> list[int]:
    """Apply the filter parameter of a call."""
    if given is None:
        return view.ids
    problem = ApiError((400, "Resource collection filtering error."))
    if not isinstance(given, dict):
        raise problem
    tests: list[tuple[str, Test]] = []
    candidates = view.ids
    for entry in given.values():
        if not isinstance(entry, dict):
            raise problem
        name = entry.get("attribute")
        if not isinstance(name, str) or name not in view.allowed - view.unsortable:
            raise problem
        condition = {k: v for k, v in entry.items() if k != "attribute"}
        if name in view.unfilterable:
            raise unknown_column(name)
        if not condition:
            raise broken_statement(view)
        try:
            test = compile_condition(condition, is_number=name in view.numeric)
        except re.error as error:
            raise broken_statement(view) from error
        tests.append((name, test))
        candidates = narrowed(view, candidates, name=name, condition=condition)
    return [i for i in candidates if matches(view.row(i), tests)]


def narrowed(view: View, ids: list[int], *, name: str, condition: Row) -> list[int]:
    """
    Leave out ids that a condition excludes, where that needs no look at the rows.

    What is left is still tested; this only keeps walks by id through large stores fast.
    """
    operator = next((op for op in condition if op in OPERATORS), None)
    if operator is None or "from" in condition or "to" in condition:
        return ids
    given = condition[operator]
    wanted = [str(v) for v in (given.values() if isinstance(given, dict) else [given])]
    if name == view.key and operator in ("gt", "gteq", "lt", "lteq") and wanted:
        start = NUMBER_START.match(wanted[0])
        bound = float(start.group()) if start else 0.0
        cut = (bisect_right if operator in ("gt", "lteq") else bisect_left)(ids, bound)
        return ids[cut:] if operator in ("gt", "gteq") else ids[:cut]
    if operator not in ("eq", "in") or not all(value.isascii() for value in wanted):
        return ids
    if name == view.key:
        numbers = (NUMBER_START.match(value) for value in wanted)
        found = {int(float(number.group())) for number in numbers if number}
    elif name in view.lookups:
        found = {i for i in (view.lookups[name](folded(v)) for v in wanted) if i is not None}
    else:
        return ids
    return [i for i in sorted(found) if (at := bisect_left(ids, i)) < len(ids) and ids[at] == i]


def matches(row: Row, tests: Iterable[tuple[str, Test]]) -> bool:
    """Tell whether a row passes all tests; a row without the value never does."""
    return all(name in row and test(row[name]) for name, test in tests)


def unknown_column(name: str) -> ApiError:
    """Fail as the database does for an attribute that is joined in later."""
    text = (
        f"SQLSTATE[42S22]: Column not found: 1054 Unknown column '{name}' in 'WHERE', "
        f"query was: {STATEMENT}"
    )
    return ApiError((42, text))


def broken_statement(view: View) -> Exception:
    """Fail as the database does for a filter without a condition."""
    if view.is_eav:
        return ReportPage()
    text = (
        "SQLSTATE[42000]: Syntax error or access violation: 1064 You have an error in your SQL "
        "syntax; check the manual that corresponds to your MariaDB server version for the right "
        f"syntax to use near ')' at line 1, query was: {STATEMENT}"
    )
    return ApiError((42000, text), status=500)


def compile_condition(condition: Any, *, is_number: bool) -> Test:
    """
    Turn one condition into a test of a value.

    from and to combine; otherwise the first known operator of an entry is the only one used, and
    an entry without any is a list of alternatives.
    """
    if not isinstance(condition, dict):
        return compare("eq", condition, is_number=is_number)
    if "from" in condition or "to" in condition:
        tests = [
            compare(op, condition[name], is_number=is_number)
            for name, op in (("from", "gteq"), ("to", "lteq"))
            if name in condition
        ]
        return lambda value: all(test(value) for test in tests)
    known = next((name for name in condition if name in OPERATORS), None)
    if known is not None:
        return compare(known, condition[known], is_number=is_number)
    choices = [compile_condition(c, is_number=is_number) for c in condition.values()]
    return lambda value: any(choice(value) for choice in choices)


def compare(operator: str, given: Any, *, is_number: bool) -> Test:
    """Make the test of one operator; NULL passes nothing but null."""
    if operator == "null" or (operator == "is" and str(given).lower() == "null"):
        return lambda value: value is None
    if operator == "notnull":
        return lambda value: value is not None
    wanted = list(given.values()) if isinstance(given, dict) else [given]
    first = str(wanted[0]) if wanted else ""
    if operator in ("like", "nlike"):
        pattern = like_pattern(first)
        is_wanted = operator == "like"
        return lambda v: v is not None and bool(pattern.fullmatch(folded(str(v)))) is is_wanted
    if operator == "regexp":
        expression = re.compile(first, re.IGNORECASE)
        return lambda v: v is not None and bool(expression.search(str(v)))
    if operator == "finset":
        return lambda v: v is not None and first in str(v).split(",")

    def by(test: Callable[[Any, Any], bool]) -> Test:
        return lambda v: v is not None and test(*comparable(v, first, is_number=is_number))

    def is_in(value: Any) -> bool:
        pairs = (comparable(value, str(w), is_number=is_number) for w in wanted)
        return any(x == y for x, y in pairs)

    table: dict[str, Test] = {
        "in": lambda v: v is not None and is_in(v),
        "nin": lambda v: v is not None and not is_in(v),
        "eq": by(lambda x, y: bool(x == y)),
        "seq": by(lambda x, y: bool(x == y)),
        "is": by(lambda x, y: bool(x == y)),
        "neq": by(lambda x, y: bool(x != y)),
        "sneq": by(lambda x, y: bool(x != y)),
        "gt": by(lambda x, y: bool(x > y)),
        "lt": by(lambda x, y: bool(x < y)),
        "gteq": by(lambda x, y: bool(x >= y)),
        "lteq": by(lambda x, y: bool(x <= y)),
    }
    return table[operator]


def comparable(value: Any, given: str, *, is_number: bool) -> tuple[Any, Any]:
    """Bring a column value and a text to the type in which the database compares them."""
    if isinstance(value, int) or is_number:
        start = NUMBER_START.match(given)
        return float(value), float(start.group()) if start else 0.0
    text = str(value)
    if len(text) == 19 and DATE.fullmatch(text) and DATE.fullmatch(given):
        moment = given.replace("T", " ").rstrip("Z")
        return text, moment + " 00:00:00"[len(moment) - 10 :] if len(moment) < 19 else moment
    return folded(text).rstrip(), folded(given).rstrip()


def folded(text: str) -> str:
    """Fold case and accents, as the database's collation does."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).lower()


def like_pattern(text: str) -> re.Pattern[str]:
    """Translate a LIKE pattern: "%" is anything, "_" one character."""
    parts = [{"%": ".*", "_": "."}.get(c, re.escape(c)) for c in folded(text)]
    return re.compile("".join(parts), re.DOTALL)
