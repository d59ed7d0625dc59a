"""
Read the words of a query one after the other, and say well what is wrong with it.

Which characters make a word depends on what may stand there (a value may hold what a field may
not), so there is no list of tokens: the grammar asks the scanner for what it expects next.
"""

from __future__ import annotations

import re
from typing import NoReturn

from polyvalent.ceql.tree import Bareword, Number, Text, Value
from polyvalent.errors import BadRequest

LENGTH_MAX = 16_384  # characters of a query; a URL seldom carries half of it

_NAME = r"[^\W\d][\w.\-\[\]*:]*+"
_BACKTICKED = r"`([^`]*+(?:``[^`]*+)*+)`"
_QUOTED = r"'([^']*+(?:''[^']*+)*+)'"
_DOUBLE_QUOTED = r'"([^"]*+(?:""[^"]*+)*+)"'
# A word ends where no name goes on: "in" in "in(5)", not in "in-stock" or "in.x".
_END = r"(?![\w.\-\[\]*:])"

_match_space = re.compile(r"\s*").match
_match_field = re.compile(rf"\s*(?:({_NAME})|{_BACKTICKED}|{_QUOTED})").match
_match_object = re.compile(rf"\s*(?:([\w.\-]++)|{_BACKTICKED})").match
# A bare word does not start like an operator: a == 'x' is a slip, not the value "=".
_match_value = re.compile(
    rf"\s*(?:{_QUOTED}|{_DOUBLE_QUOTED}|([^\s(),'\"=<>!][^\s(),'\"]*+))"
).match
_match_operator = re.compile(
    rf"\s*(?:(<=|>=|<>|!=|=|<|>)|(not\s+like|like|not\s+in|in|is\s+not\s+null|is\s+null){_END})",
    re.IGNORECASE,
).match
_match_integer = re.compile(r"\s*([0-9]{1,9})(?![\w.\-])").match
_match_word = re.compile(rf"\s*([A-Za-z]++){_END}").match
_is_number = re.compile(r"-?[0-9]+(?:\.[0-9]+)?").fullmatch
_is_plain = re.compile(_NAME).fullmatch
_is_plain_object = re.compile(r"[\w.\-]+").fullmatch

_EXCERPT_BEFORE, _EXCERPT_AFTER = 50, 30
_WORD_MAX = 20


class QueryError(BadRequest):
    """
    Report a query that cannot be read.

    `position` is the column of the first character that does not fit, from 1; `expected` says
    what could have stood there. The message shows both and the text, a caret under the column.
    """

    def __init__(self, message: str, *, position: int, expected: str) -> None:
        super().__init__(message)
        self.position = position
        self.expected = expected


