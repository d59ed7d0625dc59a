"""
Write a tree as text, the same text for the same tree; reading it gives the tree again.

Keywords are written in capitals, texts in single quotes, names in backticks only where they must.
"""

from __future__ import annotations

from polyvalent.ceql.scan import is_plain_name, is_plain_object
from polyvalent.ceql.tree import (
    And,
    Comparison,
    In,
    IsNull,
    Like,
    Or,
    Sort,
    Statement,
    Text,
    Tree,
    Value,
)


def write_where(tree: Tree | None) -> str:
    """Write a `where`: Comparison("a", "=", Text("x")) → "a = 'x'"; None → ""."""
    match tree:
        case None:
            return ""
        case Comparison():
            return f"{write_field(tree.field)} {tree.operator} {write_value(tree.value)}"
        case In():
            values = ", ".join(map(write_value, tree.values))
            return f"{write_field(tree.field)}{_NOT[tree.negated]} IN ({values})"
        case Like():
            pattern = write_value(tree.pattern)
            return f"{write_field(tree.field)}{_NOT[tree.negated]} LIKE {pattern}"
        case IsNull():
            return f"{write_field(tree.field)} IS{_NOT[tree.negated]} NULL"
        case And():
            return " AND ".join(
                f"({write_where(part)})" if isinstance(part, Or) else write_where(part)
                for part in tree.parts
            )
        case Or():
            return " OR ".join(
                f"({write_where(part)})" if isinstance(part, And) else write_where(part)
                for part in tree.parts
            )


def write_statement(statement: Statement) -> str:
    """Write a statement: "SELECT id FROM orders WHERE status = 'new' LIMIT 5"."""
    name = statement.object
    parts = [
        f"SELECT {', '.join(map(write_field, statement.fields)) or '*'}",
        f"FROM {name if is_plain_object(name) else _tick(name)}",
    ]
    if statement.where is not None:
        parts.append(f"WHERE {write_where(statement.where)}")
    if statement.order:
        parts.append(f"ORDER BY {write_order(statement.order)}")
    if statement.limit is not None:
        parts.append(f"LIMIT {statement.limit}")
    if statement.offset is not None:
        parts.append(f"OFFSET {statement.offset}")
    return " ".join(parts)


def write_order(sorts: tuple[Sort, ...]) -> str:
    """Write an `orderBy`: "status, created_at DESC"."""
    return ", ".join(
        f"{write_field(sort.field)} DESC" if sort.descending else write_field(sort.field)
        for sort in sorts
    )


def write_value(value: Value) -> str:
    """Write a value as it was: Text("O'Hara") → "'O''Hara'", Number("5") → "5"."""
    if isinstance(value, Text):
        return "'" + value.text.replace("'", "''") + "'"
    return value.text


def write_field(name: str) -> str:
    """Write the name of a field, in backticks if it needs them: "Modified Time"."""
    return name if is_plain_name(name) else _tick(name)


def _tick(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


_NOT = {False: "", True: " NOT"}
