"""
Say as data what a vendor's own filters and sorting can do.

A filter is `exact` for an operator if it takes the same rows as `match` says, and `superset` if it
takes them all and perhaps others. One that can miss a row is neither: do not list it. So a vendor
that holds "bob" equal to "Bob" has = as superset and != not at all, since it would leave out the
"bob" that != 'Bob' asks for.
"""

from __future__ import annotations

from msgspec import Struct

from polyvalent.ceql.mask import compile_mask
from polyvalent.ceql.tree import Operator


class Encoding(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """
    Tell how a value is put to the vendor.

    A value that cannot be put so is not pushed, but that a bound in time goes to the next moment
    that the date's format can say.
    """

    # How dates are written, in UTC: "yyyy-MM-dd HH:mm:ss", see `mask`. Empty: as the caller did.
    date: str = ""
    # The words for true and false: ["1", "0"]. Empty: as the caller wrote it.
    boolean: tuple[str, ...] = ()
    # The vendor drops space around a value.
    trims: bool = False
    # Characters that a value must not hold, such as the comma that joins a list.
    forbidden: str = ""
    # What stands for any run in a pattern, and the characters that \ must precede there.
    wildcard: str = "%"
    escaped: str = ""

    def __post_init__(self) -> None:
        """Refuse what could only fail later. Raises ValueError."""
        if self.date:
            compile_mask(self.date)
        if len(self.boolean) not in (0, 2):
            raise ValueError("boolean takes two words, for true and for false")


class Filter(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Tell which operators the vendor has for some fields."""

    fields: tuple[str, ...]
    exact: tuple[Operator, ...] = ()
    superset: tuple[Operator, ...] = ()
    encoding: Encoding = Encoding()
    # The longest list that "in" and "notIn" take; 0: any.
    values_max: int = 0
    # Of several conditions with one field and one operator the vendor minds only one.
    once: bool = False


class Sorting(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Tell by which fields the vendor sorts as `order` does: nulls first, text by code points."""

    fields: tuple[str, ...] = ()
    # Fields of which no two rows share a value.
    unique: tuple[str, ...] = ()
    # How many fields one call can sort by.
    keys_max: int = 1


class Capabilities(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Tell all that a vendor's list can do by itself."""

    filters: tuple[Filter, ...] = ()
    sorting: Sorting = Sorting()
    # The vendor takes AND and OR within one another; else conditions are joined by AND.
    any_of: bool = False
    # The unique field that rows come ordered by when no order is asked for.
    keyset: str = ""


NOTHING = Capabilities()
