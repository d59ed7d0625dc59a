"""Read a member of a row by its path: "_info.lastUpdated", "['Modified Time']". Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_STEP = re.compile(r"\[(?:'([^']*)'|\"([^\"]*)\"|(\d+))\]|([^.\[\]]+)")


@lru_cache(maxsize=512)
def read_path(path: str) -> tuple[str | int, ...]:
    """Take a path apart: "a.b[0]['x y']" → ("a", "b", 0, "x y")."""
    return tuple(
        int(found[3]) if found[3] else found[1] or found[2] or found[4]
        for found in _STEP.finditer(path)
    )


def find_value(row: Any, path: str) -> Any:
    """Return what stands at a path, None if nothing does; a member may be named like a path."""
    if isinstance(row, dict) and path in row:
        return row[path]
    for step in read_path(path):
        if isinstance(step, int) and isinstance(row, list):
            row = row[step] if step < len(row) else None
        elif isinstance(row, dict):
            row = row.get(str(step))
        else:
            return None
    return row