class Scanner:
    """Walk over a text; each method takes one thing if it stands next."""

    __slots__ = ("position", "text")

    def __init__(self, text: str) -> None:
        if len(text) > LENGTH_MAX:
            raise QueryError(
                f"Error parsing query: it has {len(text)} characters, more than the {LENGTH_MAX} "
                f"that are read. Ask in several queries.",
                position=LENGTH_MAX + 1,
                expected="the end",
            )
        self.text = text
        self.position = 0

    def takes_sign(self, sign: str) -> bool:
        """Take a sign such as "(" or "," if it stands next."""
        position = self.next_position()
        if not self.text.startswith(sign, position):
            return False
        self.position = position + len(sign)
        return True

    def takes_word(self, *words: str) -> bool:
        """Take keywords, in any case, if they stand next: "order", "by"."""
        position = self.position
        for word in words:
            found = _match_word(self.text, position)
            if found is None or found[1].lower() != word:
                return False
            position = found.end()
        self.position = position
        return True

    def is_at_end(self) -> bool:
        """Say whether nothing but space is left."""
        return self.next_position() == len(self.text)

    def next_position(self) -> int:
        """Return where the next thing starts, counted from 0."""
        found = _match_space(self.text, self.position)
        return self.position if found is None else found.end()

    def read_field(self) -> str:
        """Take a field's name: sku, billing.city, `shipping method`, 'Modified Time'."""
        found = _match_field(self.text, self.position)
        if found is None:
            self._fail_in_quotes("`'", "the name of a field")
        plain, ticked, quoted = found.groups()
        name = plain or (
            ticked.replace("``", "`") if ticked is not None else quoted.replace("''", "'")
        )
        if not name:
            self.fail("the name of a field")
        self.position = found.end()
        return str(name)

    def read_object(self) -> str:
        """Take an object's name: orders, custom-objects, `2024`."""
        found = _match_object(self.text, self.position)
        if found is None:
            self._fail_in_quotes("`", "the name of an object")
        name = found[1] or found[2].replace("``", "`")
        if not name:
            self.fail("the name of an object")
        self.position = found.end()
        return str(name)

    def read_operator(self) -> str:
        """Take an operator, in lower case with single spaces: ">=", "!=", "not like"."""
        found = _match_operator(self.text, self.position)
        if found is None:
            self.fail("an operator: =, !=, <, <=, >, >=, LIKE, IN or IS NULL")
        self.position = found.end()
        sign = found[1]
        if sign is None:
            return " ".join(found[2].lower().split())
        return "!=" if sign == "<>" else str(sign)

    def read_value(self) -> Value:
        """
        Take a value: 'x', "x", 99.5, paid, 2017-02-28T16:11:29-06:00.

        Refuses the bare word null: nothing equals null, so whoever writes it means IS NULL.
        """
        found = _match_value(self.text, self.position)
        if found is None:
            self._fail_in_quotes("'\"", "a value")
        quoted, double, bare = found.groups()
        if quoted is not None:
            value: Value = Text(quoted.replace("''", "'") if "''" in quoted else quoted)
        elif double is not None:
            value = Text(double.replace('""', '"'))
        elif bare.lower() == "null":
            self.fail("a value (null is asked for by IS NULL; the word itself needs quotes)")
        else:
            value = Number(bare) if _is_number(bare) else Bareword(bare)
        self.position = found.end()
        return value

    def read_integer(self) -> int:
        """Take a whole number of at most nine digits."""
        found = _match_integer(self.text, self.position)
        if found is None:
            self.fail("a whole number of at most nine digits")
        self.position = found.end()
        return int(found[1])

    def fail(self, expected: str) -> NoReturn:
        """Raise QueryError for the next thing, which is not what it should be."""
        position = self.next_position()
        ends = position == len(self.text)
        word = _match_word(self.text, position)
        end = min(word.end(), position + _WORD_MAX) if word is not None else position + 1
        found = "but the text ends" if ends else f"not {self._shown(position, end)}"
        raise QueryError(
            f"Error parsing query: expected {expected} at column {position + 1}, {found}.\n"
            f"{self._point_at(position)}",
            position=position + 1,
            expected=expected,
        )

    def _fail_in_quotes(self, quotes: str, expected: str) -> NoReturn:
        # What should be read here and starts with a quote was not read since it has no end.
        position = self.next_position()
        quote = self.text[position : position + 1]
        if quote and quote in quotes:
            raise QueryError(
                f"Error parsing query: the quote {quote} at column {position + 1} is never "
                f"closed. A {quote} within is written twice.\n{self._point_at(position)}",
                position=position + 1,
                expected=f"a closing {quote}",
            )
        self.fail(expected)

    def _point_at(self, position: int) -> str:
        start = max(0, position - _EXCERPT_BEFORE)
        before = ("…" if start else "") + self._shown(start, position)
        after = self._shown(position, position + _EXCERPT_AFTER)
        more = "…" if position + _EXCERPT_AFTER < len(self.text) else ""
        return f"{before}{after}{more}\n{' ' * len(before)}^"

    def _shown(self, start: int, end: int) -> str:
        # Line ends and the like would move the caret.
        return "".join(char if char.isprintable() else " " for char in self.text[start:end])


def is_plain_name(name: str) -> bool:
    """Say whether a field's name needs no quotes."""
    return _is_plain(name) is not None


def is_plain_object(name: str) -> bool:
    """Say whether an object's name needs no quotes."""
    return _is_plain_object(name) is not None
