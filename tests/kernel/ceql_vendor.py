"""
Stand in for a vendor that does what its capabilities say and is as unhelpful as they allow.

It gets values only as they were encoded and reads them its own way. Where a filter is a superset
it lets other rows through as it likes, and where it minds one condition of a sort it forgets all
but the last.
"""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime

from polyvalent.ceql import PushAny, compile_match, operator_of
from polyvalent.ceql.kind import kind_of
from polyvalent.ceql.tree import Comparison, In, IsNull, Like, Text

# Masks and how Python reads what they write.
MASKS = {
    "yyyy-MM-dd HH:mm:ss": "%Y-%m-%d %H:%M:%S",
    "dd/MM/yyyy": "%d/%m/%Y",
    "EEE, dd MMM yyyy HH:mm Z": "%a, %d %b %Y %H:%M %z",
    "yyyy-MM-dd'T'HH:mm:ss.SSSX": "%Y-%m-%dT%H:%M:%S.%f%z",
}


def select(rows, plan, *, capabilities, kinds, seed):
    """Return the rows that the vendor answers to the pushed conditions, with their place."""
    pushed = {}
    for at, item in enumerate(plan.pushed):
        place = at
        if not isinstance(item, PushAny) and capabilities.filters[item.filter].once:
            place = (item.predicate.field, operator_of(item.predicate))
        pushed[place] = item
    tests = [_test(item, capabilities, kinds, seed) for item in pushed.values()]
    return [at for at, row in enumerate(rows) if all(test(at, row) for test in tests)]


def _test(item, capabilities, kinds, seed):
    if isinstance(item, PushAny):
        assert capabilities.any_of
        branches = [[_test(one, capabilities, kinds, seed) for one in b] for b in item.branches]
        assert all(branches)
        return lambda at, row: any(all(test(at, row) for test in branch) for branch in branches)
    operator = operator_of(item.predicate)
    one = capabilities.filters[item.filter]
    assert item.predicate.field.replace("[*]", "") in one.fields
    assert operator in (*one.exact, *one.superset)
    assert item.exact is (operator in one.exact)
    assert not one.values_max or len(item.values) <= one.values_max or operator not in IN
    assert not any(char in value for char in one.encoding.forbidden for value in item.values)
    match = _understand(item, one.encoding, kinds)
    if item.exact:
        return lambda at, row: match(row)
    return lambda at, row: match(row) or zlib.crc32(f"{seed}{at}{item}".encode()) % 3 == 0


IN = ("in", "notIn")


def _understand(item, encoding, kinds):
    asked = item.predicate
    kind = kind_of(kinds, asked.field)
    values = [text.strip() if encoding.trims else text for text in item.values]
    if isinstance(asked, IsNull):
        assert not values
        return compile_match(asked, kinds)
    if isinstance(asked, Like):
        return _understand_like(asked, values[0], encoding, kinds)
    read = tuple(Text(_read(text, kind, encoding)) for text in values)
    if isinstance(asked, In):
        return compile_match(In(asked.field, read, asked.negated), kinds)
    return compile_match(Comparison(asked.field, asked.operator, *read), kinds)


def _read(text, kind, encoding):
    if kind == "date" and encoding.date:
        if encoding.date.startswith("epoch"):
            assert re.fullmatch("-?[0-9]+", text)
            unit = 1 if encoding.date == "epochSeconds" else 1000
            return datetime.fromtimestamp(int(text) / unit, UTC).isoformat()
        mask = MASKS[encoding.date]
        if "%z" not in mask:
            text, mask = f"{text} +0000", f"{mask} %z"
        return datetime.strptime(text, mask).isoformat()  # noqa: DTZ007 - every mask has %z here
    if kind == "boolean" and encoding.boolean:
        return ("true", "false")[encoding.boolean.index(text)]
    return text


def _understand_like(asked, text, encoding, kinds):
    # A vendor that knows escapes has _ for any character, unless it is escaped.
    pattern, at = "", 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\" and encoding.escaped:
            pattern += re.escape(text[at])
            at += 1
        elif char == encoding.wildcard:
            pattern += ".*"
        else:
            pattern += "." if char == "_" and encoding.escaped else re.escape(char)
    like = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch
    values = compile_match(IsNull(asked.field, negated=True), kinds)
    field = asked.field
    return lambda row: values(row) and (like(str(row[field])) is None) is asked.negated
