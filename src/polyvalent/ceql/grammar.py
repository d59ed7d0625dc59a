"""
Read the query language: text → tree.

::

    statement   = "SELECT" select_list "FROM" object [ "WHERE" expression ]
                  [ "ORDER" "BY" sorts ] [ "LIMIT" integer ] [ "OFFSET" integer ] ;
    select_list = "*" | fields ;
    fields      = field { "," field } ;
    sorts       = sort { "," sort } ;
    sort        = field [ "ASC" | "DESC" ] ;

    expression  = conjunction { "OR" conjunction } ;
    conjunction = primary { "AND" primary } ;
    primary     = "(" expression ")" | predicate ;
    predicate   = field ( comparison value
                        | [ "NOT" ] "LIKE" value
                        | [ "NOT" ] "IN" "(" value { "," value } ")"
                        | "IS" [ "NOT" ] "NULL" ) ;
    comparison  = "=" | "!=" | "<>" | "<=" | ">=" | "<" | ">" ;

    field       = name | "`" { "``" | any - "`" } "`" | "'" { "''" | any - "'" } "'" ;
    object      = ( letter | digit | "_" | "." | "-" )+ | "`" { "``" | any - "`" } "`" ;
    name        = ( letter | "_" )
                  { letter | digit | "_" | "." | "-" | "[" | "]" | "*" | ":" } ;
    value       = "'" { "''" | any - "'" } "'" | '"' { '""' | any - '"' } '"' | number | bareword ;
    number      = [ "-" ] digit+ [ "." digit+ ] ;
    bareword    = any except space ( ) , ' " = < > !
                  { any except space ( ) , ' " } ;

Keywords are read in any case and are names wherever a name must stand, so fields may be called
from, order, value, and. AND binds tighter than OR. <>, NOT LIKE, NOT IN and IS NOT NULL are ours
beyond the platform's language. A text is at most 16 384 characters long and nests at most 50
parentheses deep.
"""

from __future__ import annotations

from typing import cast

from polyvalent.ceql.scan import Scanner
from polyvalent.ceql.tree import (
    Comparison,
    ComparisonOperator,
    In,
    IsNull,
    Leaf,
    Like,
    Sort,
    Statement,
    Tree,
    all_of,
    any_of,
)

DEPTH_MAX = 50


def parse_where(text: str) -> Tree | None:
    """
    Read a `where`: "price >= 10" → Comparison("price", ">=", Number("10")); None if it is blank.

    Raises QueryError.
    """
    scanner = Scanner(text)
    if scanner.is_at_end():
        return None
    tree = _read_expression(scanner, 0)
    if not scanner.is_at_end():
        scanner.fail("AND, OR or the end")
    return tree


def parse_statement(text: str) -> Statement:
    """
    Read a statement: "select id from orders limit 5" → Statement(object="orders", ...).

    Raises QueryError.
    """
    scanner = Scanner(text)
    if not scanner.takes_word("select"):
        scanner.fail("SELECT")
    fields = () if scanner.takes_sign("*") else _read_fields(scanner)
    if not scanner.takes_word("from"):
        scanner.fail("a comma or FROM" if fields else "FROM")
    name = scanner.read_object()
    rest = ["WHERE", "ORDER BY", "LIMIT", "OFFSET"]
    where = order = limit = offset = None
    if scanner.takes_word("where"):
        where = _read_expression(scanner, 0)
        rest[:1] = ["AND", "OR"]
    if scanner.takes_word("order", "by"):
        order = _read_sorts(scanner)
        rest = ["a comma", "LIMIT", "OFFSET"]
    if scanner.takes_word("limit"):
        limit = scanner.read_integer()
        rest = ["OFFSET"]
    if scanner.takes_word("offset"):
        offset = scanner.read_integer()
        rest = []
    if not scanner.is_at_end():
        scanner.fail(f"{', '.join(rest)} or the end" if rest else "the end")
    return Statement(
        object=name, fields=fields, where=where, order=order or (), limit=limit, offset=offset
    )


def parse_order(text: str) -> tuple[Sort, ...]:
    """
    Read an `orderBy`: "status, created_at desc" → two sorts; none if it is blank.

    Raises QueryError.
    """
    scanner = Scanner(text)
    if scanner.is_at_end():
        return ()
    sorts = _read_sorts(scanner)
    if not scanner.is_at_end():
        scanner.fail("a comma, ASC, DESC or the end")
    return sorts


def parse_fields(text: str) -> tuple[str, ...]:
    """
    Read a `fields`: "id, email" → ("id", "email"), each once; none if it is blank or *.

    Raises QueryError.
    """
    scanner = Scanner(text)
    if scanner.is_at_end():
        return ()
    fields = () if scanner.takes_sign("*") else _read_fields(scanner)
    if not scanner.is_at_end():
        scanner.fail("a comma or the end" if fields else "the end")
    return fields


def _read_fields(scanner: Scanner) -> tuple[str, ...]:
    fields = [scanner.read_field()]
    while scanner.takes_sign(","):
        fields.append(scanner.read_field())
    return tuple(dict.fromkeys(fields))


def _read_sorts(scanner: Scanner) -> tuple[Sort, ...]:
    sorts = [_read_sort(scanner)]
    while scanner.takes_sign(","):
        sorts.append(_read_sort(scanner))
    return tuple(sorts)


def _read_sort(scanner: Scanner) -> Sort:
    field = scanner.read_field()
    descending = scanner.takes_word("desc")
    if not descending:
        scanner.takes_word("asc")
    return Sort(field, descending)


def _read_expression(scanner: Scanner, depth: int) -> Tree:
    first = _read_conjunction(scanner, depth)
    if not scanner.takes_word("or"):
        return first
    parts = [first, _read_conjunction(scanner, depth)]
    while scanner.takes_word("or"):
        parts.append(_read_conjunction(scanner, depth))
    return any_of(parts)


def _read_conjunction(scanner: Scanner, depth: int) -> Tree:
    first = _read_primary(scanner, depth)
    if not scanner.takes_word("and"):
        return first
    parts = [first, _read_primary(scanner, depth)]
    while scanner.takes_word("and"):
        parts.append(_read_primary(scanner, depth))
    return all_of(parts)


def _read_primary(scanner: Scanner, depth: int) -> Tree:
    start = scanner.position
    if not scanner.takes_sign("("):
        return _read_predicate(scanner)
    if depth == DEPTH_MAX:
        scanner.position = start
        scanner.fail(f"no more than {DEPTH_MAX} parentheses around one another")
    tree = _read_expression(scanner, depth + 1)
    if not scanner.takes_sign(")"):
        scanner.fail("AND, OR or )")
    return tree


def _read_predicate(scanner: Scanner) -> Leaf:
    field = scanner.read_field()
    match scanner.read_operator():
        case "like":
            return Like(field, scanner.read_value())
        case "not like":
            return Like(field, scanner.read_value(), negated=True)
        case "is null":
            return IsNull(field)
        case "is not null":
            return IsNull(field, negated=True)
        case "in" | "not in" as operator:
            return _read_in(scanner, field, negated=operator == "not in")
        case sign:
            return Comparison(field, cast("ComparisonOperator", sign), scanner.read_value())


def _read_in(scanner: Scanner, field: str, *, negated: bool) -> In:
    if not scanner.takes_sign("("):
        scanner.fail("( and a list of values")
    values = [scanner.read_value()]
    while scanner.takes_sign(","):
        values.append(scanner.read_value())
    if not scanner.takes_sign(")"):
        scanner.fail("a comma or )")
    return In(field, tuple(values), negated)
