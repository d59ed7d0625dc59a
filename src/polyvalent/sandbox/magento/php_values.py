"""How PHP reads values that a client sent: loose numbers, and types on which its code dies."""

import math
import re
from typing import Any

from polyvalent.sandbox.magento.oauth_verify import PhpFatal

INTEGER = re.compile(r"\s*[+-]?\d+")
SCALAR = (str, int, float, bool, type(None))
LISTS_OF_ROWS = ("tier_price", "group_price", "copy_to_stores")
LISTS = ("street", "types", "material")


def to_int(value: Any) -> int:
    """
    Read a scalar as an integer: "12abc" is 12, "abc" and null are 0, true is 1.

    Raises PhpFatal for anything that is no scalar.
    """
    if not isinstance(value, SCALAR):
        raise PhpFatal
    if isinstance(value, str):
        digits = INTEGER.match(value)
        return int(digits.group()) if digits and len(digits.group()) < 20 else 0
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    return int(value or 0)


def demand_shapes(data: dict[str, Any]) -> None:
    """
    Refuse arrays where the vendor's code expects scalars, and scalars where it expects arrays.

    Raises PhpFatal, as PHP 8 does with its TypeError.
    """
    for name, value in data.items():
        if name == "stock_data":
            is_fine = not isinstance(value, dict) or is_row(value)
        elif name in LISTS_OF_ROWS:
            is_fine = value is None or (isinstance(value, list) and all(map(is_row, value)))
        elif name in LISTS and isinstance(value, list):
            is_fine = all(isinstance(member, SCALAR) for member in value)
        else:
            is_fine = isinstance(value, SCALAR)
        if not is_fine:
            raise PhpFatal


def is_row(value: Any) -> bool:
    """Tell whether a value is an object of scalars."""
    return isinstance(value, dict) and all(isinstance(v, SCALAR) for v in value.values())
