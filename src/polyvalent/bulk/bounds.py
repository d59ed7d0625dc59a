"""
Find the field that a download is bounded by, and write moments as it wants them. Pure.

The object says so itself (queryDateName, queryDateOperator, queryDateFormat), or the instance by
bulk.query.field_name, .operator and .date_mask, which go first where they name a field.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from polyvalent.catalog.element import ElementObject
from polyvalent.ceql.tree import ComparisonOperator
from polyvalent.date_mask import compile_date_mask
from polyvalent.errors import BadRequest
from polyvalent.instances.model import Configuration

_OPERATORS = ("=", ">", ">=", "<", "<=", "!=")
_DEFAULT_OPERATOR = ">="
_DEFAULT_MASK = "yyyy-MM-dd'T'HH:mm:ssXXX"


@dataclass(frozen=True, kw_only=True, slots=True)
class DateQuery:
    """Say by which field of the vendor's rows are bounded, how, and how its moments are written."""

    field: str
    operator: ComparisonOperator
    mask: str
    declared: bool  # by the object's queryDateName or the instance: the vendor's own parameter

    def bounds(
        self, begin: datetime, end: datetime | None
    ) -> tuple[tuple[ComparisonOperator, str], ...]:
        """
        Return the predicates of a stretch of time.

        2017-05-24T18:31:01Z with >= and yyyy-MM-dd → ((">=", "2017-05-24"),).
        """
        found: list[tuple[ComparisonOperator, str]] = [(self.operator, _write(begin, self.mask))]
        if end is not None:
            found.append(("<=", _write(end, self.mask)))
        return tuple(found)


def find_date_query(shown: ElementObject | None, configuration: Configuration) -> DateQuery | None:
    """
    Find what an object's rows are bounded by; None if neither object nor instance names a field.

    Raises BadRequest for an operator that is none.
    """
    named = (configuration.get("bulk.query.field_name") or "").strip()
    if named and shown is not None and shown.fields:
        # One setting serves all objects of an instance; those without the field keep their own.
        named = named if named in {item.name for item in shown.fields} else ""
    own = shown.query_date_name if shown is not None else ""
    changed = shown.updated_date_name if shown is not None else ""
    field = named or own or changed
    if not field:
        return None
    operator, mask = "", ""
    if field == own and shown is not None:
        operator, mask = shown.query_date_operator, shown.query_date_format
    operator = operator or (configuration.get("bulk.query.operator") or "").strip()
    mask = mask or configuration.get("bulk.query.date_mask") or _DEFAULT_MASK
    operator = operator or _DEFAULT_OPERATOR
    if operator not in _OPERATORS:
        raise BadRequest(
            f"bulk.query.operator of the instance is {operator[:20]!r}; it must be one of "
            f"{', '.join(_OPERATORS)}."
        )
    return DateQuery(
        field=field,
        operator=cast("ComparisonOperator", operator),
        mask=mask,
        declared=bool(named or own),
    )


def parse_moment(name: str, text: str | None) -> datetime | None:
    """
    Read a moment of ISO 8601: "2017-05-24T18:31:01.000Z", "2017-05-24"; without a zone it is UTC.

    Raises BadRequest, naming the parameter.
    """
    if text is None or not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "T", 1))
    except ValueError as error:
        raise BadRequest(
            f"{name} must be a moment such as 2024-02-01T00:00:00Z, but it is {text[:40]!r}."
        ) from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise BadRequest(f"{name} is no moment that can be: {text[:40]!r}.") from error


def _write(moment: datetime, mask: str) -> str:
    try:
        return compile_date_mask(mask).write(moment.astimezone(UTC))
    except ValueError as error:
        raise BadRequest(
            f"bulk.query.date_mask, or the object's queryDateFormat, cannot be used: {error}."
        ) from error
